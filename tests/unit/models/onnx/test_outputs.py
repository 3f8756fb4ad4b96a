"""Of several outputs the one that speaks is found: labels are the file's own, whatever stands beside them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from algorithms.errors import Refused
from algorithms.seam.access import Access
from models.cards import Inspection, Meaning, Preprocessing
from models.onnx.classifier import OnnxClassifier
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import Array, graph, linear

FLOAT, INT, TEXT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING, TensorProto.BOOL
W, b = linear()
ROWS = np.random.default_rng(8).normal(size=(200, 6)).astype(np.float32)
Z = ROWS @ W + b
BEST = Z.argmax(axis=1)
P2 = 1 / (1 + np.exp(Z[:, 0] - Z[:, 1]))  # of the second of two classes

SOFTMAX = helper.make_node("Softmax", ["z"], ["p"], axis=1)
BEST_P = helper.make_node("ArgMax", ["p"], ["label"], axis=1, keepdims=0)
BEST_Z = helper.make_node("ArgMax", ["z"], ["label"], axis=1, keepdims=0)
BEST_Z_AS_BEST = helper.make_node("ArgMax", ["z"], ["best"], axis=1, keepdims=0)
LABEL = ("label", INT, ["N"])
LABELS, SCORES, GRADIENTS, BOUNDS = Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS
ALL, UNPROVEN = (LABELS, SCORES, GRADIENTS, BOUNDS), (LABELS, SCORES, GRADIENTS)


def classifier(
    *nodes: onnx.NodeProto, outputs: list[Any], classes: int = 4, encodes: bool = False, **constants: Any
) -> bytes:
    """A linear model z of 4 classes, or of the first 2, with more nodes behind it."""
    numbers = {name: np.asarray(number) for name, number in constants.items()}
    weights = {"W": np.ascontiguousarray(W[:, :classes]), "b": b[:classes]}
    first = helper.make_node("Gemm", ["x", "W", "b"], ["z"])
    data = graph([first, *nodes], ["N", 6], outputs, {**weights, **numbers})
    if not encodes:
        return data
    model = onnx.load_from_string(data)
    next(each for each in model.opset_import if each.domain == "ai.onnx.ml").version = 2
    return model.SerializeToString()


def threshold(limit: float, *, alone: bool, op: str = "Greater") -> bytes:
    """The probability of class 1, alone [N] or beside that of class 0, and a label that is 1 from a limit on."""
    nodes = [
        SOFTMAX,
        helper.make_node("Gather", ["p", "one"], ["q"], axis=1),
        helper.make_node(op, ["q", "limit"], ["yes"]),
        helper.make_node("Cast", ["yes"], ["label"], to=INT),
    ]
    scores = ("q", FLOAT, ["N"]) if alone else ("p", FLOAT, ["N", 2])
    return classifier(*nodes, outputs=[scores, LABEL], classes=2, one=1, limit=np.float32(limit))


def abstaining() -> bytes:
    """Logits, and a label that is -1 where none of them is above 1."""
    nodes = [
        BEST_Z_AS_BEST,
        helper.make_node("ReduceMax", ["z"], ["most"], axes=[1], keepdims=0),
        helper.make_node("Less", ["most", "limit"], ["is_low"]),
        helper.make_node("Where", ["is_low", "none", "best"], ["label"]),
    ]
    return classifier(*nodes, outputs=[("z", FLOAT, ["N", 4]), LABEL], limit=np.float32(1), none=-1)


def cut(score: str, limit: float) -> bytes:
    """One logit z, its sigmoid q, and a label that is 1 above a limit."""
    nodes = [
        helper.make_node("Sigmoid", ["z"], ["q"]),
        helper.make_node("Greater", [score, "limit"], ["yes"]),
        helper.make_node("Cast", ["yes"], ["label"], to=INT),
    ]
    outputs = [(score, FLOAT, ["N", 1]), ("label", INT, ["N", 1])]
    return classifier(*nodes, outputs=outputs, classes=1, limit=np.float32(limit))


def named(names: list[str], *outputs: Any) -> bytes:
    encoder = helper.make_node(
        "LabelEncoder", ["label"], ["text"], domain="ai.onnx.ml", keys_int64s=[0, 1, 2, 3], values_strings=names
    )
    return classifier(BEST_Z, encoder, outputs=[("text", TEXT, ["N"]), *outputs], encodes=True)


def top(k: int, classes: int = 4) -> bytes:
    ranking = helper.make_node("TopK", ["p", "k"], ["values", "indices"], axis=1)
    outputs = [("values", FLOAT, ["N", k]), ("indices", INT, ["N", k])]
    return classifier(SOFTMAX, ranking, outputs=outputs, classes=classes, k=[k])


@dataclass(frozen=True)
class Case:
    data: bytes
    labels: Array
    offers: tuple[Access, ...] = (LABELS,)
    classes: int = 4
    differs: bool | None = None
    reads: tuple[str, str, str] = ("label", "label", "graph")
    told: Meaning | None = None
    withheld: dict[Access, str] = field(default_factory=dict)  # and a part of the reason


CONFIDENCE = helper.make_node("ReduceMax", ["p"], ["confidence"], axes=[1], keepdims=0)
CONFIDENT = [("confidence", FLOAT, ["N"]), LABEL]
TO_FLOAT = helper.make_node("Cast", ["label"], ["prediction"], to=FLOAT)
FEATURES = helper.make_node("Gemm", ["z", "V"], ["y"])
V = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)
BEST_Y = helper.make_node("ArgMax", ["y"], ["label"], axis=1, keepdims=0)
FIRST_Z = helper.make_node("Gather", ["z", "zero"], ["s"], axis=1)
SIGN = helper.make_node("Sign", ["s"], ["side"])
SIDE = helper.make_node("Cast", ["side"], ["label"], to=INT)
Z_OUT, P_OUT = ("z", FLOAT, ["N", 4]), ("p", FLOAT, ["N", 4])
NO_CLASS = {SCORES: "no score of a class", GRADIENTS: "no score of a class"}

CASES = {
    "a confidence and its class": Case(
        classifier(SOFTMAX, CONFIDENCE, BEST_P, outputs=CONFIDENT), BEST, withheld=NO_CLASS
    ),
    "a confidence of two": Case(
        classifier(SOFTMAX, CONFIDENCE, BEST_P, outputs=CONFIDENT, classes=2),
        Z[:, :2].argmax(axis=1),
        classes=2,
        differs=True,
        withheld=NO_CLASS,
    ),
    **{f"the {k} likeliest": Case(top(k), BEST, reads=("indices", "label", "graph")) for k in (1, 2, 3, 4)},
    "two of two": Case(top(2, 2), Z[:, :2].argmax(axis=1), classes=2, reads=("indices", "label", "graph")),
    "probabilities, and the largest logit": Case(
        classifier(SOFTMAX, BEST_Z, outputs=[P_OUT, LABEL]),
        BEST,
        ALL,
        differs=False,
        reads=("p", "probabilities", "graph"),
    ),
    "logits, and the largest probability": Case(
        classifier(SOFTMAX, BEST_P, outputs=[Z_OUT, LABEL]), BEST, ALL, differs=False, reads=("z", "logits", "graph")
    ),
    "logits and probabilities": Case(
        classifier(SOFTMAX, outputs=[P_OUT, Z_OUT]), BEST, ALL, reads=("z", "logits", "graph")
    ),
    "both, and a prediction as a float": Case(
        classifier(SOFTMAX, BEST_P, TO_FLOAT, outputs=[("prediction", FLOAT, ["N"]), P_OUT, Z_OUT]),
        BEST,
        ALL,
        differs=False,
        reads=("z", "logits", "graph"),
    ),
    "features beside scores and label": Case(
        classifier(FEATURES, BEST_Y, outputs=[Z_OUT, ("y", FLOAT, ["N", 3]), LABEL], V=V),
        (Z @ V).argmax(axis=1),
        ALL,
        classes=3,
        differs=False,
        reads=("y", "logits", "graph"),
    ),
    **{
        f"a threshold of {limit}{' of one number' if alone else ''}": Case(
            threshold(limit, alone=alone), (P2 > limit).astype(int), UNPROVEN, classes=2, differs=True
        )
        for limit in (0.3, 0.501, 0.55, 0.95)
        for alone in (False, True)
    },
    "a threshold from above": Case(
        threshold(0.4, alone=True, op="Less"), (P2 < 0.4).astype(int), UNPROVEN, classes=2, differs=True
    ),
    "a threshold of one half": Case(
        threshold(0.5, alone=False),
        (P2 > 0.5).astype(int),
        UNPROVEN,
        classes=2,
        differs=False,
        withheld={BOUNDS: "would prove nothing"},
    ),
    "probabilities by request": Case(
        threshold(0.7, alone=False),
        (P2 > 0.5).astype(int),
        ALL,
        classes=2,
        differs=True,
        reads=("p", "probabilities", "told"),
        told="probability",
    ),
    "a label by request": Case(
        threshold(0.7, alone=False), (P2 > 0.7).astype(int), classes=2, reads=("label", "label", "told"), told="label"
    ),
    "texts": Case(named(["d", "c", "b", "a"]), BEST, reads=("text", "label", "graph")),
    "texts and scores": Case(
        named(["d", "c", "b", "a"], Z_OUT), BEST, ALL, differs=False, reads=("z", "logits", "graph")
    ),
    "a sign": Case(
        classifier(FIRST_Z, SIGN, SIDE, outputs=[LABEL, ("s", FLOAT, ["N"])], zero=0),
        (Z[:, 0] > 0).astype(int),
        UNPROVEN,
        classes=2,
        differs=False,
        reads=("label", "label", "values"),
    ),
    "another order": Case(
        classifier(
            helper.make_node("Gather", ["z", "order"], ["turned"], axis=1),
            helper.make_node("ArgMax", ["turned"], ["label"], axis=1, keepdims=0),
            outputs=[Z_OUT, LABEL],
            order=[2, 0, 3, 1],
        ),
        Z[:, [2, 0, 3, 1]].argmax(axis=1),
        UNPROVEN,
        differs=True,
    ),
    "yes or no": Case(
        classifier(
            SOFTMAX,
            helper.make_node("Gather", ["p", "one"], ["q"], axis=1),
            helper.make_node("GreaterOrEqual", ["q", "limit"], ["yes"]),
            outputs=[("yes", BOOL, ["N"])],
            classes=2,
            one=1,
            limit=np.float32(0.6),
        ),
        (P2 >= 0.6).astype(int),
        classes=2,
        reads=("yes", "label", "graph"),
    ),
    "a logit cut at 0": Case(
        cut("z", 0.0), (Z[:, 0] > 0).astype(int), ALL, classes=2, differs=False, reads=("z", "logit", "graph")
    ),
    "a sigmoid cut at one half": Case(
        cut("q", 0.5), (Z[:, 0] > 0).astype(int), ALL, classes=2, differs=False, reads=("q", "probability", "graph")
    ),
    "a logit cut at one half": Case(cut("z", 0.5), (Z[:, 0] > 0.5).astype(int), UNPROVEN, classes=2, differs=True),
    "logits by request, where the label may be none": Case(
        abstaining(), BEST, ALL, differs=True, reads=("z", "logits", "told"), told="logit"
    ),
    "a second number beside the scores": Case(
        classifier(SOFTMAX, CONFIDENCE, outputs=[P_OUT, CONFIDENT[0]]), BEST, ALL, reads=("p", "probabilities", "graph")
    ),
}


def seen(case: Case) -> Inspection:
    return inspect(case.data, preprocessing=None, told=case.told, device=DEVICE)


@pytest.mark.parametrize("name", CASES)
def test_the_label_that_is_served_is_found(name: str) -> None:
    case = CASES[name]
    found = seen(case)
    assert found.offers == case.offers, found.withheld
    assert found.output.classes == case.classes
    assert found.label_output_differs is case.differs
    assert (found.reads.output, found.reads.as_, found.reads.because) == case.reads
    reasons = {each.offer: each.reason for each in found.withheld}
    assert all(part in reasons[offer] for offer, part in case.withheld.items())

    model = OnnxClassifier(read(onnx.load_from_string(case.data), None, case.told), None, DEVICE)
    np.testing.assert_array_equal(model.labels(ROWS), case.labels)
    if SCORES in case.offers:
        np.testing.assert_array_equal(model.scores(ROWS).argmax(axis=1), case.labels)


def test_a_threshold_holds_behind_preprocessing() -> None:
    wanted = Preprocessing(subtract=0.5, divide=0.25)
    model = OnnxClassifier(read(onnx.load_from_string(threshold(0.55, alone=False)), wanted), None, DEVICE)
    rows = ROWS / 4 + np.float32(0.5)
    z = (rows - np.float32(0.5)) / np.float32(0.25) @ W + b
    expected = 1 / (1 + np.exp(z[:, 0] - z[:, 1])) > 0.55
    np.testing.assert_array_equal(model.labels(rows), expected)
    np.testing.assert_array_equal(model.scores(rows).argmax(axis=1), expected)


def test_scores_that_part_from_the_label_where_nobody_looked_name_the_label_all_the_same() -> None:
    """The label is class 3 where a feature is next to one number: no row that is drawn has it."""
    nodes = [
        BEST_Z_AS_BEST,
        helper.make_node("Gather", ["x", "zero"], ["first"], axis=1),
        helper.make_node("Add", ["first", "key"], ["away"]),
        helper.make_node("Abs", ["away"], ["far"]),
        helper.make_node("Less", ["far", "near"], ["is_key"]),
        helper.make_node("Where", ["is_key", "three", "best"], ["label"]),
    ]
    outputs = [("z", FLOAT, ["N", 4]), LABEL]
    data = classifier(*nodes, outputs=outputs, zero=0, three=3, key=np.float32(-0.123), near=np.float32(1e-6))
    found = inspect(data, preprocessing=None, device=DEVICE)
    assert found.label_output_differs is False
    assert BOUNDS not in found.offers
    model = OnnxClassifier(read(onnx.load_from_string(data), None), None, DEVICE)
    rows = ROWS.copy()
    rows[::2, 0] = 0.123
    expected = np.where(rows[:, 0] == np.float32(0.123), 3, (rows @ W + b).argmax(axis=1))
    np.testing.assert_array_equal(model.labels(rows), expected)
    np.testing.assert_array_equal(model.scores(rows).argmax(axis=1), expected)


REFUSED = {
    "two outputs of which none is made of the other": (
        classifier(FEATURES, outputs=[Z_OUT, ("y", FLOAT, ["N", 3])], V=V),
        "2 outputs that could be the classes' scores (float32 [N, 4], float32 [N, 3])",
    ),
    "a ranking from the other end": (
        classifier(
            helper.make_node("TopK", ["z", "k"], ["v", "i"], axis=1, largest=0),
            outputs=[("v", FLOAT, ["N", 2]), ("i", INT, ["N", 2])],
            k=[2],
        ),
        "does not begin with the likeliest",
    ),
    "the values of a ranking alone": (
        classifier(helper.make_node("TopK", ["z", "k"], ["v", "i"], axis=1), outputs=[("v", FLOAT, ["N", 2])], k=[2]),
        "No output has an axis of classes",
    ),
    "marks of another class": (
        classifier(
            helper.make_node("ArgMin", ["z"], ["worst"], axis=1, keepdims=0),
            helper.make_node("OneHot", ["worst", "four", "off_on"], ["marks"], axis=1),
            outputs=[Z_OUT, ("marks", INT, ["N", 4])],
            four=4,
            off_on=[0, 1],
        ),
        "mark another class",
    ),
    "a label that may be none": (abstaining(), "or upload it with output=logit"),
    "two labels": (
        classifier(
            BEST_Z,
            helper.make_node("ArgMin", ["z"], ["worst"], axis=1, keepdims=0),
            helper.make_node("Add", ["label", "worst"], ["one"]),
            helper.make_node("Mul", ["label", "worst"], ["other"]),
            outputs=[("one", INT, ["N"]), ("other", INT, ["N"])],
        ),
        "2 outputs that could be labels",
    ),
    "a class and its confidence in one row": (
        classifier(
            SOFTMAX,
            helper.make_node("ReduceMax", ["p"], ["sure"], axes=[1], keepdims=1),
            helper.make_node("ArgMax", ["p"], ["best"], axis=1, keepdims=1),
            helper.make_node("Cast", ["best"], ["number"], to=FLOAT),
            helper.make_node("Concat", ["number", "sure"], ["y"], axis=1),
            outputs=[("y", FLOAT, ["N", 2])],
        ),
        "joins the number of a class",
    ),
    "texts of no list": (
        classifier(
            helper.make_node("ReduceMax", ["z"], ["most"], axes=[1], keepdims=0),
            helper.make_node("Cast", ["most"], ["text"], to=TEXT),
            outputs=[("text", TEXT, ["N"])],
        ),
        "labels are texts",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_told_apart_is_refused_with_what_was_found(name: str) -> None:
    data, part = REFUSED[name]
    with pytest.raises(Refused) as refused:
        inspect(data, preprocessing=None, device=DEVICE)
    assert refused.value.code == "unsupported_signature"
    assert part in refused.value.detail
