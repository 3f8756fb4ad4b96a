"""Masks that cut the features into steps first: the answer hangs on a row's cell alone, so r* is found cell by cell."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from tests.masks.hidden import Hidden, Numbers, cell_radii
from tests.masks.net import Net

WEIGHTS = np.array([[1.0, 0.83], [-0.9, 1.1], [0.1, -1.2]])  # (3, 2)
OFFSETS = np.array([-0.7, -0.13, 0.45])


@dataclass(frozen=True)
class Grid:
    """A grid cuts [0, 1] at `edges` (k + 1,), and makes the values (k,) of its steps."""

    edges: Numbers
    values: Numbers


def floored(steps: int) -> Grid:
    """x = 1 is a step of its own."""
    return Grid(np.append(np.arange(steps + 1), steps) / steps, np.arange(steps + 1) / steps)


def rounded(steps: int) -> Grid:
    return Grid(np.clip((np.arange(steps + 2) - 0.5) / steps, 0, 1), np.arange(steps + 1) / steps)


def linear_labels(grid: Grid) -> np.ndarray:
    """The label of each cell (k, k)."""
    a, b = np.meshgrid(grid.values, grid.values, indexing="ij")
    return (np.stack([a, b], -1) @ WEIGHTS.T + OFFSETS).argmax(-1)


def hidden(data: bytes, grid: Grid, labels: np.ndarray) -> Hidden:
    """Samples in the middle of cells whose nearest other label is at much the same distance."""
    middles = (grid.edges[:-1] + grid.edges[1:]) / 2
    places = np.stack(np.meshgrid(middles, middles, indexing="ij"), -1).reshape(-1, 2).astype(np.float32)
    radii = cell_radii(places, labels.ravel(), grid.edges, labels)
    inner = ((places > 0.05) & (places < 0.95)).all(axis=1)
    near = {norm: found[inner] for norm, found in radii.items()}
    chosen = np.argsort(np.abs(near[min(near)] - 0.12), kind="stable")[:2]
    return Hidden(
        data, places[inner][chosen], labels.ravel()[inner][chosen], {norm: r[chosen] for norm, r in near.items()}
    )


def behind(front: Callable[[Net], str], grid: Grid) -> Hidden:
    net = Net(2)
    data = net.data(net.op("Gemm", front(net), WEIGHTS.T, OFFSETS))
    return hidden(data, grid, linear_labels(grid))


def floor(net: Net) -> str:
    return net.op("Div", net.op("Floor", net.op("Mul", "x", 8.0)), 8.0)


def nearest(net: Net) -> str:
    return net.op("Div", net.op("Round", net.op("Mul", "x", 10.0)), 10.0)


def quantized(net: Net) -> str:
    """As static quantization leaves it."""
    scale, zero = np.float32(1 / 15), np.uint8(0)
    return net.op("DequantizeLinear", net.op("QuantizeLinear", "x", scale, zero), scale, zero)


def whole(net: Net) -> str:
    steps = net.op("Cast", net.op("Mul", "x", 9.0), to=TensorProto.INT32)
    return net.op("Div", net.op("Cast", steps, to=TensorProto.FLOAT), 9.0)


def thermometer(net: Net) -> str:
    """How many of twelve thresholds each feature passes, one bit each."""
    marks = (np.arange(12) + 1)[None, None] / 12
    bits = net.op("GreaterOrEqual", net.op("Unsqueeze", "x", np.array([2])), marks)
    count = net.op("ReduceSum", net.op("Cast", bits, to=TensorProto.FLOAT), np.array([2]), keepdims=0)
    return net.op("Div", count, 12.0)


def almost_floor(net: Net) -> str:
    """Steps, and 1e-4 of the feature itself: gradients that are there, and tell nothing."""
    return net.op("Add", floor(net), net.op("Mul", "x", 1e-4))


def steps_of(net: Net, k: float) -> str:
    return net.op("Floor", net.op("Mul", "x", k))


def checkerboard() -> Hidden:
    net = Net(2)
    parity = net.op("Mod", net.op("ReduceSum", steps_of(net, 5.0), np.array([1]), keepdims=1), 2.0, fmod=1)
    data = net.data(net.op("Concat", net.op("Sub", 0.5, parity), net.op("Sub", parity, 0.5), axis=1))
    grid = floored(5)
    i, j = np.indices((6, 6))
    return hidden(data, grid, (i + j) % 2)


def table() -> Hidden:
    """Scores are looked up: no arithmetic leads from features to scores."""
    grid = floored(8)
    labels = linear_labels(grid)
    net = Net(2)
    place = net.op("MatMul", net.op("Clip", steps_of(net, 8.0), 0.0, 8.0), np.array([[9.0], [1.0]]))
    rows = net.op("Gather", np.eye(3)[labels.ravel()], net.op("Cast", place, to=TensorProto.INT64), axis=0)
    return hidden(net.data(net.op("Reshape", rows, np.array([-1, 3]))), grid, labels)


MASKS: dict[str, Callable[[], Hidden]] = {
    "floor": lambda: behind(floor, floored(8)),
    "round": lambda: behind(nearest, rounded(10)),
    "quantized and back": lambda: behind(quantized, rounded(15)),
    "cast to whole numbers": lambda: behind(whole, floored(9)),
    "thermometer": lambda: behind(thermometer, floored(12)),
    "floor, and a trace of a slope": lambda: behind(almost_floor, floored(8)),
    "checkerboard": checkerboard,
    "table": table,
}
