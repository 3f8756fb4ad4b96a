"""Properties whose answer is known by hand are decided so, and a witness is answered as it says."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from algorithms.errors import Refused
from models.onnx.properties.deciding import decide
from models.onnx.properties.subject import subject
from models.onnx.properties.trial import within
from models.properties.conditions import PropertyCase
from tests.exports import graph


def distances() -> bytes:
    """y_0 = |x_0 - x_1|, y_1 = x_0 + x_1."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "v"], ["y"]),
    ]
    first = np.float32([[1, -1, 1, -1], [-1, 1, 1, -1]])
    second = np.float32([[1, 0], [1, 0], [0, 1], [0, -1]])
    return graph(nodes, [1, 1, 2], [("y", TensorProto.FLOAT, [1, 1, 2])], {"w": first, "v": second})


def shares() -> bytes:
    """A soft-max at the end, which no property may lose."""
    nodes = [helper.make_node("Softmax", ["x"], ["y"], axis=-1)]
    return graph(nodes, ["N", 2], [("y", TensorProto.FLOAT, ["N", 2])])


def box(low: float, high: float) -> str:
    return "".join(f"(assert (>= X_{i} {low})) (assert (<= X_{i} {high}))" for i in (0, 1))


def wanted(condition: str) -> str:
    return f"(assert {condition})"


CASES = {
    "no distance beyond the box": (distances(), box(0, 1) + wanted("(>= Y_0 1.001)"), "unsat"),
    "a distance in it": (distances(), box(0, 1) + wanted("(>= Y_0 0.99)"), "sat"),
    "not far apart and in the middle": (distances(), box(0, 1) + wanted("(and (>= Y_0 0.9) (<= Y_1 0.85))"), "unsat"),
    "far apart and near the middle": (distances(), box(0, 1) + wanted("(and (>= Y_0 0.9) (<= Y_1 0.95))"), "sat"),
    "neither of two": (distances(), box(0, 1) + wanted("(or (>= Y_1 2.001) (<= Y_0 -0.001))"), "unsat"),
    "one of two": (distances(), box(0, 1) + wanted("(or (>= Y_1 2.001) (<= Y_0 0.001))"), "sat"),
    "no share above 1": (shares(), box(-50, 50) + wanted("(>= Y_0 1.001)"), "unsat"),
    "one share is the other": (shares(), box(-5, 5) + wanted("(and (<= Y_0 Y_1) (>= Y_0 Y_1))"), "sat"),
    "an empty box": (distances(), box(1, 0) + wanted("(>= Y_0 0)"), "unsat"),
    "one point": (distances(), box(0.5, 0.5) + wanted("(<= Y_0 0)"), "sat"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_property_is_decided(name: str) -> None:
    data, text, answer = CASES[name]
    model = onnx.load_from_string(data)
    found = decide(model, text, lambda: False)
    assert found.answer == answer
    if answer == "sat":
        assert found.inputs is not None and found.outputs is not None
        np.testing.assert_array_equal(subject(model).answer(found.inputs[None])[0], found.outputs)


@pytest.mark.parametrize("seed", range(4))
def test_no_answer_of_random_networks_is_wrong(seed: int) -> None:
    """Held against a grid: what it reaches is not unsat, and a limit well beyond it is."""
    rng = np.random.default_rng(seed)
    wide = 8 if seed % 2 else 3
    weights = [rng.normal(size=shape).astype(np.float32) for shape in ((2, wide), (wide, wide), (wide, 2))]
    names = ["x", "a", "b", "c", "d", "y"]
    nodes = [
        helper.make_node("MatMul", [names[i], f"w{i // 2}"], [names[i + 1]])
        if i % 2 == 0
        else helper.make_node("Relu" if seed % 2 else "Tanh", [names[i]], [names[i + 1]])
        for i in range(5)
    ]
    constants = {f"w{i}": w for i, w in enumerate(weights)}
    data = graph(nodes, ["N", 2], [("y", TensorProto.FLOAT, ["N", 2])], constants)
    model = onnx.load_from_string(data)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 201, dtype=np.float32)] * 2), -1).reshape(-1, 2)
    gaps = np.diff(subject(model).answer(grid).astype(np.float64)).ravel()  # Y_1 - Y_0
    for limit, answer in ((gaps.max() - 0.01, "sat"), (gaps.max() + 0.5, "unsat")):
        text = box(-1, 1) + wanted(f"(>= (- Y_1 Y_0) {float(limit)})")
        assert decide(model, text, lambda: False).answer == answer


