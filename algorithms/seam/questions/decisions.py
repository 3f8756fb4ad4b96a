"""Decide: a complete search for the least margin over a region, which goes on as long as it is asked to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Access, Model, Rows
from algorithms.seam.question import Paid, Question
from algorithms.seam.questions.margins import Region


@dataclass(frozen=True)
class Decision:
    """A decision is how far a search has come. Over a region, f_label - f_rival > 0 for all rivals where `bound` > 0.

    `state` goes back with the next question about the region, and belongs to whoever answers; None: nothing is left to
    split. `domains` have been bounded so far: a search that is asked for more of them has met the same on its way.
    """

    bound: float  # no margin is less anywhere in the region; never falls from one decision to the next
    domains: int
    witness: Rows | None  # (*shape), the valid point with the least margin met; None where that is above zero
    state: Any
    held: int  # bytes that the state keeps


class Deciding(Protocol):
    """Whoever is `Deciding` offers `Access.BOUNDS`, as `algorithms.seam.questions.margins.Bounded` does."""

    def decide(self, asked: "Sequence[Decide]") -> Sequence[Decision]:
        """Go on with each search for as many more domains as are asked for. With none, a search may look for points.

        A search stops early where all is proven, and where it meets a point with a margin below zero and below all
        that it met before: then it is worth asking the model about it. Bounds hold for the scores as this model
        computes them, rounding included. The same question has the same answer, alone and in company.
        """
        ...


@final
@dataclass(frozen=True)
class Decide(Question[Decision]):
    """`Decide` is answered by a `Decision` about one ball: see `Deciding.decide`.

    No point is asked and no gradient taken, so nobody is charged: what a search costs is time, and it counts domains.
    """

    region: Region  # of one row
    label: int
    rivals: NDArray[np.int64]  # (r,)
    state: Any  # of the last decision about the region; None: a new search
    domains: int  # to be bounded from here on, at the most

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["Decide"]]) -> Sequence[Decision]:
        deciding: Deciding = model.offers[Access.BOUNDS]
        return deciding.decide([paid.question for paid in asked])
