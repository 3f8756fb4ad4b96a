"""Small classifiers as people export them: torch's two exporters, scikit-learn, and graphs written by hand.

Each knows its own answer, computed without ONNX, so that a test can tell whether the file was understood.
"""

import contextlib
import functools
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

Array = NDArray[Any]


@dataclass(frozen=True)
class Export:
    """Bytes, the shape of a row, and what the model answers: the logits, and what it gives out of them."""

    data: bytes
    shape: tuple[int, ...]
    logits: Callable[[Array], Array]  # (m, *shape) -> (m, K)
    kind: str = "logits"
    classes: int = 4
    dtype: str = "float32"
    tolerance: float = 1e-5
    is_bounded: bool = True


class Flat(nn.Module):
    """x.view(len(x), -1): exported for one row, a Reshape to (1, ...)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(x.shape[0], -1)


class OneNumber(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.squeeze(1)  # (m, 1) -> (m,)


class HandSoftmax(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        powers = torch.exp(x - x.max(1, keepdim=True).values)
        return powers / powers.sum(1, keepdim=True)


class HandSigmoid(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 1 / (1 + torch.exp(-x))


class BothSides(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        p = torch.sigmoid(x)
        return torch.cat([1 - p, p], 1)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.second, self.head = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.norm(self.first(x)))
        return self.head((h + torch.relu(self.second(h))).mean((2, 3)))


def conv() -> list[nn.Module]:
    return [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(), Flat(), nn.Linear(36, 4)]


def dense(outputs: int) -> list[nn.Module]:
    return [nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, outputs)]


IMAGE, TABLE = (3, 8, 8), (6,)
Build = Callable[[], list[nn.Module]]
# name -> (body up to the logits, tail, shape of a row, what the file gives out)
NETS: dict[str, tuple[Build, list[nn.Module], tuple[int, ...], str]] = {
    "mlp": (lambda: [nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 4)], [], IMAGE, "logits"),
    "cnn": (conv, [], IMAGE, "logits"),
    "resnet block": (lambda: [Residual()], [], IMAGE, "logits"),
    "softmax": (conv, [nn.Softmax(1)], IMAGE, "probabilities"),
    "last-axis softmax": (lambda: dense(4), [nn.Softmax(-1)], TABLE, "probabilities"),
    "hand-written softmax": (conv, [HandSoftmax()], IMAGE, "probabilities"),
    "log-softmax": (conv, [nn.LogSoftmax(1)], IMAGE, "logits"),
    "sigmoids": (lambda: dense(4), [nn.Sigmoid()], TABLE, "probabilities"),
    "one sigmoid [N, 1]": (lambda: dense(1), [nn.Sigmoid()], TABLE, "probabilities"),
    "one sigmoid [N]": (lambda: dense(1), [nn.Sigmoid(), OneNumber()], TABLE, "probabilities"),
    "hand-written sigmoid": (lambda: dense(1), [HandSigmoid()], TABLE, "probabilities"),
    "both sides of a sigmoid": (lambda: dense(1), [BothSides()], TABLE, "probabilities"),
    "one logit [N, 1]": (lambda: dense(1), [], TABLE, "logits"),
    "one logit [N]": (lambda: dense(1), [OneNumber()], TABLE, "logits"),
}


def trained(net: str) -> tuple[nn.Sequential, nn.Sequential, tuple[int, ...], str]:
    """Seeded weights, and batch statistics that are not the trivial ones: (logits, whole, shape, kind)."""
    build, tail, shape, kind = NETS[net]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        body = nn.Sequential(*build())
        body.train()(torch.rand(32, *shape))
    return body.eval(), nn.Sequential(*body, *tail).eval(), shape, kind


@functools.cache
def torch_export(net: str, exporter: str, opset: int, batch: int | None = None) -> Export:
    """`batch`: the fixed number of rows of the file; None: any number."""
    body, whole, shape, kind = trained(net)
    example = torch.rand(batch or 2, *shape)
    data = (dynamo if exporter == "dynamo" else classic)(whole, example, opset, batch is None)

    def logits(rows: Array) -> Array:
        with torch.no_grad():
            z = body(torch.from_numpy(rows)).numpy()
        return np.concatenate([np.zeros_like(z), z], 1) if z.shape[1] == 1 else z

    return Export(data, shape, logits, kind, classes=max(2, body(example).shape[1]))


def classic(net: nn.Module, example: torch.Tensor, opset: int, any_batch: bool) -> bytes:
    file = io.BytesIO()
    axes = {"x": {0: "N"}} if any_batch else None
    with _quietly():
        torch.onnx.export(
            net, (example,), file, dynamo=False, opset_version=opset, input_names=["x"], dynamic_axes=axes
        )
    return file.getvalue()


def dynamo(net: nn.Module, example: torch.Tensor, opset: int, any_batch: bool) -> bytes:
    _know_operators()
    shapes = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)} if any_batch else {}
    with _quietly():
        program = torch.onnx.export(net, (example,), dynamo=True, opset_version=opset, verbose=False, **shapes)
    assert program is not None
    return program.model_proto.SerializeToString()


@functools.cache
def _know_operators() -> None:
    """torch reads its table of operators anew for every export, which is a third of what one takes: it is kept."""
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    ONNXRegistry.from_torchlib = staticmethod(functools.cache(ONNXRegistry.from_torchlib))


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The exporters warn of themselves, and print."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def graph(
    nodes: list[onnx.NodeProto],
    shape: list[int | str],
    outputs: list[tuple[str, int, list[int | str] | None]],
    constants: dict[str, Array] | None = None,
    *,
    opset: int = 13,
    dtype: int = TensorProto.FLOAT,
    initializers_are_inputs: bool = False,
) -> bytes:
    """A hand-written model with one input `x`."""
    tensors = [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()]
    inputs = [helper.make_tensor_value_info("x", dtype, shape)]
    if initializers_are_inputs:
        inputs += [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in tensors]
    made = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info(*o) for o in outputs], tensors)
    version = 3 if initializers_are_inputs else 8
    domains = {node.domain for node in nodes} - {""}
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in sorted(domains))]
    return helper.make_model(made, opset_imports=imports, ir_version=version).SerializeToString()


def linear(d: int = 6, classes: int = 4, seed: int = 0) -> tuple[Array, Array]:
    """Weights (d, classes) and bias (classes,)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(d, classes)).astype(np.float32), rng.normal(size=classes).astype(np.float32)


