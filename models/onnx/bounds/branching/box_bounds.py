"""What a search over boxes of the input asks about margins there, and who answers for a reduced network."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from models.onnx.bounds.branching.ball import CutBall
from models.onnx.bounds.branching.beta_crown import Bounding
from models.onnx.bounds.branching.descent import descend, look_around, margins
from models.onnx.bounds.branching.reduced import KeptRows, Reduced


@dataclass(frozen=True)
class LinearFloor:
    """A linear function is below a row on each box: slopes.x + constant."""

    slopes: Tensor  # (..., d)
    constant: Tensor  # (...)


class BoxBounds(Protocol):
    """Box bounds are of the margins of one region, which boxes are cut out of. `rows` (B,) names a margin for each."""

    @property
    def count(self) -> int:
        """Count the margins."""
        ...

    @property
    def held(self) -> int:
        """Count the bytes that are kept for them."""
        ...

    def floors(self, rows: Tensor, lower: Tensor, upper: Tensor) -> LinearFloor:
        """Bound margins on boxes (B, d)."""
        ...

    def values(self, rows: Tensor, points: Tensor) -> Tensor:
        """Compute margins at points (B, d) in real arithmetic: (B,)."""
        ...

    def followed(self, rows: Tensor, points: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
        """Follow margins down from points (B, d): the least values met (B,), and where, (B, d)."""
        ...

    def around(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Follow all margins down from a point (d,) and from the region's center, further: as `followed` tells it."""
        ...


class ReducedBoxes:
    """Reduced boxes are those of a network whose curves are rectifiers. Speaks `BoxBounds`."""

    def __init__(self, network: Reduced, ball: CutBall) -> None:
        self._network, self._sure = network, Bounding(network, ball, torch.float64)

    @property
    def count(self) -> int:
        return len(self._network.margins.constant)

    @property
    def held(self) -> int:
        return self._network.held

    def floors(self, rows: Tensor, lower: Tensor, upper: Tensor) -> LinearFloor:
        return crown(self._network, lower, upper, self._network.margins[rows])

    def values(self, rows: Tensor, points: Tensor) -> Tensor:
        return margins(self._sure, self._network.margins[rows], points)[0]

    def followed(self, rows: Tensor, points: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
        return descend(self._sure, self._network.margins[rows], points, rounds)

    def around(self, point: Tensor) -> tuple[Tensor, Tensor]:
        return look_around(self._sure, self._network.margins, point.expand(self.count, -1))


def crown(network: Reduced, lower: Tensor, upper: Tensor, rows: KeptRows) -> LinearFloor:
    """Bound one row each on boxes (B, d) as CROWN does, with all intervals before it found anew on each box."""
    count = len(network.leaks)
    shape = (len(lower), count)
    z_lower, z_upper = network.lower.expand(shape).clone(), network.upper.expand(shape).clone()
    for layer in network.layers:
        own = network.neurons[layer]
        both = KeptRows(*(torch.cat([a, b]) for a, b in zip(own.parts, own.negative.parts, strict=True)))
        linear = _back(network, z_lower, z_upper, both.repeated(len(lower)))
        found = linear.constant + least_on_box(linear.slopes, lower[:, None], upper[:, None])[0]  # (B, 2 n)
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


def least_on_box(slopes: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """Find the least value of slopes.x on a box, and the corner where it lies."""
    corner = torch.where(slopes > 0, lower, upper)
    return (slopes * corner).sum(-1), corner
