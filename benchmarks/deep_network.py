"""A network of the shape of ResNet-50 (He et al. 2016) on images of 224 x 224 x 3: random weights, no data needed.

python -m benchmarks.deep_network FILE     writes it, 102 MB
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

SIDE, CLASSES, WIDTH, EXPANSION = 224, 1000, 64, 4
BLOCKS = (3, 4, 6, 3)  # bottlenecks a stage


def network() -> ModelProto:
    """Makes the graph [N, 3, 224, 224] -> logits [N, 1000], the same each time; normalizations are folded."""
    net = _Layers()
    value = net.relu(net.convolution("x", 3, WIDTH, kernel=7, stride=2))
    value = net.node("MaxPool", value, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = WIDTH
    for stage, blocks in enumerate(BLOCKS):
        for block in range(blocks):
            value = _bottleneck(net, value, channels, WIDTH * 2**stage, stride=2 if stage and not block else 1)
            channels = EXPANSION * WIDTH * 2**stage
    flat = net.node("Flatten", net.node("GlobalAveragePool", value))
    net.node("Gemm", flat, net.constant((channels, CLASSES), channels), net.constant((CLASSES,), 1, scale=0.0))
    net.nodes[-1].output[0] = "logits"
    graph = helper.make_graph(
        net.nodes,
        "deep",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES])],
        net.constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _bottleneck(net: "_Layers", value: str, channels: int, width: int, *, stride: int) -> str:
    inner = net.relu(net.convolution(value, channels, width, kernel=1))
    inner = net.relu(net.convolution(inner, width, width, kernel=3, stride=stride))
    inner = net.convolution(
        inner, width, EXPANSION * width, kernel=1, scale=0.3
    )  # or sums would grow from block to block
    if channels != EXPANSION * width:
        value = net.convolution(value, channels, EXPANSION * width, kernel=1, stride=stride)
    return net.relu(net.node("Add", inner, value))


class _Layers:
    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def relu(self, value: str) -> str:
        return self.node("Relu", value)

    def constant(self, shape: tuple[int, ...], fan: int, *, scale: float = 1.0) -> str:
        name = f"w{len(self.constants)}"
        drawn = (scale * self.rng.standard_normal(shape) * np.sqrt(2 / fan)).astype(np.float32)
        self.constants.append(numpy_helper.from_array(drawn, name))
        return name

    def convolution(
        self, value: str, channels: int, out: int, *, kernel: int, stride: int = 1, scale: float = 1.0
    ) -> str:
        fan = channels * kernel**2
        weights, bias = (
            self.constant((out, channels, kernel, kernel), fan, scale=scale),
            self.constant((out,), 1, scale=0.1),
        )
        return self.node("Conv", value, weights, bias, strides=[stride] * 2, pads=[kernel // 2] * 4)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(network().SerializeToString())
