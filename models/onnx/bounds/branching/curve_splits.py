"""Branch and bound over the intervals of what curves read, for networks whose curves are not all rectifiers.

Shi, Jin, Kolter, Jana, Hsieh, Zhang 2024 (GenBaB, arXiv:2405.21063): a domain is the part of the region where some of
these numbers lie within shorter intervals, split at points. On it each curve lies between closer lines, and the ends
take part in the bound with multipliers (Wang et al. 2021, beta-CROWN), which climb together with the lines that are
free. All is computed in float64 on the graph itself, so whatever has bounds may stand between the curves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor

from models.onnx.bounds.branching import graph_passes
from models.onnx.bounds.branching.cuts import Cuts, Splittable
from models.onnx.bounds.branching.gaps import costs
from models.onnx.bounds.branching.searches import EachPart
from models.onnx.bounds.frontier import Frontier
from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.optimized.objectives import Objectives
from models.onnx.bounds.passes.regions import Regions

PASS, PASSES = 32, 2  # domains that are split together at the most, and how many such passes a round has
ROOT_STEPS, CHILD_STEPS = 40, 20  # of ascent
DESCENTS, ROUNDS, ROOT_ROUNDS = 8, 4, 30  # points of a pass that are followed down, and how far
NARROW = 1e-5  # an interval that is not split: two lines are as good as the curve there
EDGE = 0.25  # share of an interval that is left on each side of a point where it is split
SIZE = 4096  # bytes of an open domain: of its objects, and of some fifty cuts
BARELY = 1e-9  # what an interval's width counts beside its cost, so that something is split where all gaps are closed


@dataclass(frozen=True, order=True, slots=True)
class CurveDomain:
    """A curve domain is what is left of a region within its cuts, with a margin's bound there, and what to cut next."""

    bound: float
    order: int
    row: int = field(compare=False)  # of the margins
    cuts: Cuts = field(compare=False)
    place: int = field(compare=False)
    point: float = field(compare=False)


class _Found(NamedTuple):
    """What a pass found of B domains."""

    values: Tensor  # (B,)
    multipliers: Tensor  # (B, 2, N)
    places: Tensor  # (B,) what costs the bounds most
    points: Tensor  # (B,) where it is split; NaN where there is nothing to split
    margins: Tensor  # (m,) the least that were met
    inputs: Tensor  # (m, d) and where that was


