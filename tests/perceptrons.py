"""Random networks of dense layers and Relu, as weights for an oracle and as models under audit."""

import itertools
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import read
from tests.cells import Layer
from tests.devices import DEVICE
from tests.exports import graph


def opened(data: bytes) -> OnnxClassifier:
    network = read(onnx.load_from_string(data), None)
    return OnnxClassifier(network, differentiator(network, DEVICE), DEVICE, bounder(network, DEVICE))


def layers(seed: int, *widths: int) -> list[Layer]:
    """Weights of a random network, such that its kinks lie about the box [0, 1]."""
    rng = np.random.default_rng(seed)
    made = []
    for before, after in itertools.pairwise(widths):
        w = rng.normal(size=(after, before)).astype(np.float32)
        made.append(
            (w.astype(np.float64), (rng.normal(size=after) * 0.3 - w.sum(1) / 2).astype(np.float32).astype(np.float64))
        )
    return made


def perceptron(made: Sequence[Layer]) -> OnnxClassifier:
    return opened(exported(made))


def exported(made: Sequence[Layer]) -> bytes:
    nodes, constants, value = [], {}, "x"
    for i, (w, b) in enumerate(made):
        constants |= {f"w{i}": w.T.astype(np.float32), f"b{i}": b.astype(np.float32)}
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"z{i}"]))
        value = f"z{i}"
        if i < len(made) - 1:
            nodes.append(helper.make_node("Relu", [value], [f"h{i}"]))
            value = f"h{i}"
    inputs, classes = made[0][0].shape[1], len(made[-1][1])
    return graph(nodes, ["N", inputs], [(value, TensorProto.FLOAT, ["N", classes])], constants)
