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

from algorithms.mathematics.norms import Norm
from algorithms.threads import cores
from models.onnx.bounds.branching.opening import open_search
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.optimized.objectives import Objectives
from models.onnx.bounds.passes.plan import BoundPlan
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.propagation import propagate
from models.onnx.properties.excess import with_excesses
from models.onnx.properties.subject import Subject
from models.onnx.properties.trial import Witness, tried
from models.properties.conditions import PropertyCase

BUCKET = 512  # objectives of a backward pass
UNSPLIT_STEPS = 20  # of ascent
UNSPLIT = (
    "The bounds' box was bounded as a whole and not split: the graph is too large, or its values may grow too far."
)
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
        plan = with_excesses(self._plan, self._case)
        regions = Regions(plan, _ball(self._case, plan.shapes[plan.input]), 1, BUCKET, rounds=True, each=self._each)
        propagate(regions, "crown", _not_asked)
        excesses = torch.eye(len(self._case.parts), dtype=torch.float64)
        search = open_search(regions, excesses, 0.0, self._each)
        if search is None:
            self.domains = len(excesses)
            return None if _is_proven(regions, excesses) else UNSPLIT
        seen = np.inf
        while True:
            self.domains = search.domains
            if search.least < seen:
                seen = search.least
                if (found := tried(self._subject, self._case, search.point.numpy()[None])) is not None:
                    return found
            if search.is_over:
                return None if search.bound > 0 else OPEN
            if self._is_over():
                raise TimeIsOver
            search.go_on()

    def _each(self, make: Callable[[Any], Found], parts: Iterable[Any]) -> Iterator[Found]:
        """Make passes side by side, as long as there is time."""
        for found in self._pool.map(make, parts):
            if self._is_over():
                raise TimeIsOver
            yield found


def _ball(case: PropertyCase, shape: tuple[int, ...]) -> Balls:
    """Write the box as a ball that fills it: every number has its own room below and above."""
    lower, upper = torch.from_numpy(case.lower), torch.from_numpy(case.upper)
    middle = (lower + upper) / 2
    most = torch.full_like(middle, torch.inf)
    below, above = (torch.nextafter(room, most) for room in (middle - lower, upper - middle))
    radius = torch.maximum(below, above).max()[None]
    middle, below, above = (value.reshape(1, *shape) for value in (middle, below, above))
    return Balls(middle, below, above, radius, Norm.LINF)


def _is_proven(regions: Regions, excesses: Tensor) -> bool:
    """Bound excesses (parts, parts) over the whole region, with lines optimized."""
    output, first = regions.plan.output, torch.zeros(len(excesses), dtype=torch.int64)
    slopes = Slopes(excesses, regions.plan.shapes[output])
    level = regions.least(output, slopes, first, regions.constant_bounds)
    objectives = Objectives(regions, output, slopes, first)
    climbed, _ = objectives.best(objectives.start(), UNSPLIT_STEPS)
    return bool((torch.maximum(level, climbed) > 0).all())


def _not_asked(name: str) -> Tensor:
    raise AssertionError(f"a box is a ball of linf, which is asked for no dual norms of {name}")
