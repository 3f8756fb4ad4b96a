"""What one number a row is read as: by its graph, by its values, as told, or not at all."""

import re
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from algorithms.errors import Refused
from algorithms.seam.access import Access
from models.cards import Inspection, Meaning, ModelCard
from models.onnx.classifier import OnnxClassifier
from models.onnx.inspection import inspect
from models.onnx.network import Network, read
from models.opening import open_model
from tests.exports import graph

FLOAT = TensorProto.FLOAT
WHOLE = np.int64
NUMBERS = {
    "one": np.float32(1),
    "half": np.float32(0.5),
    "two": np.float32(2),
    "zero": np.float32(0),
    "minus": np.float32(-1),
    "hundred": np.float32(100),
    "three": np.float32(3),
    "third": np.float32(0.3),
    "thousandth": np.float32(0.001),
    "first": np.array([0], WHOLE),
    "second": np.array([1], WHOLE),
    "third_place": np.array([2], WHOLE),
    "outer": np.array([0, 2], WHOLE),
    "apart": np.array([[-1], [1]], np.float32),
    "shares": np.array([[0.9], [0.5], [0.1]], np.float32),
    "stars": np.array([[0], [50], [100]], np.float32),
    "head": np.array([[1.5], [-2], [0.5]], np.float32),
}


def node(op: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), [output], **attributes)


SOFTMAX = node("Softmax", "z", "p", axis=1)
SIGMOID = node("Sigmoid", "z", "p")
SHARES = [node("Softplus", "z", "s"), node("ReduceSum", "s second", "t"), node("Div", "s t", "q")]
MIDDLE = [node("Add", "s one", "t"), node("Mul", "t half", "y")]  # [-1, 1] -> [0, 1]
Case = tuple[int, list[onnx.NodeProto]]  # numbers of z, and what makes y of it

