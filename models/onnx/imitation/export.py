"""The network as an ONNX file: it is opened, attacked and differentiated like any uploaded model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from models.onnx.imitation.network import HALF, KERNEL, PADDING, Imitator

OPSET, IR = 17, 8


class _Chain:
    """Nodes one behind the other, each fed by the one before."""

    def __init__(self, name: str) -> None:
        self.last = name
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, op: str, *constants: NDArray[np.generic], **attributes: Any) -> None:
        place = len(self.nodes)
        names = [f"constant_{place}_{i}" for i in range(len(constants))]
        self.constants += [numpy_helper.from_array(c, name) for c, name in zip(constants, names, strict=True)]
        self.nodes.append(helper.make_node(op, [self.last, *names], [f"value_{place}"], **attributes))
        self.last = f"value_{place}"


def exported(network: Imitator) -> bytes:
    """Write the network as ONNX: rows [N, *shape] in, logits [N, classes] out. The same weights give the same bytes."""
    design, canvas = network.design, network.design.canvas
    chain = _Chain("x")
    if design.convolutions:
        if canvas.channels_last:
            chain.add("Transpose", perm=[0, 3, 1, 2])
        else:
            chain.add("Reshape", np.array([-1, canvas.channels, canvas.height, canvas.width], np.int64))
        if design.pooled > 1:
            chain.add("AveragePool", kernel_shape=[design.pooled] * 2, strides=[design.pooled] * 2)
    else:
        chain.add("Flatten")
    chain.add("Sub", network.shift)
    chain.add("Div", network.width)
    for i in range(design.convolutions):
        chain.add("Conv", *_layer(network, f"convolution_{i}"), kernel_shape=[KERNEL] * 2, pads=[PADDING] * 4)
        chain.add("Relu")
        chain.add("MaxPool", kernel_shape=[HALF] * 2, strides=[HALF] * 2)
    if design.convolutions:
        chain.add("Flatten")
    for name in ("full_0", "full_1", "last"):
        if name in design.shapes:
            chain.add("Gemm", *_layer(network, name), transB=1)
            if name != "last":
                chain.add("Relu")
    chain.nodes[-1].output[0] = "logits"
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *canvas.shape])
    leaving = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", design.classes])
    graph = helper.make_graph(chain.nodes, "imitation", [entry], [leaving], chain.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _layer(network: Imitator, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return network.weights[name].numpy(), network.weights[f"{name}_bias"].numpy()