def old_linear(opset: int, *, initializers_are_inputs: bool = False, batch: int | str = "N") -> Export:
    """A dense layer behind a Reshape to a fixed batch where `batch` is a number; any opset."""
    W, b = linear()
    lead = batch if isinstance(batch, int) else -1
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "W"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"], axis=1),
    ]
    data = graph(
        nodes,
        [batch, 2, 3],
        [("p", TensorProto.FLOAT, [batch, 4])],
        {"shape": np.array([lead, 6], np.int64), "W": W, "b": b},
        opset=opset,
        initializers_are_inputs=initializers_are_inputs,
    )
    return Export(data, (2, 3), lambda rows: rows.reshape(len(rows), 6) @ W + b, "probabilities")


def cast_linear(dtype: str) -> Export:
    """A dense layer in float16 or float64."""
    W, b = (value.astype(dtype) for value in linear())
    number = {"float16": TensorProto.FLOAT16, "float64": TensorProto.DOUBLE}[dtype]
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["z"])]
    data = graph(nodes, ["N", 6], [("z", number, ["N", 4])], {"W": W, "b": b}, dtype=number)
    tolerance = 2e-2 if dtype == "float16" else 1e-6
    is_half = dtype == "float16"  # too coarse to bound
    return Export(data, (6,), lambda rows: rows @ W + b, dtype=dtype, tolerance=tolerance, is_bounded=not is_half)