PROBABILITIES: dict[str, Case] = {
    "sigmoid": (1, [node("Sigmoid", "z", "y")]),
    "the rest of a sigmoid": (1, [SIGMOID, node("Sub", "one p", "y")]),
    "sigmoid by hand": (
        1,
        [node("Neg", "z", "n"), node("Exp", "n", "e"), node("Add", "e one", "d"), node("Div", "one d", "y")],
    ),
    "half of one and a tanh": (1, [node("Tanh", "z", "s"), *MIDDLE]),
    "probit": (1, [node("Erf", "z", "s"), *MIDDLE]),
    "clipped": (1, [node("Clip", "z zero one", "y")]),
    "hard sigmoid": (1, [node("HardSigmoid", "z", "y")]),
    "column of two": (2, [SOFTMAX, node("Gather", "p second", "y", axis=1)]),
    "first column of two": (2, [SOFTMAX, node("Gather", "p first", "y", axis=1)]),
    "slice of two": (2, [SOFTMAX, node("Slice", "p second third_place second", "y")]),
    "column of three": (3, [SOFTMAX, node("Gather", "p second", "y", axis=1)]),
    "two of three": (3, [SOFTMAX, node("Gather", "p outer", "q", axis=1), node("ReduceSum", "q second", "y")]),
    "sum of two of three": (
        3,
        [SOFTMAX, *(node("Gather", f"p {i}", i[0], axis=1) for i in ("first", "second")), node("Add", "f s", "y")],
    ),
    "half the lead of a class, and a half": (2, [SOFTMAX, node("MatMul", "p apart", "s"), *MIDDLE]),
    "largest of three": (3, [SOFTMAX, node("ReduceMax", "p", "y", axes=[1])]),
    "mix of three": (3, [SOFTMAX, node("MatMul", "p shares", "y")]),
    "mean of sigmoids": (3, [SIGMOID, node("ReduceMean", "p", "y", axes=[1])]),
    "product of sigmoids": (3, [SIGMOID, node("ReduceProd", "p", "y", axes=[1])]),
    "largest sigmoid": (3, [SIGMOID, node("ReduceMax", "p", "y", axes=[1])]),
    "share of positive numbers": (
        3,
        [*SHARES, node("Gather", "q first", "y", axis=1)],
    ),
}  # fmt: skip
LOGITS: dict[str, Case] = {
    "linear": (1, [node("Identity", "z", "y")]),
    "a hidden layer of tanh": (3, [node("Tanh", "z", "h"), node("MatMul", "h head", "y")]),
    "a hidden layer of sigmoids": (3, [SIGMOID, node("MatMul", "p head", "y")]),
    "the larger of three": (3, [node("ReduceMax", "z", "y", axes=[1])]),
    "log odds": (
        1,
        [SIGMOID, node("Log", "p", "a"), node("Sub", "one p", "q"), node("Log", "q", "c"), node("Sub", "a c", "y")],
    ),
}
REFUSED: dict[str, Case] = {
    "tanh": (1, [node("Tanh", "z", "y")]),
    "a tanh that leaves [0, 1] only far away": (
        1,
        [node("Div", "z hundred", "s"), node("Add", "s third", "t"), node("Tanh", "t", "y")],
    ),
    "the lead of a class": (2, [SOFTMAX, node("MatMul", "p apart", "y")]),
    "stars": (3, [SOFTMAX, node("MatMul", "p stars", "y")]),
    "percent": (1, [SIGMOID, node("Mul", "p hundred", "y")]),
    "rectified": (1, [node("Relu", "z", "y")]),
    "a confidence of two classes": (2, [SOFTMAX, node("ReduceMax", "p", "y", axes=[1])]),
    "the larger of p and 1 - p": (1, [SIGMOID, node("Sub", "one p", "q"), node("Max", "p q", "y")]),
    "the smaller of p and 1 - p": (1, [SIGMOID, node("Sub", "one p", "q"), node("Min", "p q", "y")]),
    "p where it is above 1/2, else 1 - p": (
        1,
        [SIGMOID, node("Sub", "one p", "q"), node("Greater", "p half", "g"), node("Where", "g p q", "y")],
    ),
    "a log of a share": (2, [node("LogSoftmax", "z", "p", axis=1), node("Gather", "p second", "y", axis=1)]),
    "a log of two shares": (
        3,
        [
            node("LogSoftmax", "z", "p", axis=1),
            node("Gather", "p outer", "s", axis=1),
            node("ReduceLogSumExp", "s", "y", axes=[1]),
        ],
    ),
    "one over a probability": (
        1,
        [SIGMOID, node("Add", "p third", "s"), node("Pow", "s minus", "y")],
    ),
    "a bent tanh": (1, [node("Tanh", "z", "s"), node("PRelu", "s half", "y")]),
    "a product of doubled shares": (
        3,
        [SOFTMAX, node("Mul", "p hundred", "s"), node("ReduceProd", "s", "y", axes=[1])],
    ),
    "the same for every row": (1, [node("Mul", "z zero", "n"), node("Add", "n third", "y")]),
    "a soft-max of one": (1, [node("Softmax", "z", "y", axis=1)]),
}
GUESSED: Case = (1, [node("Sin", "z", "s"), node("Mul", "s s", "y")])  # by interval arithmetic, down to -1
STEP: Case = (1, [node("Greater", "z third", "g"), node("Cast", "g", "y", to=FLOAT)])


def exported(case: Case, opset: int = 13) -> bytes:
    width, nodes = case
    rng = np.random.default_rng(width)
    W, b = rng.normal(size=(5, width)).astype("f"), (rng.normal(size=width) * 0.2).astype("f")
    outputs = [("y", FLOAT, ["N", "M"])]
    return graph([node("Gemm", "x W b", "z"), *nodes], ["N", 5], outputs, {"W": W, "b": b, **NUMBERS}, opset=opset)


def seen(case: Case, told: Meaning | None = None) -> Inspection:
    return inspect(exported(case), preprocessing=None, told=told, device="cpu")


def asked(case: Case, told: Meaning | None = None) -> tuple[Network, OnnxClassifier]:
    network = read(onnx.load_from_string(exported(case)), None, told)
    return network, OnnxClassifier(network, None, "cpu")


def rows() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=(300, 5)) * rng.choice([0.1, 1, 30], (300, 1))).astype(np.float32)


def served(network: Network) -> np.ndarray:
    """p, as [1 - p, p] has it: the file's own number."""
    return network.session().ask(rows(), network.rebuilt.answer)[:, 1]


