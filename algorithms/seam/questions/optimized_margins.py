"""AskOptimizedMargins: sound lower bounds of margins all over a region, after a search for the best of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Access, Labels, Model
from algorithms.seam.question import Paid, Question
from algorithms.seam.questions.margins import Margins, Region

LineShares = NDArray[np.float32]  # (r, numbers)
"""Where searches of a row's margins ended: whoever asks about the row again may begin there. NaN: nowhere yet."""


@dataclass(frozen=True)
class Ascents:
    """Ascents say how long bounds are optimized."""

    steps: int  # of each margin's own search
    intermediate_steps: int  # of those of the bounds it rests on


@dataclass(frozen=True)
class OptimizedMargins:
    bounds: Margins
    shares: tuple[LineShares | None, ...]  # m of them; None: of a row that needs no search, or is too large to keep


class Optimized(Protocol):
    """Whoever is `Optimized` offers `Access.BOUNDS`."""

    def optimized_margins(
        self,
        region: Region,
        labels: Labels,
        rivals: NDArray[np.int64],
        ascents: Ascents,
        starts: Sequence[LineShares | None],
    ) -> OptimizedMargins:
        """Find lower bounds as `Bounded.margins` finds them by CROWN, and better ones of rows that these do not prove.

        Each row's search begins at its own `starts`, m of them. The same question has the same answer, alone and in
        company, and what was asked before does not matter.
        """
        ...


@final
@dataclass(frozen=True)
class AskOptimizedMargins(Question[OptimizedMargins]):
    """`AskOptimizedMargins` is answered by `OptimizedMargins`: see `Optimized.optimized_margins`.

    As of `AskMargins`, nobody is charged: what a bound costs is time.
    """

    region: Region
    labels: Labels  # (m,)
    rivals: NDArray[np.int64]  # (m, r)
    ascents: Ascents
    starts: tuple[LineShares | None, ...]

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskOptimizedMargins"]]) -> Sequence[OptimizedMargins]:
        optimized: Optimized = model.offers[Access.BOUNDS]
        questions = [paid.question for paid in asked]
        return [optimized.optimized_margins(q.region, q.labels, q.rivals, q.ascents, q.starts) for q in questions]