class CurveSearch:
    """A curve search looks for the least of a region's margins. Speaks `DomainSearch`.

    `known`: what CROWN knows of the region, in its first row. `margins` (r, scores): sums of scores. `slack`: what each
    must have beyond zero.
    """

    def __init__(self, known: Regions, margins: Tensor, slack: float, each: EachPart) -> None:
        self._margins, self._slack, self._each = margins, slack, each
        self._splittable = Splittable.of(known.plan)
        self._known = graph_passes.first(known, self._splittable.shapes)
        self._size = max(1, min(PASS, known.ascent_bucket // 2))
        self._open: Frontier[CurveDomain] = Frontier(SIZE)
        self._made = 0
        self.domains = 0
        self.least, self.point = float("inf"), known.balls.x[0].flatten()
        rows = list(range(len(margins)))
        cuts, before = [Cuts()] * len(rows), [-torch.inf] * len(rows)
        self._take_in(rows, before, cuts, self._bounded(rows, cuts, ROOT_STEPS, ROOT_ROUNDS))

    @property
    def bound(self) -> float:
        return self._open.bound

    @property
    def held(self) -> int:
        return self._open.held + 16 * self._splittable.count  # both ends of every number

    @property
    def is_over(self) -> bool:
        return not self._open

    @property
    def next_round(self) -> int:
        return 2 * min(len(self._open), self._size * PASSES)

    def go_on(self) -> None:
        """Split the weakest domains, and bound their children."""
        taken = self._open.take(self._size * PASSES)
        parts = [_Family.of(taken[start : start + self._size]) for start in range(0, len(taken), self._size)]

        def bounded(part: _Family) -> _Found:
            return self._bounded(part.rows, part.cuts, CHILD_STEPS, ROUNDS)

        for part, found in zip(parts, self._each(bounded, parts), strict=True):
            self._take_in(part.rows, part.bounds, part.cuts, found)

    def _bounded(self, rows: Sequence[int], cuts: Sequence[Cuts], steps: int, rounds: int) -> _Found:
        """Bound margins `rows` on a domain each, and see what could be split there."""
        output, splittable = self._known.plan.output, self._splittable
        ends, multipliers = (part.to(self._known.device) for part in splittable.written_out(cuts))
        here = graph_passes.within(self._known, splittable.by_value(ends))
        shape, every = here.plan.shapes[output], torch.arange(len(rows), device=here.device)
        margins = self._margins[list(rows)]
        cut = {name: both for name, both in splittable.by_value(ends).items() if bool(both.isfinite().any())}
        objectives = Objectives(here, output, Slopes(margins.reshape(-1, *shape), shape), every, cut)
        begun = {name: value for name, value in splittable.by_value(multipliers).items() if name in cut}
        values, choice = objectives.best(replace(objectives.start(), multipliers=begun), steps)
        with torch.no_grad():
            met: dict[str, Tensor] = {}
            below, _ = objectives.floor(choice, met)
            level = here.least(output, objectives.slopes, every, here.constant_bounds)
            inputs = here.balls.x if below is None else here.balls.lowest(below, every)
            exact = graph_passes.at(self._known, inputs)
            places, points = self._split_next(here, costs(here, met, exact), exact)
            seen = (margins * flat(exact[output])).sum(1).nan_to_num(nan=torch.inf)
        nearest = seen.topk(min(DESCENTS, len(seen)), largest=False).indices
        sizes, inputs = graph_passes.descend(self._known, margins[nearest], inputs[nearest], rounds)
        found = (
            torch.maximum(values, level).nan_to_num(nan=-torch.inf) - self._slack,
            splittable.joined(choice.multipliers, torch.zeros_like(multipliers)),
            places,
            points,
            sizes - self._slack,
            flat(inputs),
        )
        return _Found(*(part.cpu() for part in found))

    def _split_next(self, here: Regions, found: dict[str, Tensor], exact: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Choose the number that costs each bound most, and where it is split: at zero, where most curves bend."""
        joined, none = (
            self._splittable.joined,
            here.balls.radii.new_zeros(len(here.balls.radii), self._splittable.count),
        )
        lower, upper = (joined({name: here.intervals[name][end] for name in here.given}, none) for end in (0, 1))
        width = upper - lower
        wide = (width > NARROW) & torch.isfinite(width)
        places = torch.where(wide, joined(found, none) + BARELY * width, -torch.inf).argmax(1, keepdim=True)
        least, most, size = (value.gather(1, places) for value in (lower, upper, width))
        points = joined(exact, none).gather(1, places)
        points = points.maximum(least + EDGE * size).minimum(most - EDGE * size)
        points = torch.where((least < 0) & (most > 0), 0.0, points)
        return places[:, 0], torch.where(wide.any(1, keepdim=True), points, torch.nan)[:, 0]

    def _take_in(self, rows: Sequence[int], before: Sequence[float], cuts: Sequence[Cuts], found: _Found) -> None:
        self.domains += len(rows)
        for at, (row, value) in enumerate(zip(rows, found.values.tolist(), strict=True)):
            bound, point = max(before[at], value), float(found.points[at])
            if bound > 0 or point != point:
                self._open.close(bound)
                continue
            kept = replace(cuts[at], multipliers=found.multipliers[at][:, cuts[at].places].T.clone())
            self._open.add(CurveDomain(bound, self._made, row, kept, int(found.places[at]), point))
            self._made += 1
        at = int(found.margins.argmin())
        if float(found.margins[at]) < self.least:
            self.least, self.point = float(found.margins[at]), found.inputs[at].clone()


class _Family(NamedTuple):
    """The children of some domains, two each."""

    rows: list[int]
    bounds: list[float]
    cuts: list[Cuts]

    @classmethod
    def of(cls, parents: Sequence[CurveDomain]) -> "_Family":
        """Split each domain where it was to be split."""
        twice = [parent for parent in parents for _ in range(2)]
        children = [child for parent in parents for child in parent.cuts.split(parent.place, parent.point)]
        return cls([parent.row for parent in twice], [parent.bound for parent in twice], children)