@pytest.mark.parametrize("name", PROBABILITIES)
def test_what_the_graph_holds_within_0_and_1_is_a_probability(name: str) -> None:
    found = seen(PROBABILITIES[name])
    assert (found.reads.as_, found.reads.because) == ("probability", "graph")
    assert (found.output.kind, found.output.classes) == ("probabilities", 2)
    network, model = asked(PROBABILITIES[name])
    p = served(network)
    np.testing.assert_array_equal(model.labels(rows()), p > 0.5)
    clear = np.abs(p - 0.5) > 1e-5
    scores = model.scores(rows())
    np.testing.assert_array_equal((scores[:, 1] > scores[:, 0])[clear], (p > 0.5)[clear])


RECOVERED = {
    name: PROBABILITIES[name]
    for name in (
        *("sigmoid", "the rest of a sigmoid", "sigmoid by hand", "half of one and a tanh", "probit"),
        *("column of two", "first column of two", "slice of two", "column of three"),
    )
}


@pytest.mark.parametrize("name", RECOVERED)
def test_the_logit_behind_a_probability_is_what_attacks_are_given(name: str) -> None:
    network, model = asked(RECOVERED[name])
    assert network.output.kind == "probabilities"
    assert not model.gives_probabilities
    p, scores = served(network).astype(float), model.scores(rows()).astype(float)
    margins = scores[:, 1] - scores[:, 0]
    assert np.abs(margins).max() > 20  # and not saturated, where the probability is 0 or 1
    if "tanh" not in name and name != "probit":  # those are logits of another scale
        inside = (p > 1e-4) & (p < 1 - 1e-4)
        np.testing.assert_allclose(margins[inside], np.log(p[inside] / (1 - p[inside])), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("name", LOGITS)
def test_a_linear_layers_number_is_a_logit_cut_at_0(name: str) -> None:
    found = seen(LOGITS[name])
    assert (found.reads.as_, found.reads.because, found.output.kind) == ("logit", "graph", "logits")
    network, model = asked(LOGITS[name])
    z = served(network)
    there = np.isfinite(z)
    np.testing.assert_array_equal(model.labels(rows())[there], (z > 0)[there])


@pytest.mark.parametrize("name", REFUSED)
def test_what_neither_graph_nor_values_settle_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(Refused, match=r"a number for each class") as error:
        seen(REFUSED[name])
    assert error.value.code == "unsupported_signature"
    ways = re.findall(r"output=(\w+)", error.value.detail)
    assert bool(ways) != ("Export the probability of class 1" in error.value.detail)
    for told in ways:  # each of them is taken, if one of a constant model can be
        assert seen(REFUSED[name], told).reads.as_ == told


def test_what_is_0_or_1_by_the_graph_is_a_label() -> None:
    found = seen(STEP)
    assert (found.reads.as_, found.reads.because, found.offers) == ("label", "graph", (Access.LABELS,))
    _, model = asked(STEP)
    assert set(model.labels(rows()).tolist()) == {0, 1}


def test_a_guess_by_values_says_so_and_proves_nothing() -> None:
    found = seen(GUESSED)
    assert (found.reads.as_, found.reads.because) == ("probability", "values")
    assert found.offers == (Access.LABELS, Access.SCORES, Access.GRADIENTS)
    (withheld,) = found.withheld
    assert (withheld.offer, "output=probability" in withheld.reason) == (Access.BOUNDS, True)


@pytest.mark.parametrize(
    ("name", "told", "kind", "at"),
    [
        ("tanh", "decision", "logits", 0.0),
        ("tanh", "logit", "logits", 0.0),
        ("the lead of a class", "decision", "logits", 0.0),
        ("rectified", "decision", "logits", 0.0),
    ],
)
def test_what_was_told_settles_it(name: str, told: Meaning, kind: str, at: float) -> None:
    found = seen(REFUSED[name], told)
    assert (found.reads.as_, found.reads.because, found.output.kind) == (told, "told", kind)
    network, model = asked(REFUSED[name], told)
    np.testing.assert_array_equal(model.labels(rows()), served(network) > at)


def test_a_decision_is_passed_on_as_it_is() -> None:
    network, model = asked(REFUSED["tanh"], "decision")
    np.testing.assert_array_equal(model.scores(rows())[:, 0], 0.0)
    np.testing.assert_array_equal(model.scores(rows())[:, 1], served(network))


@pytest.mark.parametrize(
    ("case", "told", "why"),
    [
        (LOGITS["linear"], "probability", "below 0 or above 1"),
        (REFUSED["tanh"], "probability", "below 0 or above 1"),
        (PROBABILITIES["sigmoid"], "logit", "no number is below 0"),
        (PROBABILITIES["column of two"], "decision", "no number is below 0"),
        (LOGITS["linear"], "label", "fractions"),
        (REFUSED["percent"], "decision", "no number is below 0"),
        (REFUSED["a confidence of two classes"], "probability", "never crosses 1/2"),
        (REFUSED["a log of a share"], "logit", "no number is above 0"),
    ],
)
def test_what_was_told_and_cannot_be_is_refused(case: Case, told: Meaning, why: str) -> None:
    with pytest.raises(Refused, match=why) as error:
        seen(case, told)
    assert error.value.code == "unsupported_signature"


def test_a_number_that_is_whole_may_be_told_a_label() -> None:
    found = seen((2, [node("ArgMax", "z", "l", axis=1), node("Cast", "l", "y", to=FLOAT)]), "label")
    assert (found.reads.as_, found.reads.because, found.output.classes) == ("label", "told", 2)


def test_a_card_of_an_older_version_that_reads_otherwise_is_not_opened() -> None:
    data, found = exported(PROBABILITIES["column of two"]), seen(PROBABILITIES["column of two"])
    blank = ModelCard(
        id="mdl_1",
        kind="onnx",
        name="m",
        state="inspecting",
        sha256="0" * 64,
        size_bytes=1,
        created_at="2026-01-01T00:00:00Z",
    )
    older = found.model_copy(update={"output": found.output.model_copy(update={"kind": "logits"})})
    with pytest.raises(Refused, match="Upload it again"):
        open_model(blank.inspected(older), data, device="cpu")
    assert open_model(blank.inspected(found), data, device="cpu").classes == 2


def test_a_logit_too_small_to_show_in_the_probability_leads_nobody_astray() -> None:
    """sigmoid(1e-9) is 1/2 in float32: the file says class 0, and so do the scores that attacks are confirmed by."""
    data = graph([node("Sigmoid", "x", "y")], ["N", 1], [("y", FLOAT, ["N", 1])])
    model = OnnxClassifier(read(onnx.load_from_string(data), None), None, "cpu")
    tiny = np.array([[1e-9], [-1e-9], [1e-3], [-1e-3]], np.float32)
    assert model.labels(tiny).tolist() == [0, 0, 1, 0]
    assert model.scores(tiny).argmax(axis=1).tolist() == [0, 0, 1, 0]


def test_half_belongs_to_the_first_class() -> None:
    network, model = asked((1, [node("Mul", "z thousandth", "n"), node("Round", "n", "r"), node("Sigmoid", "r", "y")]))
    assert (served(network) == 0.5).all()
    assert (model.labels(rows()) == 0).all()


@pytest.mark.parametrize("opset", [9, 11, 13, 18, 21])
def test_a_column_of_a_soft_max_is_cut_out_in_any_opset(opset: int) -> None:
    for name in ("column of two", "first column of two", "column of three"):
        found = inspect(exported(PROBABILITIES[name], opset), preprocessing=None, device="cpu")
        assert found.reads.as_ == "probability"
        assert {Access.GRADIENTS, Access.BOUNDS} <= set(found.offers)


def test_far_rows_tell_a_small_logit_from_a_probability() -> None:
    """On ordinary rows it stays within [0, 1]."""
    found = seen((1, [node("Mul", "z thousandth", "s"), node("Add", "s half", "y")]), None)
    assert found.reads.as_ == "logit"


def test_scores_of_many_classes_are_told_like_one_number() -> None:
    case = (3, [node("Identity", "z", "y")])
    found = seen(case, "decision")
    assert (found.reads.as_, found.reads.because, found.output.kind) == ("decision", "told", "logits")
    with pytest.raises(Refused, match="they are logits"):
        seen(case, "probability")
    with pytest.raises(Refused, match="they are probabilities"):
        seen((3, [node("Softmax", "z", "y", axis=1)]), "logit")


def test_the_same_row_over_and_over_is_no_probability() -> None:
    weights = {"W": np.zeros((5, 2), "f"), "b": np.full(2, 0.5, "f")}
    data = graph([node("Gemm", "x W b", "y")], ["N", 5], [("y", FLOAT, ["N", 2])], weights)
    assert inspect(data, preprocessing=None, device="cpu").output.kind == "logits"
