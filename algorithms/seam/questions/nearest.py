"""AskNearest: the nearest input that is answered otherwise, searched where the model lives, a slice at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final

from algorithms.seam.access import Access, Model, Rows
from algorithms.seam.question import Paid, Question
from algorithms.threats.threat import Threat


@dataclass(frozen=True)
class Vicinity:
    """A vicinity is the ball of one sample, within the box, in which another answer is looked for."""

    x: Rows  # (*shape)
    label: int
    target: int | None  # the class that has to win; None: any but the label
    threat: Threat
    reach: float


@dataclass(frozen=True)
class Search:
    """A search tells how far it has come, and holds what its model needs to go on.

    `refused`: why there is none, a stable word; `operator`: whose fault that is.
    """

    lower: float = 0.0  # nothing nearer is answered otherwise; the reach at the most
    point: Rows | None = None  # (*shape): one that is, by the model's own arithmetic, nearer than any before
    nodes: int = 0  # taken so far
    unsettled: int = 0  # curves that may be on either side of their bend
    is_over: bool = False
    refused: str | None = None
    operator: str | None = None
    state: Any = None


class Searchable(Protocol):
    """Whoever is `Searchable` offers `Access.BOUNDS`, and may refuse."""

    def nearest(self, asked: "Sequence[AskNearest]") -> Sequence[Search]:
        """Go on with each search as it asks. `lower` holds for the model as it is served, rounding included.

        An answer may come before all nodes are taken: with a point as soon as there is one, and else from time to
        time. Where a search is cut changes nothing that it finds.
        """
        ...


@final
@dataclass(frozen=True)
class AskNearest(Question[Search]):
    """`AskNearest` is answered by a `Search`: see `Searchable.nearest`. It costs time, and nobody is charged."""

    vicinity: Vicinity
    search: Search | None  # None: begin
    nodes: int  # how many may have been taken when it ends
    reached: float  # the distance of a point that was confirmed; what lies no nearer is of no interest
    unsettled: int  # curves at the most: with more it is refused

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskNearest"]]) -> Sequence[Search]:
        searchable: Searchable = model.offers[Access.BOUNDS]
        return searchable.nearest([paid.question for paid in asked])
