"""What follows from the number of rows alone becomes a constant, and nothing else does."""

import numpy as np
import onnx
import pytest
import torch
from onnx import NodeProto, TensorProto, helper

from models.onnx import probes
from models.onnx.gradients.conversion import convert
from models.onnx.gradients.folding import fold
from models.onnx.gradients.numbers_of_rows import known_by_number
from models.onnx.session import run_all
from tests.exports import graph, linear

W, B = linear()
ROWS = probes.rows((6,), 8)
TWO = helper.make_tensor("two", TensorProto.FLOAT, [1], [2.0])


def node(op: str, inputs: str, output: str, **attributes: object) -> NodeProto:
    return helper.make_node(op, inputs.split(), [output], **attributes)


SHAPED = [node("Shape", "x", "shape"), node("Gather", "shape first", "n")]
DENSE = [node("MatMul", "x W", "product"), node("Add", "product shift", "z")]
# name -> (nodes that make `shift` (n, 4) or (n, 1), the names that are known by number and read by the rest)
GRAPHS: dict[str, tuple[list[NodeProto], list[str]]] = {
    "a constant of that size": (
        [*SHAPED, node("Concat", "n four", "size", axis=0), node("ConstantOfShape", "size", "shift", value=TWO)],
        ["shift"],
    ),
    "weights repeated for each row": (
        [*SHAPED, node("Concat", "n one", "times", axis=0), node("Tile", "b times", "shift")],
        ["times"],
    ),
    "a target of a Reshape": (
        [
            *SHAPED,
            node("Concat", "n one six", "size", axis=0),
            node("Reshape", "x size", "thick"),
            node("ReduceMax", "thick", "most", axes=[2]),
            node("ReduceMax", "most", "shift", axes=[1], keepdims=0),
        ],
        ["size"],
    ),
    "the shape of a value that has as many numbers as the rows say": (
        [
            node("NonZero", "x", "where"),
            node("Shape", "where", "shape"),
            node("Cast", "shape", "counts", to=1),
            node("ReduceMax", "counts", "shift", keepdims=0),
        ],
        [],
    ),
    "a range as long as the rows say": (
        [
            node("ReduceMax", "x", "most", keepdims=0),
            node("Range", "zero most step", "range"),
            node("Size", "range", "size"),
            node("Cast", "size", "shift", to=1),
        ],
        [],
    ),
    "chance": ([node("RandomNormal", "", "shift", shape=[4])], []),
}
CONSTANTS = {
    "first": np.array([0]),
    "one": np.array([1]),
    "four": np.array([4]),
    "six": np.array([6]),
    "zero": np.float32(0),
    "step": np.float32(0.1),
    "W": W,
    "b": B[None],
}


def model(name: str) -> onnx.ModelProto:
    nodes = [*GRAPHS[name][0], *DENSE]
    read = {value for each in nodes for value in each.input}
    held = {value: np.asarray(CONSTANTS[value]) for value in CONSTANTS if value in read}
    return onnx.load_from_string(graph(nodes, ["N", 6], [("z", TensorProto.FLOAT, ["N", 4])], held, opset=12))


@pytest.mark.parametrize("name", GRAPHS)
def test_only_what_follows_from_the_number_of_rows_is_known(name: str) -> None:
    assert known_by_number(model(name)) == GRAPHS[name][1]


@pytest.mark.parametrize("name", [name for name in GRAPHS if name != "chance"])
def test_a_folded_graph_answers_as_before(name: str) -> None:
    expected = run_all(model(name), ROWS)["z"]
    folded = model(name)
    fold(folded, ROWS)
    np.testing.assert_array_equal(run_all(folded, ROWS)["z"], expected)
    with torch.no_grad():
        converted = convert(model(name), ROWS)(torch.from_numpy(ROWS))
    np.testing.assert_allclose(converted.numpy(), expected, atol=1e-5)


def test_a_constant_that_is_an_axis_here_and_an_index_there_serves_as_both() -> None:
    nodes = [node("Gather", "x one", "picked", axis=1), node("ReduceSum", "x one", "sums"), *DENSE]
    nodes.insert(2, node("Mul", "picked sums", "shift"))
    held = {"one": np.array([1]), "W": W}
    made = onnx.load_from_string(graph(nodes, ["N", 6], [("z", TensorProto.FLOAT, ["N", 4])], held))
    with torch.no_grad():
        scores = convert(made, ROWS)(torch.from_numpy(ROWS)).numpy()
    np.testing.assert_allclose(scores, ROWS @ W + ROWS[:, [1]] * ROWS.sum(1, keepdims=True), atol=1e-5)
