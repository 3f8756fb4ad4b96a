"""Branch and bound over boxes of the input, for few inputs: each box is bounded anew by CROWN, and halved if it fails.

Bunel et al. 2018 (input domains), Wang et al. 2018 (ReluVal) for where to halve: across the side that moves the linear
bound most. What a linear bound proves of a box is cut off it, as Clip-and-Verify does (Zhou et al. 2025), and so is
what lies outside of the ball. All numbers are float64.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.onnx.bounds.branching.ball import CutBall
from models.onnx.bounds.branching.box_bounds import BoxBounds, LinearFloor, least_on_box
from models.onnx.bounds.branching.searches import EachPart
from models.onnx.bounds.frontier import Frontier

PASS, PASSES = 64, 2  # boxes that are halved together, and how many such passes a round has at the most
DESCENTS, ROUNDS = 4, 4  # points of a pass that are followed down, and how far
OUTWARD = 1e-9  # share by which a cut keeps off: far more than float64 rounds
SIZE = 1300  # bytes that an open box takes beside its ends


@dataclass(frozen=True, order=True, slots=True)
class BoxDomain:
    """A box domain is what is left of the region within a box, with the bound of one margin there."""

    bound: float
    order: int
    row: int = field(compare=False)
    lower: Tensor = field(compare=False)  # (d,)
    upper: Tensor = field(compare=False)
    axis: int = field(compare=False)  # across which it is halved


class BoxSearch:
    """A box search looks for the least of a region's margins. Speaks `DomainSearch`."""

    def __init__(self, bounds: BoxBounds, ball: CutBall, each: EachPart) -> None:
        self._bounds, self._each, self._ball = bounds, each, ball
        self._open: Frontier[BoxDomain] = Frontier(SIZE + 16 * len(ball.x))
        self._made = 0
        self.domains = 0
        self.least, self.point = float("inf"), ball.x
        count = bounds.count
        ends = (end.expand(count, -1) for end in ball.hull())
        self._take_in(torch.arange(count), torch.full((count,), -torch.inf), *self._bounded(torch.arange(count), *ends))
        self._see(*bounds.around(self.point))

    @property
    def bound(self) -> float:
        return self._open.bound

    @property
    def held(self) -> int:
        return self._open.held + self._bounds.held

    @property
    def is_over(self) -> bool:
        return not self._open

    @property
    def next_round(self) -> int:
        return 2 * min(len(self._open), PASS * PASSES)

    def go_on(self) -> None:
        """Halve the boxes with the weakest bounds, and bound the halves."""
        taken = self._open.take(PASS * PASSES)
        parts = [taken[start : start + PASS] for start in range(0, len(taken), PASS)]
        for part, found in zip(parts, self._each(self._halved, parts), strict=True):
            rows = torch.tensor([box.row for box in part]).repeat(2)
            before = torch.tensor([box.bound for box in part], dtype=torch.float64).repeat(2)
            self._take_in(rows, before, *found)

    def _halved(self, part: list[BoxDomain]) -> tuple[Tensor, ...]:
        lower, upper = (torch.stack([getattr(box, end) for box in part]) for end in ("lower", "upper"))
        at, axes = torch.arange(len(part)), torch.tensor([box.axis for box in part])
        middle = (lower[at, axes] + upper[at, axes]) / 2
        below, above = upper.clone(), lower.clone()
        below[at, axes], above[at, axes] = middle, middle
        rows = torch.tensor([box.row for box in part]).repeat(2)
        return self._bounded(rows, torch.cat([lower, above]), torch.cat([below, upper]))

    def _bounded(self, rows: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, ...]:
        """Bound margins `rows` (B,) on boxes (B, d): bounds, boxes cut to what is open, axes, the lowest points met."""
        lower, upper, is_outside = cut_to_ball(self._ball, lower, upper)
        linear = self._bounds.floors(rows, lower, upper)
        _, corner = least_on_box(linear.slopes, lower, upper)
        over_ball, _ = self._ball.least(linear.slopes)
        values = linear.constant + torch.maximum(least_on_box(linear.slopes, lower, upper)[0], over_ball)
        values = torch.where(is_outside, torch.inf, values.nan_to_num(nan=-torch.inf))
        points = self._ball.shrunk(corner)
        seen = self._bounds.values(rows, points)
        nearest = seen.topk(min(DESCENTS, len(seen)), largest=False).indices
        sizes, points = self._bounds.followed(rows[nearest], points[nearest], ROUNDS)
        lower, upper = clipped(linear, lower, upper)
        axes = ((upper - lower) * (linear.slopes.abs() + _share(linear.slopes))).argmax(1)
        return values, lower, upper, axes, sizes, points

    def _take_in(
        self,
        rows: Tensor,
        before: Tensor,
        values: Tensor,
        lower: Tensor,
        upper: Tensor,
        axes: Tensor,
        sizes: Tensor,
        points: Tensor,
    ) -> None:
        self._see(sizes, points)
        self.domains += len(values)
        for at, value in enumerate(torch.maximum(values, before).tolist()):
            if value > 0 or bool((upper[at] <= lower[at]).all()):
                self._open.close(value)
                continue
            box = (int(rows[at]), lower[at].clone(), upper[at].clone(), int(axes[at]))
            self._open.add(BoxDomain(value, self._made, *box))
            self._made += 1

    def _see(self, values: Tensor, points: Tensor) -> None:
        at = int(values.argmin())
        if float(values[at]) < self.least:
            self.least, self.point = float(values[at]), points[at].clone()


def clipped(linear: LinearFloor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """Cut off boxes (B, d) what their linear bounds prove: where slopes.x + constant > 0, nothing is to be found."""
    slopes = linear.slopes
    own = torch.minimum(slopes * lower, slopes * upper)
    limit = -(linear.constant + own.sum(1))[:, None] + own  # slope_i x_i must stay below it
    turn = limit / torch.where(slopes == 0, 1.0, slopes)
    slack = OUTWARD * (turn.abs() + (upper - lower))
    high = torch.where(slopes > 0, torch.minimum(upper, turn + slack), upper)
    low = torch.where(slopes < 0, torch.maximum(lower, turn - slack), lower)
    return low, torch.maximum(low, high)


def cut_to_ball(ball: CutBall, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cut boxes (B, d) to what of them the ball can hold; tell which (B,) lie outside of it."""
    if ball.exponent is None:
        return lower, upper, torch.zeros(len(lower), dtype=torch.bool)
    away = torch.maximum(lower - ball.x, ball.x - upper).clamp(min=0) ** ball.exponent
    left = ball.radius**ball.exponent * (1 + OUTWARD) - away.sum(1, keepdim=True)
    reach = (left + away).clamp(min=0) ** (1 / ball.exponent) * (1 + OUTWARD)
    low, high = torch.maximum(lower, ball.x - reach), torch.minimum(upper, ball.x + reach)
    return low, torch.maximum(low, high), left[:, 0] < 0


def _share(slopes: Tensor) -> Tensor:
    """What every side counts at the least, so that none stays whole for ever."""
    return 0.05 * slopes.abs().mean(1, keepdim=True) + 1e-12
