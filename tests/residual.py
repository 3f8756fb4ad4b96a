"""A residual network of eighteen layers for images of 32 x 32, its weights random."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.exports import Array, graph


def resnet18(*, width: int = 64, classes: int = 10) -> bytes:
    """x [N, 3, 32, 32] -> z [N, classes]; normalizations are folded into the convolutions."""
    net, channels = _Layers(), width
    value = net.relu(net.convolution("x", 3, width))
    for stage in range(4):
        for block in range(2):
            out, stride = width * 2**stage, 2 if stage and not block else 1
            inner = net.relu(net.convolution(value, channels, out, stride=stride))
            inner = net.convolution(inner, out, out)
            if channels != out:
                value = net.convolution(value, channels, out, kernel=1, stride=stride)
            value, channels = net.relu(net.node("Add", inner, value)), out
    flat = net.node("Flatten", net.node("GlobalAveragePool", value))
    weights = net.constant((channels, classes), channels)
    net.nodes.append(helper.make_node("MatMul", [flat, weights], ["z"]))
    return graph(net.nodes, ["N", 3, 32, 32], [("z", TensorProto.FLOAT, ["N", classes])], net.constants)


class _Layers:
    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, Array] = {}

    def node(self, op: str, *inputs: str, **attributes: object) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, shape: tuple[int, ...], fan_in: int) -> str:
        name = f"w{len(self.constants)}"
        self.constants[name] = (self.rng.normal(size=shape) * np.sqrt(2 / fan_in)).astype(np.float32)
        return name

    def convolution(self, value: str, channels: int, out: int, *, kernel: int = 3, stride: int = 1) -> str:
        weights = self.constant((out, channels, kernel, kernel), channels * kernel**2)
        return self.node("Conv", value, weights, strides=[stride] * 2, pads=[kernel // 2] * 4)

    def relu(self, value: str) -> str:
        return self.node("Relu", value)
