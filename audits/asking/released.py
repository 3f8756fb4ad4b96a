"""The recipes themselves: which methods, of which version, with which parameters, how hard, and on how many samples.

A released recipe is never edited: it names everything, so that no changed default changes what it does, and a better
one gets the next number. A draft may still change; what it computed says that it was one.

`quick` is for a first look and for every commit: it fits two minutes for a small network and 200 samples on two cores.
There CLEVER, which takes thousands of gradients a sample, scores the first 20 only, CROWN ends its search some per cent
below what it could prove, and intervals, which CROWN contains, are left out. `standard` is for a release, `thorough`
for a claim that others will attack.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class RecipeStep:
    """A recipe runs this version of a method with these parameters, which are all that it has.

    `queries` a sample at the most; on the first `samples` of the audit's, None: on all.
    """

    method: str  # pgd@1
    params: Mapping[str, Any]
    queries: int = 10_000
    samples: int | None = None

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


QUICK_1 = (
    RecipeStep("noise@1", {"points": 1_000}, queries=200),
    RecipeStep("pgd@1", {"loss": "margin", "steps": 20, "restarts": 2, "step_size": 0.5, "search_steps": 8}),
    RecipeStep("square@1", {"initial_share": None, "steps": 10_000}, queries=500),
    RecipeStep(
        "hopskipjump@1",
        {"directions": "full", "frequencies": 0.25, "initial_directions": 100, "iterations": 64, "gamma": 1.0},
        queries=1_000,
    ),
    RecipeStep("crown@1", {"search_steps": 5}),
    RecipeStep("nearest_neighbor@1", {"selected": 100}),
    RecipeStep("smoothing@1", {"sigma": 0.25, "n0": 100, "n": 1_000, "alpha": 0.001}, queries=1_101),
    RecipeStep(
        "clever@1",
        {
            "preset": "quick",
            "batches": 50,
            "batch_size": 128,
            "radius": "auto",
            "sampling": "radial",
            "ball": "own",
            "rivals": "all",
        },
        samples=20,
    ),
)

STANDARD_1 = (
    RecipeStep("noise@1", {"points": 1_000}, queries=1_000),
    RecipeStep("pgd@1", {"loss": "margin", "steps": 50, "restarts": 5, "step_size": 0.5, "search_steps": 12}),
    RecipeStep("square@1", {"initial_share": None, "steps": 10_000}, queries=5_000),
    RecipeStep(
        "hopskipjump@1",
        {"directions": "full", "frequencies": 0.25, "initial_directions": 100, "iterations": 64, "gamma": 1.0},
    ),
    RecipeStep("crown@1", {"search_steps": 24}),
    RecipeStep("intervals@1", {"search_steps": 24}),
    RecipeStep("nearest_neighbor@1", {"selected": 100}),
    RecipeStep("smoothing@1", {"sigma": 0.25, "n0": 100, "n": 10_000, "alpha": 0.001}, queries=10_101),
    RecipeStep(
        "clever@1",
        {
            "preset": "standard",
            "batches": 100,
            "batch_size": 512,
            "radius": "auto",
            "sampling": "radial",
            "ball": "own",
            "rivals": "all",
        },
        samples=100,
    ),
)

THOROUGH_1 = (
    RecipeStep("noise@1", {"points": 1_000}),
    RecipeStep(
        "pgd@1", {"loss": "margin", "steps": 100, "restarts": 20, "step_size": 0.5, "search_steps": 12}, queries=100_000
    ),
    RecipeStep("square@1", {"initial_share": None, "steps": 10_000}, queries=20_000),
    RecipeStep(
        "hopskipjump@1",
        {"directions": "full", "frequencies": 0.25, "initial_directions": 100, "iterations": 64, "gamma": 1.0},
        queries=50_000,
    ),
    RecipeStep("crown@1", {"search_steps": 24}),
    RecipeStep("intervals@1", {"search_steps": 24}),
    RecipeStep("nearest_neighbor@1", {"selected": 100}),
    RecipeStep("smoothing@1", {"sigma": 0.25, "n0": 100, "n": 100_000, "alpha": 0.001}, queries=100_101),
    RecipeStep(
        "clever@1",
        {
            "preset": "standard",
            "batches": 100,
            "batch_size": 512,
            "radius": "auto",
            "sampling": "radial",
            "ball": "own",
            "rivals": "all",
        },
    ),
)

_QUICK_1 = {step.name: step for step in QUICK_1}
# A quarter of the gradients of quick-1: on a convolutional network CLEVER took two thirds of the whole recipe's time,
# and the ascent of steepest, which needs a third of what is left, finds the larger norms. Fewer batches, not smaller
# ones: N_s is what a maximum means, and of as many gradients those in larger batches told the steadier score.
CLEVER = replace(
    _QUICK_1["clever"],
    method="clever@2",
    params={**_QUICK_1["clever"].params, "batches": 25, "batch_size": 64},
)
STEEPEST = RecipeStep("steepest@1", {"climbers": 36, "steps": 8, "radius": "auto"}, samples=20)
BPDA = replace(_QUICK_1["pgd"], method="bpda@1")
CROWN = RecipeStep("crown@2", {"search_steps": 7})
NOISE = replace(_QUICK_1["noise"], method="noise@2")
_ALONE = ("square", "hopskipjump", "nearest_neighbor", "smoothing")
# What begins by itself; then what begins where that ended. hopskipjump is of the first: it sees labels only, and a walk
# that began at a point of square, which follows the scores, stayed behind the far boundary to which these had led.
QUICK_2 = (
    (NOISE, *(_QUICK_1[name] for name in _ALONE), CLEVER, STEEPEST),
    (_QUICK_1["pgd"], BPDA, CROWN),
)

RECIPES = {
    "quick-1": ReleasedRecipe((QUICK_1,)),
    "quick-2": ReleasedRecipe(QUICK_2, is_draft=True, from_outside={"square": 1_500, "hopskipjump": 3_000}),
    "standard-1": ReleasedRecipe((STANDARD_1,)),
    "thorough-1": ReleasedRecipe((THOROUGH_1,)),
}
