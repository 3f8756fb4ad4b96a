"""Gradients through torch: right, the same alone and in company, and reduced as a brute-force Jacobian would be."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from algorithms.mathematics.norms import NORMS, Norm
from algorithms.mathematics.streams import Stream
from algorithms.seam.questions.gradient_norms import Ball, Differences
from algorithms.threats.threat import Box, Threat
from models.onnx.gradients.differentiator import Differentiator, differentiator
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import Export, classic, graph, linear, torch_export

UNIT = Box(np.zeros((), np.float32), np.ones((), np.float32))


def opened(export: Export) -> Differentiator:
    return differentiator(read(onnx.load_from_string(export.data), None), DEVICE)


def ball(shape: tuple[int, ...], n: int, norm: Norm = Norm.L2) -> Ball:
    x = np.full(shape, 0.5, np.float32)
    return Ball(x, 0.3, Threat(norm, UNIT), "radial", n, Stream(0, 0, "clever"), 0)


def norms(model: Differentiator, ball: Ball, label: int, rivals: np.ndarray) -> np.ndarray:
    return model.largest_gradient_norms([Differences(ball, label, rivals)])[0]


def jacobian(model: Differentiator, rows: np.ndarray, classes: int) -> np.ndarray:
    """(m, K, d), one class at a time."""
    columns = [model.gradients(rows, lambda own, _, k=k: np.eye(classes)[[k] * len(own)])[1] for k in range(classes)]
    return np.stack(columns, axis=1).reshape(len(rows), classes, -1)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [1, 64, 150])
def test_the_largest_norms_are_those_of_a_brute_force_jacobian(norm: Norm, n: int) -> None:
    export = torch_export("cnn", "classic", 13)
    model, asked, rivals = opened(export), ball(export.shape, n, norm), np.array([3, 0, 2])
    maxima = norms(model, asked, 1, rivals)
    J = np.concatenate([jacobian(model, rows, 4) for rows in asked.blocks()])
    differences = J[:, [1]] - J[:, rivals]  # (n, 3 rivals, d)
    assert len(J) == n
    for row, q in zip(maxima, (np.inf, 2, 1), strict=True):
        np.testing.assert_allclose(row, np.linalg.norm(differences, q, axis=2).max(axis=0), rtol=1e-5)


def test_the_largest_norms_of_a_linear_model_are_exact() -> None:
    W, b = linear(6, 4)
    data = graph([helper.make_node("Gemm", ["x", "W", "b"], ["z"])], ["N", 6], [("z", 1, ["N", 4])], {"W": W, "b": b})
    model = opened(Export(data, (6,), lambda rows: rows @ W + b))
    maxima = norms(model, ball((6,), 100), 2, np.array([0, 1, 3]))
    exact = W.astype(np.float64)[:, [2]] - W[:, [0, 1, 3]]
    for row, q in zip(maxima, (np.inf, 2, 1), strict=True):
        np.testing.assert_allclose(row, np.linalg.norm(exact, q, axis=0), rtol=1e-6)


def test_a_gradient_that_is_not_finite_makes_its_entry_nan_and_no_other() -> None:
    """z = (x0, 1e60 relu(x1 - 0.5), x1): the slope of the second is infinite in float32 where x1 > 0.5."""
    nodes = [
        helper.make_node("Split", ["x"], ["a", "b"], axis=1),
        helper.make_node("Sub", ["b", "half"], ["shifted"]),
        helper.make_node("Relu", ["shifted"], ["positive"]),
        helper.make_node("Mul", ["positive", "huge"], ["larger"]),
        helper.make_node("Mul", ["larger", "huge"], ["largest"]),
        helper.make_node("Concat", ["a", "largest", "b"], ["z"], axis=1),
    ]
    numbers = {"half": np.float32(0.5), "huge": np.float32(1e30)}
    data = graph(nodes, ["N", 2], [("z", TensorProto.FLOAT, ["N", 3])], numbers)
    maxima = norms(opened(Export(data, (2,), lambda rows: rows)), ball((2,), 70), 0, np.array([1, 2]))
    assert np.isnan(maxima[:, 0]).all()
    np.testing.assert_allclose(maxima[:, 1], [1.0, np.sqrt(2), 2.0], rtol=1e-6)


@pytest.mark.parametrize("net", ["cnn", "mlp", "resnet block"])
def test_a_row_has_the_same_gradient_alone_and_in_any_company(net: str) -> None:
    export = torch_export(net, "classic", 13)
    model = opened(export)
    rows = np.random.default_rng(0).random((257, *export.shape), dtype=np.float32)
    labels = np.arange(257) % 4

    def slope(scores: np.ndarray, positions: np.ndarray, first: int = 0) -> np.ndarray:
        return np.eye(4)[labels[first + positions]] * scores

    scores, gradients = model.gradients(rows, slope)
    for size in (1, 2, 3, 31, 32, 33, 64, 100, 256):
        for start in (0, 257 - size):
            part = rows[start : start + size]
            own, found = model.gradients(part, lambda s, p, start=start: slope(s, p, start))
            np.testing.assert_array_equal(own, scores[start : start + size])
            np.testing.assert_array_equal(found, gradients[start : start + size])


def test_names_that_collide_in_torch_do_no_harm() -> None:
    """`half` and `train` are methods of a torch module, and `a.b` and `a/b` are one attribute name."""
    first, _ = linear(6, 6)
    second, bias = linear(6, 4)
    nodes = [
        helper.make_node("MatMul", ["x", "a.b"], ["half"]),
        helper.make_node("Gemm", ["half", "a/b", "train"], ["z"]),
    ]
    data = graph(nodes, ["N", 6], [("z", TensorProto.FLOAT, ["N", 4])], {"a.b": first, "a/b": second, "train": bias})
    model = opened(Export(data, (6,), lambda rows: rows))
    rows = np.random.default_rng(0).random((3, 6), dtype=np.float32)
    scores, _ = model.gradients(rows, lambda own, _: np.ones_like(own))
    np.testing.assert_allclose(scores, rows @ first @ second + bias, atol=1e-5)


def test_the_largest_norms_do_not_depend_on_what_was_asked_before() -> None:
    export = torch_export("cnn", "classic", 13)
    first, second = opened(export), opened(export)
    rivals = np.array([1, 2, 3])
    expected = norms(first, ball(export.shape, 100), 0, rivals)
    norms(second, ball(export.shape, 33, Norm.L1), 2, np.array([0]))
    np.testing.assert_array_equal(norms(second, ball(export.shape, 100), 0, rivals), expected)


@pytest.mark.parametrize("batch", [None, 5])
def test_a_ball_has_the_same_bits_alone_and_among_others(batch: int | None) -> None:
    """Of other sizes, norms, labels and numbers of rivals, in calls that begin and end within them."""
    export = torch_export("cnn", "classic", 13, batch)
    model = opened(export)
    asked = [
        Differences(ball(export.shape, n, norm), label, np.array(rivals))
        for n, norm, label, rivals in (
            (1, Norm.L2, 0, [1, 2, 3]),
            (150, Norm.LINF, 3, [0]),
            (33, Norm.L1, 1, [2, 0, 3]),
            (64, Norm.L2, 2, [3, 1]),
        )
    ]
    alone = [model.largest_gradient_norms([one])[0] for one in asked]
    for order in ([0, 1, 2, 3], [3, 0, 2, 1], [1, 3]):
        for k, found in zip(order, model.largest_gradient_norms([asked[k] for k in order]), strict=True):
            np.testing.assert_array_equal(found, alone[k])


def test_a_cotangent_hears_which_rows_its_scores_are_of() -> None:
    export = torch_export("mlp", "classic", 13)
    model, heard = opened(export), []
    rows = np.random.default_rng(0).random((70, *export.shape), dtype=np.float32)

    def cotangent(scores: np.ndarray, positions: np.ndarray) -> np.ndarray:
        heard.append((scores, positions))
        return np.ones_like(scores)

    scores, _ = model.gradients(rows, cotangent)
    assert sorted(np.concatenate([positions for _, positions in heard])) == list(range(70))
    for own, positions in heard:
        np.testing.assert_array_equal(own, scores[positions])


OPS = {
    "Max": [helper.make_node("Max", ["h", "zero"], ["z"])],
    "Min": [helper.make_node("Min", ["h", "zero"], ["z"])],
    "Neg": [helper.make_node("Neg", ["h"], ["z"])],
    "Exp": [helper.make_node("Exp", ["h"], ["z"])],
    "Log": [helper.make_node("Exp", ["h"], ["e"]), helper.make_node("Log", ["e"], ["z"])],
    "Abs": [helper.make_node("Abs", ["h"], ["z"])],
    "Sqrt": [helper.make_node("Exp", ["h"], ["e"]), helper.make_node("Sqrt", ["e"], ["z"])],
    "Clip": [helper.make_node("Clip", ["h", "", "zero"], ["z"])],
    "Identity": [helper.make_node("Identity", ["h"], ["z"])],
    "Dropout": [helper.make_node("Dropout", ["h"], ["z"])],
    "Sum": [helper.make_node("Sum", ["h", "h", "zero"], ["z"])],
    "Where": [helper.make_node("Greater", ["h", "zero"], ["g"]), helper.make_node("Where", ["g", "h", "zero"], ["z"])],
    "Pow": [helper.make_node("Pow", ["h", "two"], ["z"])],
    "ReduceSum": [helper.make_node("ReduceSum", ["h", "axes"], ["s"]), helper.make_node("Div", ["h", "s"], ["z"])],
    "LeakyRelu": [helper.make_node("LeakyRelu", ["h"], ["z"], alpha=0.1)],
    "Erf": [helper.make_node("Erf", ["h"], ["z"])],
    "LRN, GlobalMaxPool": [
        helper.make_node("Reshape", ["h", "image"], ["i"]),
        helper.make_node("LRN", ["i"], ["l"], size=3),
        helper.make_node("GlobalMaxPool", ["l"], ["m"]),
        helper.make_node("Flatten", ["m"], ["z"]),
    ],
    "Hardmax-like tie": [helper.make_node("Mul", ["h", "zero"], ["z"])],
}


@pytest.mark.parametrize("op", OPS)
def test_the_slope_of_an_operator_is_that_of_finite_differences(op: str) -> None:
    W, b = linear(6, 4, seed=3)
    numbers = {"W": W, "b": b, "zero": np.float32(0), "two": np.float32(2), "axes": np.array([1], np.int64)}
    numbers["image"] = np.array([-1, 4, 1, 1], np.int64)
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["h"]), *OPS[op]]
    data = graph(nodes, ["N", 6], [("z", TensorProto.FLOAT, ["N", 4])], numbers)
    network = read(onnx.load_from_string(data), None)
    session, model = network.session(), differentiator(network, DEVICE)
    rows = np.random.default_rng(5).random((40, 6), dtype=np.float32)
    _, gradients = model.gradients(rows, lambda own, _: np.ones_like(own))
    step = np.float32(1e-2) * np.eye(6, dtype=np.float32)
    for i in range(6):
        up, down = (session.ask(rows + sign * step[i], str(network.rebuilt.scores)).sum(axis=1) for sign in (1, -1))
        close = np.isclose((up - down) / 2e-2, gradients[:, i], rtol=0.05, atol=0.02)
        assert close.mean() > 0.85  # but where a kink or a pole lies within a step


class Half(nn.Module):
    """Takes and gives float32, and computes in float16, as `autocast` and `.half()` behind a wrapper do."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner.half()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x.half()).float()


def test_a_network_that_computes_in_half_inside_keeps_its_gradients_and_they_are_those_of_the_whole() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))
    rows = torch.rand(5, 1, 8, 8, requires_grad=True)
    net(rows)[:, 2].sum().backward()
    file = classic(Half(net), torch.zeros(1, 1, 8, 8), 17, True)
    found = inspect(file, preprocessing=None, device=DEVICE)
    assert "gradients" in found.offers
    assert [w.reason for w in found.withheld] == [
        "The model computes in float16, whose rounding is too coarse to bound."
    ]
    model = opened(Export(file, (1, 8, 8), lambda rows: rows))
    ours = jacobian(model, rows.detach().numpy(), 4)[:, 2]
    np.testing.assert_allclose(ours, rows.grad.numpy().reshape(5, -1), atol=2e-2 * float(rows.grad.abs().max()))
