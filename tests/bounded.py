"""Small graphs under bounds: an operator between the rows and three classes, and points of a region to hold them to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import Norm
from algorithms.seam.questions.margins import Region, Relaxation
from algorithms.threats.threat import Box, Threat
from models.onnx.bounds.bounder import Bounder, bounder
from models.onnx.network import Network, read
from tests.devices import DEVICE
from tests.exports import graph

Array = NDArray[Any]
CLASSES = 3


@dataclass(frozen=True)
class Bounded:
    """A network, its bounds, and its own answers in float32."""

    network: Network
    bounder: Bounder

    @classmethod
    def of(cls, data: bytes, *, rounds: bool = True) -> "Bounded":
        network = read(onnx.load_from_string(data), None)
        return cls(network, bounder(network, DEVICE, rounds=rounds))

    def margins(
        self, rows: Array, radius: float, norm: Norm, box: Box, relaxation: Relaxation
    ) -> tuple[Array, Array, Array]:
        """-> bounds (m, K - 1), labels (m,), rivals (m, K - 1)"""
        labels = self.scores(rows).argmax(axis=1)
        classes = self.network.output.classes
        rivals = (labels[:, None] + np.arange(1, classes)) % classes
        region = Region(rows, np.full(len(rows), radius), Threat(norm, box))
        return self.bounder.margins(region, labels, rivals, relaxation), labels, rivals

    def scores(self, rows: Array) -> Array:
        return self.network.session().ask(rows, str(self.network.rebuilt.scores)).astype(np.float64)


def between(
    nodes: list[onnx.NodeProto], shape: tuple[int, ...], constants: dict[str, Array], *, size: int, opset: int = 13
) -> bytes:
    """x -> `nodes`, which make `y` of `size` numbers -> three classes by a random dense layer."""
    rng = np.random.default_rng(1)
    head = {"W": rng.normal(size=(size, CLASSES)).astype(np.float32), "b": rng.normal(size=CLASSES).astype(np.float32)}
    tail = [helper.make_node("Flatten", ["y"], ["flat"]), helper.make_node("Gemm", ["flat", "W", "b"], ["z"])]
    return graph(
        [*nodes, *tail], ["N", *shape], [("z", TensorProto.FLOAT, ["N", CLASSES])], head | constants, opset=opset
    )


def points(rng: np.random.Generator, x: Array, radius: float, norm: Norm, box: Box, count: int = 300) -> Array:
    """Of the ball around one row within the box, many of them on its surface and at its corners: (count, *shape)."""
    d = x.size
    directions = rng.normal(size=(count, d)) * (rng.random((count, d)) < rng.choice([0.2, 1.0], (count, 1)))
    directions[::3] = np.sign(directions[::3])
    directions[:, 0] += 1e-9  # none is zero
    share = np.minimum(1.0, 2 * rng.random(count))
    offsets = directions * (radius * share / lengths(directions, norm))[:, None] * (1 - 1e-6)
    moved = x + offsets.reshape(-1, *x.shape)
    return np.clip(moved, box.lower, box.upper).astype(np.float32)
