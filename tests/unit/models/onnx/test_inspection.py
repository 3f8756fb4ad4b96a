"""What the card says: what is offered, what is withheld and why, and what is refused with a way out."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from algorithms.errors import Refused
from algorithms.seam.access import Access
from algorithms.seam.questions.margins import Region, Relaxation
from models.cards import Inspection, Preprocessing
from models.onnx.bounds.bounder import Bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import Array, graph, linear, old_linear, torch_export
from tests.residual import resnet18

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
Outputs = list[tuple[str, int, list[int | str] | None]]
GEMM = helper.make_node("Gemm", ["x", "W", "b"], ["z"])
W, b = linear()
WEIGHTS = {"W": W, "b": b}


def seen(data: bytes, preprocessing: Preprocessing | None = None) -> Inspection:
    return inspect(data, preprocessing=preprocessing, device=DEVICE)


def gemm(*more: onnx.NodeProto, outputs: Outputs, constants: dict[str, Array] | None = None, **rest: Any) -> bytes:
    return graph([GEMM, *more], ["N", 6], outputs, {**WEIGHTS, **(constants or {})}, **rest)


ARGMAX = helper.make_node("ArgMax", ["z"], ["label"], axis=1, keepdims=0)


def test_a_model_that_gives_out_labels_offers_them_and_says_how_to_have_more() -> None:
    found = seen(gemm(ARGMAX, outputs=[("label", INT, ["N"])]))
    assert found.offers == (Access.LABELS,)
    assert (found.output.kind, found.output.classes) == ("labels", 4)
    assert [w.offer for w in found.withheld] == [Access.SCORES, Access.GRADIENTS, Access.BOUNDS]
    assert all("export its scores" in w.reason for w in found.withheld)


def test_of_labels_and_scores_the_scores_are_taken() -> None:
    found = seen(gemm(ARGMAX, outputs=[("label", INT, ["N"]), ("z", FLOAT, ["N", 4])]))
    assert (found.output.name, found.output.kind) == ("z", "logits")
    assert Access.GRADIENTS in found.offers


def test_labels_with_no_graph_to_count_by_are_counted_on_probe_rows() -> None:
    nodes = [
        helper.make_node("ReduceSum", ["x", "axes"], ["s"], keepdims=0),
        helper.make_node("Greater", ["s", "two"], ["yes"]),
        helper.make_node("Cast", ["yes"], ["label"], to=INT),
    ]
    numbers = {"axes": np.array([1], np.int64), "two": np.float32(2)}
    found = seen(graph(nodes, ["N", 6], [("label", INT, ["N"])], numbers))
    assert (found.output.kind, found.output.classes) == ("labels", 2)


def test_gradients_and_bounds_are_withheld_with_the_operator_that_has_none() -> None:
    tree = helper.make_node("Normalizer", ["z"], ["p"], domain="ai.onnx.ml", norm="L1")
    found = seen(gemm(tree, outputs=[("p", FLOAT, ["N", 4])]))
    assert found.offers == (Access.LABELS, Access.SCORES)
    assert [(w.offer, w.reason) for w in found.withheld] == [
        (Access.GRADIENTS, "Gradients are not implemented for Normalizer."),
        (Access.BOUNDS, "Bounds are not implemented for Normalizer."),
    ]


def test_gradients_are_withheld_where_none_reaches_the_rows() -> None:
    steps = [
        helper.make_node("Cast", ["x"], ["whole"], to=INT),
        helper.make_node("Cast", ["whole"], ["back"], to=FLOAT),
        helper.make_node("Gemm", ["back", "W", "b"], ["z"]),
    ]
    found = seen(graph(steps, ["N", 6], [("z", FLOAT, ["N", 4])], WEIGHTS))
    assert found.offers == (Access.LABELS, Access.SCORES)
    assert "no gradient" in found.withheld[0].reason


def sparse() -> bytes:
    """A dense layer whose weights are stored sparsely."""
    model = onnx.load_from_string(gemm(outputs=[("z", FLOAT, ["N", 4])]))
    weights = next(tensor for tensor in model.graph.initializer if tensor.name == "W")
    model.graph.initializer.remove(weights)
    values = numpy_helper.from_array(W.ravel(), "W")
    indices = numpy_helper.from_array(np.arange(W.size), "W_indices")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, list(W.shape)))
    return model.SerializeToString()


def test_bounds_are_withheld_where_a_constant_is_sparse() -> None:
    found = seen(sparse())
    assert Access.SCORES in found.offers
    assert found.withheld[-1].reason == "Bounds are not implemented for Gemm with a sparse constant."


def test_bounds_that_stumble_are_withheld_and_the_model_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = gemm(outputs=[("z", FLOAT, ["N", 4])])
    for stumbling in ("models.onnx.bounds.bounder.plan", "models.onnx.bounds.bounder.propagate"):
        with monkeypatch.context() as patched:
            patched.setattr(stumbling, lambda *_: [][0])
            found = seen(data)
        assert found.offers == (Access.LABELS, Access.SCORES, Access.GRADIENTS)
        assert "bounds" in found.withheld[0].reason


def asked(data: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Inspection, list[int]]:
    """What the card says, and how many margins it took, question by question."""
    counts, margins = [], Bounder.margins

    def counted(self: Bounder, region: Region, labels: Array, rivals: Array, relaxation: Relaxation) -> Array:
        counts.append(rivals.size)
        return margins(self, region, labels, rivals, relaxation)

    with monkeypatch.context() as patched:
        patched.setattr(Bounder, "margins", counted)
        return seen(data), counts


def test_bounds_are_tried_on_few_margins_however_many_classes_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, bias = linear(16, 10_000)
    data = graph([GEMM], ["N", 16], [("z", FLOAT, ["N", 10_000])], {"W": weights, "b": bias})
    found, counts = asked(data, monkeypatch)
    assert found.offers == (Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS)
    assert counts == [8, 8]


def test_a_residual_network_offers_bounds_after_few_margins(monkeypatch: pytest.MonkeyPatch) -> None:
    found, counts = asked(resnet18(width=32), monkeypatch)
    assert found.offers == (Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS)
    assert counts == [8, 8]


def test_bounds_that_take_too_much_of_one_sample_are_withheld_by_count(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, bias = linear(800, 10_000)
    data = graph([GEMM], ["N", 800], [("z", FLOAT, ["N", 10_000])], {"W": weights, "b": bias})
    found, counts = asked(data, monkeypatch)
    assert found.offers == (Access.LABELS, Access.SCORES, Access.GRADIENTS)
    assert not counts
    assert "80 billion multiplications" in found.withheld[0].reason


def test_a_staircase_offers_its_gradients_of_zero_for_methods_to_notice() -> None:
    steps = [helper.make_node("Round", ["x"], ["r"]), helper.make_node("Gemm", ["r", "W", "b"], ["z"])]
    found = seen(graph(steps, ["N", 6], [("z", FLOAT, ["N", 4])], WEIGHTS))
    assert Access.GRADIENTS in found.offers


def test_a_batch_that_cannot_be_freed_is_named_and_asked_in_its_own_size() -> None:
    """A constant of the batch's size is added to every row of the batch."""
    add = helper.make_node("Concat", ["z", "tail"], ["out"], axis=1)
    tail = np.zeros((3, 1), np.float32)
    data = graph([GEMM, add], [3, 6], [("out", FLOAT, [3, 5])], {**WEIGHTS, "tail": tail})
    found = seen(data)
    assert found.input.batch == 3
    assert found.offers == (Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS)
    network = read(onnx.load_from_string(data), None)
    rows = np.random.default_rng(0).random((8, 6), dtype=np.float32)
    expected = np.concatenate([rows @ W + b, np.zeros((8, 1), np.float32)], axis=1)
    np.testing.assert_allclose(network.session().ask(rows, str(network.rebuilt.scores)), expected, atol=1e-5)


