"""A small convolutional network on images of 224 x 224 x 3, and images for it: random weights, no data needed.

python -m benchmarks.large_network FILE     writes it
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

SIDE, CHANNELS, CLASSES = 224, 3, 10
WIDTHS = ((48, 7, 2), (64, 3, 2), (64, 3, 2), (64, 3, 2))  # channels, kernel and stride of each convolution


def network() -> ModelProto:
    """Makes the graph [N, 3, 224, 224] -> logits [N, 10], the same each time."""
    rng = np.random.default_rng(0)
    nodes: list[NodeProto] = []
    weights: dict[str, NDArray[np.float32]] = {}
    value, channels = "x", CHANNELS
    for k, (width, kernel, stride) in enumerate(WIDTHS):
        fan = channels * kernel**2
        weights[f"w{k}"] = (rng.standard_normal((width, channels, kernel, kernel)) * np.sqrt(2 / fan)).astype(
            np.float32
        )
        weights[f"b{k}"] = (0.1 * rng.standard_normal(width)).astype(np.float32)
        nodes.append(
            helper.make_node(
                "Conv",
                [value, f"w{k}", f"b{k}"],
                [f"c{k}"],
                kernel_shape=[kernel] * 2,
                strides=[stride] * 2,
                pads=[kernel // 2] * 4,
            )
        )
        nodes.append(helper.make_node("Relu", [f"c{k}"], [f"r{k}"]))
        value, channels = f"r{k}", width
    weights["w"] = rng.standard_normal((channels, CLASSES)).astype(np.float32)
    weights["b"] = np.zeros(CLASSES, np.float32)
    nodes += [
        helper.make_node("GlobalAveragePool", [value], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", CHANNELS, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    _level(made)
    return made


def _level(model: ModelProto) -> None:
    """Takes the mean of the logits over some images off, so that no class is everybody's."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"x": images(list(range(1000, 1016)))})
    bias = next(tensor for tensor in model.graph.initializer if tensor.name == "b")
    bias.CopyFrom(numpy_helper.from_array(-logits.mean(axis=0), "b"))


def images(indices: list[int]) -> NDArray[np.float32]:
    """Draws images in [0, 1], smooth over 16 x 16 pixels: (n, 3, 224, 224)."""
    coarse = [np.random.default_rng(index).random((CHANNELS, SIDE // 16, SIDE // 16), np.float32) for index in indices]
    return np.stack(coarse).repeat(16, axis=2).repeat(16, axis=3)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(network().SerializeToString())