def test_what_has_too_many_conditions_is_attacked_and_unknown() -> None:
    data, _, _ = CASES["an empty box"]
    some = "(and (>= Y_0 3) (<= Y_1 -1) (>= Y_1 5))"
    found = decide(onnx.load_from_string(data), box(0, 1) + wanted(f"(or {some * 1366})"), lambda: False)
    assert found.answer == "unknown" and found.reason is not None and "4,096 conditions" in found.reason


def test_a_search_that_is_over_says_timeout() -> None:
    data, text, _ = CASES["not far apart and in the middle"]
    assert decide(onnx.load_from_string(data), text, lambda: True).answer == "timeout"


def moved(count: int) -> bytes:
    """y = relu(x): nothing is summed, and nothing rounds."""
    return graph([helper.make_node("Relu", ["x"], ["y"])], ["N", count], [("y", TensorProto.FLOAT, ["N", count])])


def three(first: float, last: float = 1.0) -> str:
    """A box of one point: a number that float64 loses beside ones, 1 and `last`."""
    return "".join(f"(assert (== X_{i} {value}))" for i, value in enumerate((first, 1.0, last)))


@pytest.mark.parametrize(
    "condition", ["(<= (+ Y_0 (- Y_1 Y_2)) 0)", "(<= (- (+ Y_0 Y_1) Y_2) 0)", "(>= (- (+ Y_0 Y_1) Y_2) 2e-20)"]
)
def test_a_sum_that_float64_loses_is_neither_a_witness_nor_a_proof(condition: str) -> None:
    point = np.float32([1e-20, 1, 1])
    found = decide(onnx.load_from_string(moved(3)), three(float(point[0])) + wanted(condition), lambda: False)
    assert found.answer in ("unsat", "unknown")  # the sum is 1e-20
    there = wanted("(>= (- (+ Y_0 Y_1) Y_2) 1e-21)")
    assert decide(onnx.load_from_string(moved(3)), three(float(point[0])) + there, lambda: False).answer != "unsat"


def test_a_point_that_is_no_number_is_moved_into_the_box() -> None:
    """Descents end in such points where slopes are infinite, and some conditions do not read the number."""
    case = PropertyCase(np.array([0.1, -1.0]), np.array([0.2, 1.0]), ())
    moved_in = within(np.array([[np.nan, np.inf]]), case)
    assert moved_in is not None and (case.lower <= moved_in).all() and (moved_in <= case.upper).all()


MIXING = {
    "every batch": (["N", 3], helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1)),
    "a fixed batch": ([2, 3], helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1)),
}


@pytest.mark.parametrize("name", MIXING)
def test_a_graph_whose_rows_are_answered_together_is_refused(name: str) -> None:
    shape, node = MIXING[name]
    nodes = [node, helper.make_node("Sub", ["x", "m"], ["y"])]
    data = graph(nodes, shape, [("y", TensorProto.FLOAT, shape)])
    text = "".join(f"(assert (>= X_{i} 0)) (assert (<= X_{i} 1))" for i in range(3)) + wanted("(>= Y_0 0.2)")
    with pytest.raises(Refused, match="other rows of its batch"):
        decide(onnx.load_from_string(data), text, lambda: False)


def test_an_output_without_a_row_for_each_row_is_refused() -> None:
    node = helper.make_node("ReduceMean", ["x"], ["y"], axes=[0], keepdims=1)
    data = graph([node], [2, 2], [("y", TensorProto.FLOAT, [1, 2])])
    with pytest.raises(Refused, match="a row for each row"):
        decide(onnx.load_from_string(data), box(0, 1) + wanted("(>= Y_0 0.2)"), lambda: False)