def test_a_batch_said_to_be_free_but_held_to_one_row_is_freed() -> None:
    reshape = helper.make_node("Reshape", ["x", "one"], ["flat"])
    gemm_ = helper.make_node("Gemm", ["flat", "W", "b"], ["z"])
    data = graph(
        [reshape, gemm_], ["N", 2, 3], [("z", FLOAT, ["N", 4])], {**WEIGHTS, "one": np.array([1, 6], np.int64)}
    )
    assert seen(data).input.batch is None


@pytest.mark.parametrize("per_channel", [False, True])
def test_preprocessing_is_part_of_scores_labels_and_gradients(per_channel: bool) -> None:
    export = torch_export("cnn", "classic", 13)
    subtract, divide = ([0.1, 0.2, 0.3], [2.0, 4.0, 0.5]) if per_channel else (0.5, 0.25)
    wanted = Preprocessing(subtract=subtract, divide=divide)
    network = read(onnx.load_from_string(export.data), wanted)
    rows = np.random.default_rng(0).random((5, *export.shape), dtype=np.float32)
    shaped = [np.reshape(np.float32(v), (-1, 1, 1)) for v in (subtract, divide)]
    expected = export.logits(((rows - shaped[0]) / shaped[1]).astype(np.float32))
    np.testing.assert_allclose(network.session().ask(rows, str(network.rebuilt.scores)), expected, atol=1e-4)
    assert Access.GRADIENTS in seen(export.data, wanted).offers


