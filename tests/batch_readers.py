"""Exports that read their batch size and compute with it, by torch's two exporters and as tf2onnx writes them."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from onnx import NodeProto, TensorProto, helper
from torch import Tensor, nn

from tests.exports import Array, Export, classic, dynamo, graph, linear

IMAGE, STEPS = (3, 6, 6), (5, 4)
CLASSES = 4


class Net(nn.Module):
    """A convolution, what is under test, and a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.within(torch.relu(self.first(x))))

    def within(self, h: Tensor) -> Tensor:
        """(n, 8, 6, 6) -> (n, 8)"""
        raise NotImplementedError


class ViewedByShape(Net):
    """h.view(h.shape[0], 8, -1)"""

    def within(self, h: Tensor) -> Tensor:
        return h.view(h.shape[0], 8, -1).mean(2)


class ReshapedBySize(Net):
    def within(self, h: Tensor) -> Tensor:
        return h.reshape(h.size(0), h.size(1), h.size(2) * h.size(3)).sum(2) / (h.numel() / h.size(0))


class FlattenedByHand(Net):
    def within(self, h: Tensor) -> Tensor:
        n, c, height, width = h.size()
        flat = h.permute(0, 2, 3, 1).contiguous().view(n * height * width, c)
        return torch.tanh(flat).view(n, height * width, c).mean(1)


