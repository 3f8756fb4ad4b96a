"""Branch and bound over boxes of the input, for few inputs: each box is bounded anew by CROWN, and halved if it fails.

Bunel et al. 2018 (input domains), Wang et al. 2018 (ReluVal) for where to halve: across the side that moves the linear
bound most. What a linear bound proves of a box is cut off it, as Clip-and-Verify does (Zhou et al. 2025), and so is
what lies outside of the ball. All numbers are float64.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.onnx.bounds.branching.ball import CutBall
from models.onnx.bounds.branching.beta_crown import Bounding
from models.onnx.bounds.branching.descent import descend, look_around, margins
from models.onnx.bounds.branching.reduced import KeptRows, Reduced
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

    def __init__(self, network: Reduced, ball: CutBall, each: EachPart) -> None:
        self._each, self._ball = each, ball
        self._sure = Bounding(network, ball, torch.float64)
        self._network = network
        self._open: Frontier[BoxDomain] = Frontier(SIZE + 16 * len(ball.x))
        self._made = 0
        self.domains = 0
        self.least, self.point = float("inf"), ball.x
        count = len(network.margins.constant)
        ends = (end.expand(count, -1) for end in ball.hull())
        self._take_in(torch.arange(count), torch.full((count,), -torch.inf), *self._bounded(torch.arange(count), *ends))
        self._see(*look_around(self._sure, network.margins, self.point.expand(count, -1)))

    @property
    def bound(self) -> float:
        return self._open.bound

    @property
    def held(self) -> int:
        return self._open.held + self._network.held

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
        own = self._network.margins[rows]
        linear = crown(self._network, lower, upper, own)
        _, corner = _least(linear.slopes, lower, upper)
        over_ball, _ = self._ball.least(linear.slopes)
        values = linear.constant + torch.maximum(_least(linear.slopes, lower, upper)[0], over_ball)
        values = torch.where(is_outside, torch.inf, values.nan_to_num(nan=-torch.inf))
        points = self._ball.shrunk(corner)
        seen, _ = margins(self._sure, own, points)
        nearest = seen.topk(min(DESCENTS, len(seen)), largest=False).indices
        sizes, points = descend(self._sure, own[nearest], points[nearest], ROUNDS)
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


@dataclass(frozen=True)
class LinearFloor:
    """A linear function is below a row on each box: slopes.x + constant."""

    slopes: Tensor  # (..., d)
    constant: Tensor  # (...)


def crown(network: Reduced, lower: Tensor, upper: Tensor, rows: KeptRows) -> LinearFloor:
    """Bound one row each on boxes (B, d) as CROWN does, with all intervals before it found anew on each box."""
    count = len(network.leaks)
    shape = (len(lower), count)
    z_lower, z_upper = network.lower.expand(shape).clone(), network.upper.expand(shape).clone()
    for layer in network.layers:
        own = network.neurons[layer]
        both = KeptRows(*(torch.cat([a, b]) for a, b in zip(own.parts, own.negative.parts, strict=True)))
        linear = _back(network, z_lower, z_upper, both.repeated(len(lower)))
        found = linear.constant + _least(linear.slopes, lower[:, None], upper[:, None])[0]  # (B, 2 n)
        size = layer.stop - layer.start
        z_lower[:, layer] = torch.maximum(z_lower[:, layer], found[:, :size])
        z_upper[:, layer] = torch.maximum(z_lower[:, layer], torch.minimum(z_upper[:, layer], -found[:, size:]))
    found_rows = _back(network, z_lower, z_upper, rows.alone())
    return LinearFloor(found_rows.slopes[:, 0], found_rows.constant[:, 0])


def _back(network: Reduced, z_lower: Tensor, z_upper: Tensor, rows: KeptRows) -> LinearFloor:
    """Carry rows (B, R) back to the input, on intervals (B, N); those of layers that rows do not read do not matter."""
    free = (z_lower < 0) & (z_upper > 0)
    fixed = torch.where(z_lower >= 0, 1.0, network.leaks)
    above = torch.where(free, (z_upper - network.leaks * z_lower) / torch.where(free, z_upper - z_lower, 1.0), fixed)
    offset = torch.where(free, z_upper - above * z_upper, 0.0)
    below = torch.where(free, torch.where(z_upper > -z_lower, 1.0, network.leaks), fixed)
    a = rows.by_neuron.clone()  # (B, R, N)
    entering = torch.zeros_like(a)
    for layer in reversed(network.layers):
        here = a[:, :, layer]
        if not here.any():
            continue
        entering[:, :, layer] = here * torch.where(here > 0, below[:, None, layer], above[:, None, layer])
        a[:, :, : layer.start] += entering[:, :, layer] @ network.neurons.by_neuron[layer, : layer.start]
    constant = rows.constant - rows.noise + entering @ network.neurons.constant
    constant = constant - entering.abs() @ network.neurons.noise + (a.clamp(max=0) * offset[:, None]).sum(2)
    return LinearFloor(rows.by_input + entering @ network.neurons.by_input, constant)


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


def _least(slopes: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """The least value of slopes.x on a box, and the corner where it lies."""
    corner = torch.where(slopes > 0, lower, upper)
    return (slopes * corner).sum(-1), corner


def _share(slopes: Tensor) -> Tensor:
    """What every side counts at the least, so that none stays whole for ever."""
    return 0.05 * slopes.abs().mean(1, keepdim=True) + 1e-12
