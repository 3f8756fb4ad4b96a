"""The proof of one case: a branch and bound of its excesses, the same that certificates ask (`bounds/branching/`).

A case is proven where every part has a positive excess all over the box. Points that the search meets on its way are
tried as witnesses.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from algorithms.threads import cores
from models.onnx.bounds.branching.graph_boxes import GraphBoxes, filled
from models.onnx.bounds.branching.input_splits import BoxSearch
from models.onnx.bounds.branching.opening import FEW_INPUTS, cut_ball, open_search
from models.onnx.bounds.branching.reduced import is_reducible
from models.onnx.bounds.branching.searches import DomainSearch
from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.optimized.objectives import Objectives
from models.onnx.bounds.passes.plan import BoundPlan
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.propagation import propagate
from models.onnx.properties.excess import with_excesses
from models.onnx.properties.subject import Subject
from models.onnx.properties.trial import Witness, holds_any, tried
from models.properties.conditions import PropertyCase

BUCKET = 512  # objectives of a backward pass
MOST = 2**12  # conditions of a case: their maxima are written as matrices
MANY = (
    f"A box has more than {MOST:,} conditions on outputs in its alternatives: they were not bounded, points were tried."
)
UNSPLIT_STEPS = 20  # of ascent
FLOAT64 = 2.0**-52  # what a sum of two numbers may be off by, as a share of their sizes, and twice as much
UNSPLIT = (
    "The bounds' box was bounded as a whole and not split: the graph is too large, or its values may grow too far."
)
EMPTY = "The bounds of some input hold no float32 number, so no witness can be shown; widen them by a rounding."
OPEN = "Nothing is left to split: within what float32 may round, the answer may be either."

Found = TypeVar("Found")
IsOver = Callable[[], bool]


class TimeIsOver(Exception):
    """Whoever asked has no more time."""


class Proof:
    """A proof is of one case, and is made by `settle`. `domains`: parts of the box that were bounded so far."""

    def __init__(self, subject: Subject, plan: BoundPlan, case: PropertyCase, is_over: IsOver) -> None:
        self._subject, self._plan, self._case, self._is_over = subject, plan, case, is_over
        self._pool = ThreadPoolExecutor(cores(), "passes", initializer=torch.set_num_threads, initargs=(1,))
        self.domains = 0

    def settle(self) -> Witness | str | None:
        """Look for a witness or for a proof that there is none: the witness, None, or why there is neither.

        Raises TimeIsOver.
        """
        if sum(len(part.limits) for part in self._case.parts) > MOST:
            return MANY
        plan = with_excesses(self._plan, self._case)
        lower, upper = (torch.from_numpy(ends)[None] for ends in (self._case.lower, self._case.upper))
        ball = filled(lower, upper, plan.shapes[plan.input])
        regions = Regions(plan, ball, 1, BUCKET, rounds=True, each=self._each)
        propagate(regions, "crown", _not_asked)
        excesses = torch.eye(len(self._case.parts), dtype=torch.float64)
        slack = self._slack(regions)
        search = self._search(regions, excesses)
        if search is None:
            self.domains = len(excesses)
            return None if _is_proven(regions, excesses, slack) else UNSPLIT
        seen = np.inf
        while True:
            self.domains = search.domains
            if search.least < seen:
                seen = search.least
                if (found := tried(self._subject, self._case, search.point.numpy()[None])) is not None:
                    return found
            if search.is_over:
                return None if search.bound > slack else OPEN if holds_any(self._case) else EMPTY
            if self._is_over():
                raise TimeIsOver
            search.go_on()

    def _search(self, regions: Regions, excesses: Tensor) -> DomainSearch | None:
        """Halve boxes of few inputs whatever the curves are: cutting curves one by one takes longer there."""
        if len(self._case.lower) <= FEW_INPUTS and not is_reducible(regions.plan):
            return BoxSearch(GraphBoxes(regions, excesses), cut_ball(regions.balls), self._each)
        return open_search(regions, excesses, 0.0, self._each)

    def _slack(self, regions: Regions) -> float:
        """Say what an excess must have beyond zero: rows are exact, and float64 rounds where their sums are bounded."""
        lower, upper = (flat(end)[0] for end in regions.intervals[self._plan.output])
        most = torch.maximum(lower.abs(), upper.abs()).numpy()
        sizes = [np.abs(part.matrix) @ most + np.abs(part.limits) for part in self._case.parts]
        largest = float(np.max(np.nan_to_num(np.concatenate(sizes), nan=0.0, posinf=0.0)))  # those prove nothing
        return FLOAT64 * (len(most) + len(self._case.lower) + 16) * largest

    def _each(self, make: Callable[[Any], Found], parts: Iterable[Any]) -> Iterator[Found]:
        """Make passes side by side, as long as there is time."""
        for found in self._pool.map(make, parts):
            if self._is_over():
                raise TimeIsOver
            yield found


def _is_proven(regions: Regions, excesses: Tensor, slack: float) -> bool:
    """Bound excesses (parts, parts) over the whole region, with lines optimized."""
    output, first = regions.plan.output, torch.zeros(len(excesses), dtype=torch.int64)
    slopes = Slopes(excesses, regions.plan.shapes[output])
    level = regions.least(output, slopes, first, regions.constant_bounds)
    objectives = Objectives(regions, output, slopes, first)
    climbed, _ = objectives.best(objectives.start(), UNSPLIT_STEPS)
    return bool((torch.maximum(level, climbed) > slack).all())


def _not_asked(name: str) -> Tensor:
    raise AssertionError(f"a box is a ball of linf, which is asked for no dual norms of {name}")