class ShuffledChannels(Net):
    """As ShuffleNet does."""

    def within(self, h: Tensor) -> Tensor:
        n, c, height, width = h.shape
        h = h.view(n, 2, c // 2, height, width).transpose(1, 2).contiguous().view(n, -1, height, width)
        return h[:, :, 1:, ::2].mean((2, 3))


class ExpandedToken(Net):
    """A class token for each row, as in vision transformers, and attention scaled by what the shape says."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.places = nn.Parameter(torch.rand(1, 1, 8)), nn.Parameter(torch.rand(1, 5, 8))

    def within(self, h: Tensor) -> Tensor:
        h = nn.functional.avg_pool2d(h, 3).flatten(2).transpose(1, 2)  # (n, 4, 8)
        h = torch.cat([self.token.expand(h.shape[0], -1, -1), h], 1) + self.places
        weights = torch.softmax(h @ h.transpose(1, 2) / math.sqrt(h.shape[-1]), -1)
        return (weights @ h)[:, 0]


class Repeated(Net):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(1, 8, 8))

    def within(self, h: Tensor) -> Tensor:
        return torch.bmm(self.weight.repeat(h.shape[0], 1, 1), h.flatten(2)).mean(2)


class OnesBeside(Net):
    """A column of ones for each row."""

    def within(self, h: Tensor) -> Tensor:
        ones = torch.ones(h.shape[0], 1, dtype=h.dtype, device=h.device)
        return torch.cat([h.mean((2, 3))[:, :7], 0.5 * ones], 1)


class RangeOfRows(Net):
    """Each row looked up by its own number."""

    def within(self, h: Tensor) -> Tensor:
        rows = torch.arange(h.shape[0], device=h.device)
        return h.flatten(2)[rows, :, 3] + h.mean((2, 3))


class Recurrent(nn.Module):
    """Steps by hand, from a state of zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.on, self.last = nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        state = torch.zeros(x.size(0), 8, dtype=x.dtype, device=x.device)
        for step in range(5):
            state = torch.tanh(self.into(x[:, step]) + self.on(state))
        return self.last(state)


class Gru(nn.Module):
    """With a state to start from of the batch's size."""

    def __init__(self) -> None:
        super().__init__()
        self.steps, self.last = nn.GRU(4, 8, batch_first=True), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        start = torch.zeros(1, x.shape[0], 8, dtype=x.dtype, device=x.device)
        return self.last(self.steps(x, start)[0][:, -1])


class MaskedSteps(nn.Module):
    """Attention that does not look ahead: a mask made for as many rows and steps as there are."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        n, steps, _ = x.shape
        ahead = torch.triu(torch.ones(steps, steps, device=x.device), 1).expand(n, steps, steps)
        likeness = (x @ x.transpose(1, 2)).masked_fill(ahead > 0, -1e4)
        return self.last((torch.softmax(likeness, -1) @ x).sum(1))


TORCH: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "viewed by shape": (ViewedByShape, IMAGE),
    "reshaped by size": (ReshapedBySize, IMAGE),
    "flattened by hand": (FlattenedByHand, IMAGE),
    "shuffled channels": (ShuffledChannels, IMAGE),
    "expanded token": (ExpandedToken, IMAGE),
    "repeated weight": (Repeated, IMAGE),
    "ones beside": (OnesBeside, IMAGE),
    "range of rows": (RangeOfRows, IMAGE),
    "recurrent by hand": (Recurrent, STEPS),
    "GRU": (Gru, STEPS),
    "masked steps": (MaskedSteps, STEPS),
}

UNBOUNDED = (("range of rows", "classic"),)  # by what it does with the batch axis


def torch_reader(net: str, exporter: str) -> Export:
    build, shape = TORCH[net]
    with torch.random.fork_rng():
        torch.manual_seed(2)
        module = build().eval()
        example = torch.rand(3, *shape)
    data = dynamo(module, example, 18, True) if exporter == "dynamo" else classic(module, example, 17, True)

    def logits(rows: Array) -> Array:
        with torch.no_grad():
            return module(torch.from_numpy(rows)).numpy()

    return Export(data, shape, logits, classes=CLASSES, is_bounded=(net, exporter) not in UNBOUNDED)


def _node(op: str, inputs: str, outputs: str, **attributes: object) -> NodeProto:
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def _sizes(value: str) -> list[NodeProto]:
    """The number of rows, as tf2onnx reads it: `n` () and `n1` (1,), int32 as in TensorFlow."""
    return [
        _node("Shape", value, "shape64"),
        _node("Cast", "shape64", "shape", to=TensorProto.INT32),
        _node("Slice", "shape zero1 one1 zero1", "n1"),
        _node("Squeeze", "n1 zero1", "n"),
    ]


COUNTS = {"zero1": np.array([0], np.int64), "one1": np.array([1], np.int64), "minus": np.array([-1], np.int32)}
W, B = linear()


def _packed() -> Export:
    """tf.reshape(x, [tf.shape(x)[0], 6])"""
    nodes = [
        *_sizes("x"),
        _node("Unsqueeze", "n zero1", "packed0"),
        _node("Concat", "packed0 six", "packed", axis=0),
        _node("Cast", "packed", "target", to=TensorProto.INT64),
        _node("Reshape", "x target", "flat"),
        _node("MatMul", "flat W", "product"),
        _node("Add", "product b", "z"),
    ]
    return _written(nodes, (2, 3), {"six": np.array([6], np.int32)}, lambda rows: rows.reshape(len(rows), 6) @ W + B)


def _filled() -> Export:
    """tf.concat([x[:, :5], tf.fill([n, 1], 0.5)], 1), the fill by Expand and by ConstantOfShape."""
    nodes = [
        *_sizes("x"),
        _node("Unsqueeze", "n zero1", "n_again"),
        _node("Concat", "n_again one32", "dims32", axis=0),
        _node("Cast", "dims32", "dims", to=TensorProto.INT64),
        _node("Expand", "half dims", "filled"),
        helper.make_node("ConstantOfShape", ["dims"], ["ones"], value=helper.make_tensor("v", 1, [1], [1.0])),
        _node("Mul", "filled ones", "column"),
        _node("Slice", "x zero1 five one1", "five_first"),
        _node("Concat", "five_first column", "joined", axis=1),
        _node("MatMul", "joined W", "product"),
        _node("Add", "product b", "z"),
    ]
    added = {"one32": np.array([1], np.int32), "half": np.float32(0.5).reshape(()), "five": np.array([5], np.int64)}

    def logits(rows: Array) -> Array:
        return np.concatenate([rows[:, :5], np.full((len(rows), 1), 0.5, np.float32)], 1) @ W + B

    return _written(nodes, (6,), added, logits)


def _tiled() -> Export:
    """tf.tile(weights, [n, 1, 1]), a product for each row, and a range over the rows to look them up by."""
    nodes = [
        *_sizes("x"),
        _node("Unsqueeze", "n zero1", "n_again"),
        _node("Cast", "n_again", "n64", to=TensorProto.INT64),
        _node("Concat", "n64 one1 one1", "repeats", axis=0),
        _node("Tile", "W3 repeats", "tiled"),
        _node("Range", "begin n step", "rows32"),
        _node("Cast", "rows32", "rows", to=TensorProto.INT64),
        _node("Gather", "x rows", "picked", axis=0),
        _node("Unsqueeze", "picked one1", "thin"),
        _node("MatMul", "thin tiled", "product"),
        _node("Squeeze", "product one1", "flat"),
        _node("Add", "flat b", "z"),
    ]
    added = {"W3": W[None], "begin": np.int32(0).reshape(()), "step": np.int32(1).reshape(())}
    return replace(_written(nodes, (6,), added, lambda rows: rows @ W + B), is_bounded=False)


def _divided() -> Export:
    """A mean over a row by the sizes: sum / (size / n), in floating-point numbers."""
    nodes = [
        *_sizes("x"),
        _node("Size", "x", "size"),
        _node("Cast", "size", "size_float", to=TensorProto.FLOAT),
        _node("Cast", "n", "n_float", to=TensorProto.FLOAT),
        _node("Div", "size_float n_float", "a_row"),
        _node("Div", "x a_row", "scaled"),
        _node("MatMul", "scaled W", "product"),
        _node("Add", "product b", "z"),
    ]
    return _written(nodes, (6,), {}, lambda rows: rows / 6 @ W + B)


def _written(
    nodes: list[NodeProto], shape: tuple[int, ...], added: dict[str, Array], logits: Callable[[Array], Array]
) -> Export:
    known = COUNTS | {"W": W, "b": B} | added
    read = {name for node in nodes for name in node.input}
    constants = {name: np.asarray(value) for name, value in known.items() if name in read}
    data = graph(nodes, ["N", *shape], [("z", TensorProto.FLOAT, ["N", CLASSES])], constants)
    return Export(data, shape, logits, classes=CLASSES)


READERS: dict[str, Callable[[], Export]] = {
    **{f"{net}, classic": lambda net=net: torch_reader(net, "classic") for net in TORCH},  # type: ignore[misc]
    **{f"{net}, dynamo": lambda net=net: torch_reader(net, "dynamo") for net in TORCH},  # type: ignore[misc]
    "packed, tf2onnx": _packed,
    "filled, tf2onnx": _filled,
    "tiled, tf2onnx": _tiled,
    "divided, tf2onnx": _divided,
}