def channels_last(height: int) -> bytes:
    """An image (height, 8, 3), averaged over its pixels, and a dense layer on the three channels."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["mean", "V"], ["z"]),
    ]
    return graph(nodes, ["N", height, 8, 3], [("z", FLOAT, ["N", 4])], {"V": W[:3]})


@pytest.mark.parametrize("height", [8, 5])
def test_one_number_a_channel_is_taken_where_the_shape_shows_that_channels_are_last(height: int) -> None:
    wanted = Preprocessing(subtract=[0.5, 0.25, 0.125], divide=[0.5, 0.25, 2.0])
    data = channels_last(height)
    network = read(onnx.load_from_string(data), wanted)
    rows = np.random.default_rng(0).random((5, height, 8, 3), dtype=np.float32)
    expected = ((rows - np.float32(wanted.subtract)) / np.float32(wanted.divide)).mean((1, 2)) @ W[:3]
    np.testing.assert_allclose(network.session().ask(rows, str(network.rebuilt.scores)), expected, atol=1e-5)
    assert Access.GRADIENTS in seen(data, wanted).offers


def test_a_list_as_long_as_the_first_axis_still_runs_along_it() -> None:
    numbers = [float(n) for n in range(8)]
    network = read(onnx.load_from_string(channels_last(8)), Preprocessing(subtract=numbers))
    rows = np.zeros((2, 8, 8, 3), np.float32)
    expected = np.full((2, 3), -np.mean(numbers), np.float32) @ W[:3]
    np.testing.assert_allclose(network.session().ask(rows, str(network.rebuilt.scores)), expected, rtol=1e-5)


def test_preprocessing_of_another_number_of_channels_is_refused() -> None:
    with pytest.raises(Refused, match=r"has 2 numbers, and rows have the shape .3, 8, 8.: .* the 3 entries") as refused:
        seen(torch_export("cnn", "classic", 13).data, Preprocessing(subtract=[0.1, 0.2]))
    assert refused.value.code == "shape_mismatch"


def test_labels_are_the_files_own_where_its_probabilities_saturate() -> None:
    """Both sigmoids are exactly 1: the file's argmax is the first class, though the second logit is larger."""
    bias = np.array([30.0, 60.0, -60.0, -60.0], np.float32)
    sigmoid = helper.make_node("Sigmoid", ["z"], ["p"])
    data = gemm(sigmoid, outputs=[("p", FLOAT, ["N", 4])], constants={"b": bias, "W": 0 * W})
    network = read(onnx.load_from_string(data), None)
    rows = np.zeros((2, 6), np.float32)
    session = network.session()
    assert (session.ask(rows, network.rebuilt.answer).argmax(axis=1) == 0).all()
    np.testing.assert_array_equal(session.ask(rows, str(network.rebuilt.scores)), np.stack([bias, bias]))


