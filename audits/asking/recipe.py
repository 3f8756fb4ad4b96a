"""What a recipe is: steps in phases, each a method in one version, with all its parameters, and how hard it tries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RecipeStep:
    """A recipe runs this version of a method with these parameters, which are all that it has.

    `queries` a sample at the most; on the first `samples` of the audit's, None: on all. `norms`: in these only, None:
    in each that the method knows. `only_open`: on samples alone whose bracket the phases before have left open.
    """

    method: str  # pgd@1
    params: Mapping[str, Any]
    queries: int = 10_000
    samples: int | None = None
    norms: tuple[str, ...] | None = None
    only_open: bool = False

    @property
    def name(self) -> str:
        return self.method.partition("@")[0]


@dataclass(frozen=True)
class ReleasedRecipe:
    """The steps of a phase begin together, when those of the phase before have ended.

    `from_outside`: the queries a sample of these methods where no attack of the recipe can go by the model's gradients,
    so that nothing else makes up for a search that is too short.
    """

    phases: tuple[tuple[RecipeStep, ...], ...]
    is_draft: bool = False
    from_outside: Mapping[str, int] = field(default_factory=dict)

    @property
    def steps(self) -> tuple[RecipeStep, ...]:
        return tuple(step for phase in self.phases for step in phase)