@pytest.mark.parametrize(("factor", "gives"), [(None, False), (1.0, True)], ids=["led round", "hidden"])
def test_scores_are_probabilities_only_where_the_logits_behind_are_not_found(factor: float | None, gives: bool) -> None:
    nodes, constants = [helper.make_node("Softmax", ["z"], ["p"], axis=1)], {}
    if factor is not None:
        nodes, constants = [*nodes, helper.make_node("Mul", ["p", "factor"], ["q"])], {"factor": np.float32(factor)}
    data = gemm(*nodes, outputs=[(nodes[-1].output[0], FLOAT, ["N", 4])], constants=constants)
    network = read(onnx.load_from_string(data), None)
    assert network.output.kind == "probabilities"
    assert OnnxClassifier(network, None, DEVICE).gives_probabilities is gives


REFUSED: dict[str, tuple[bytes, str, str]] = {
    "two inputs": (
        helper.make_model(
            helper.make_graph(
                [helper.make_node("Add", ["x", "y"], ["z"])],
                "g",
                [helper.make_tensor_value_info(name, FLOAT, ["N", 4]) for name in "xy"],
                [helper.make_tensor_value_info("z", FLOAT, ["N", 4])],
            ),
            opset_imports=[helper.make_opsetid("", 13)],
            ir_version=8,
        ).SerializeToString(),
        "unsupported_signature",
        "has 2 inputs",
    ),
    "an integer input": (
        graph([helper.make_node("Cast", ["x"], ["z"], to=FLOAT)], ["N", 4], [("z", FLOAT, ["N", 4])], dtype=INT),
        "unsupported_signature",
        "int64",
    ),
    "no batch axis": (
        graph([helper.make_node("Relu", ["x"], ["z"])], [4], [("z", FLOAT, [4])]),
        "unsupported_signature",
        "no batch axis",
    ),
    "an open axis": (
        graph([helper.make_node("Relu", ["x"], ["z"])], ["N", "M"], [("z", FLOAT, ["N", "M"])]),
        "unsupported_signature",
        "no fixed size",
    ),
    "an image for an output": (
        graph([helper.make_node("Relu", ["x"], ["z"])], ["N", 3, 4, 4], [("z", FLOAT, ["N", 3, 4, 4])]),
        "unsupported_signature",
        r"\[N, 3, 4, 4\]",
    ),
    "two float outputs": (
        gemm(helper.make_node("Relu", ["z"], ["y"]), outputs=[("z", FLOAT, ["N", 4]), ("y", FLOAT, ["N", 4])]),
        "unsupported_signature",
        "export it with one",
    ),
    "scores that mix the rows of a batch": (
        gemm(helper.make_node("Softmax", ["z"], ["p"], axis=0), outputs=[("p", FLOAT, ["N", 4])]),
        "unsupported_signature",
        "depends on the other rows",
    ),
    "weights that are no numbers": (
        gemm(outputs=[("z", FLOAT, ["N", 4])], constants={"b": np.full(4, np.nan, np.float32)}),
        "model_invalid",
        "not finite",
    ),
    "shapes that do not fit": (
        graph(
            [helper.make_node("Reshape", ["x", "seven"], ["z"])],
            ["N", 6],
            [("z", FLOAT, ["N", 7])],
            {"seven": np.array([-1, 7], np.int64)},
        ),
        "model_invalid",
        "does not run",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_classifier_of_rows_is_refused_with_what_was_found(case: str) -> None:
    data, code, words = REFUSED[case]
    with pytest.raises(Refused, match=words) as refused:
        seen(data)
    assert refused.value.code == code


def test_opset_and_batch_are_on_the_card() -> None:
    found = seen(old_linear(10, batch=1).data)
    assert (found.opset, found.input.batch, found.input.name) == (10, None, "x")


THROUGH_TEXT = [
    helper.make_node("Cast", ["x"], ["text"], to=TensorProto.STRING),
    helper.make_node("Cast", ["text"], ["read"], to=FLOAT),
    helper.make_node("Gemm", ["read", "W", "b"], ["z"]),
]
THROUGH_FLOAT8 = [
    helper.make_node("Cast", ["x"], ["coarse"], to=TensorProto.FLOAT8E4M3FN),
    helper.make_node("Cast", ["coarse"], ["fine"], to=FLOAT),
    helper.make_node("Gemm", ["fine", "W", "b"], ["z"]),
]
OTHERWISE = [  # onnx2fx knows of no such clip
    helper.make_node("Unsqueeze", ["x", "first"], ["steps"]),
    helper.make_node("RNN", ["steps", "V", "R"], ["", "last"], hidden_size=4, clip=0.1),
    helper.make_node("Squeeze", ["last", "first"], ["z"]),
]
STEPS = {"first": np.array([0], np.int64), "V": W.T[None].copy(), "R": np.eye(4, dtype=np.float32)[None]}


@pytest.mark.parametrize(
    ("nodes", "operator"),
    [(THROUGH_TEXT, "Cast"), (THROUGH_FLOAT8, "Cast"), (OTHERWISE, "RNN")],
    ids=["fails while it runs", "fails to be converted", "answers otherwise"],
)
def test_what_fails_in_the_graph_rebuilt_for_gradients_costs_gradients_alone(
    nodes: list[onnx.NodeProto], operator: str
) -> None:
    found = seen(graph(nodes, ["N", 6], [("z", FLOAT, ["N", 4])], WEIGHTS | STEPS, opset=19))
    assert found.offers == (Access.LABELS, Access.SCORES)
    reasons = {withheld.offer: withheld.reason for withheld in found.withheld}
    assert f"at the operator {operator}" in reasons[Access.GRADIENTS]
    assert operator in reasons[Access.BOUNDS]


BFLOAT16 = TensorProto.BFLOAT16
IN_BFLOAT16 = [
    helper.make_node("Cast", ["x"], ["coarse"], to=BFLOAT16),
    helper.make_node("Cast", ["W"], ["V"], to=BFLOAT16),
    helper.make_node("MatMul", ["coarse", "V"], ["product"]),
    helper.make_node("Cast", ["product"], ["z"], to=FLOAT),
]


def test_a_model_that_computes_in_bfloat16_is_told_so() -> None:
    """The checker passes it, so there would be nothing to find with it."""
    with pytest.raises(Refused, match=r"computes in bfloat16.*float32 or float16") as refused:
        seen(graph(IN_BFLOAT16, ["N", 6], [("z", FLOAT, ["N", 4])], {"W": W}))
    assert refused.value.code == "model_invalid" and "checker" not in refused.value.detail


def test_a_model_that_onnxruntime_has_no_code_for_is_told_where_to_see_why() -> None:
    layout = helper.make_node("RNN", ["steps", "V", "R"], ["", "last"], hidden_size=4, layout=1)
    nodes = [
        helper.make_node("Unsqueeze", ["x", "second"], ["steps"]),
        layout,
        helper.make_node("Squeeze", ["last", "second"], ["z"]),
    ]
    weights = {**STEPS, "second": np.array([1], np.int64)}
    with pytest.raises(Refused, match="InferenceSession"):
        seen(graph(nodes, ["N", 6], [("z", FLOAT, ["N", 4])], weights, opset=17))
