"""Margins of whole networks: exact where they can be, sound where they cannot, and the same in any company."""

import functools

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from algorithms.errors import Refused
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.seam.questions.margins import Region
from algorithms.seam.questions.optimized_margins import Ascents
from algorithms.threats.threat import Box, Threat
from models.onnx.bounds.bounder import bounder
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.operators.operator import Affine
from models.onnx.bounds.passes.plan import plan
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.propagation import propagate
from models.onnx.network import read
from tests.balls import least_change
from tests.bounded import Bounded, points
from tests.devices import DEVICE
from tests.exports import cast_linear, graph, linear, torch_export
from tests.regions import least_margin, regions
from tests.truths import TinyReLU

BOX = Threat().box
FLOAT = TensorProto.FLOAT
RADII = {Norm.L1: 0.8, Norm.L2: 0.3, Norm.LINF: 0.1}
BOXES = {"box": BOX, "no box": Box.unbounded()}


def affine(*, residual: bool = False) -> tuple[bytes, np.ndarray, np.ndarray]:
    """Convolution and batch normalization (and a branch round both), then a dense layer: bytes, W (4, 48), b (4,)."""
    rng = np.random.default_rng(6)
    numbers = {
        "k": rng.normal(size=(3, 3, 3, 3)).astype(np.float32),
        **{name: rng.uniform(0.5, 2, 3).astype(np.float32) for name in ("g", "s", "m", "v")},
        "w": rng.normal(size=(48, 4)).astype(np.float32),
        "b": rng.normal(size=4).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "g", "s", "m", "v"], ["n"]),
        helper.make_node("Add", ["x", "n"], ["sum"]) if residual else helper.make_node("Identity", ["n"], ["sum"]),
        helper.make_node("Flatten", ["sum"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["z"]),
    ]
    data = graph(nodes, ["N", 3, 4, 4], [("z", FLOAT, ["N", 4])], numbers)
    probes = np.vstack([np.zeros((1, 48)), np.eye(48)]).astype(np.float32).reshape(-1, 3, 4, 4)
    answers = Bounded.of(data).scores(probes)
    return data, (answers[1:] - answers[0]).T, answers[0]


@pytest.mark.parametrize("residual", [False, True], ids=["chain", "branches"])
@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("relaxation", ["intervals", "crown"])
def test_an_affine_network_is_bounded_exactly(relaxation, norm: Norm, box: Box, residual: bool) -> None:
    """So normalizations fold, and a branch that takes from another is not taken for two."""
    data, weights, bias = affine(residual=residual)
    x = np.random.default_rng(7).random((3, 3, 4, 4), dtype=np.float32)
    x[0, 0] = 0
    found, labels, rivals = Bounded.of(data, rounds=False).margins(x, RADII[norm], norm, box, relaxation)
    for i, j in np.ndindex(found.shape):
        w, center = weights[labels[i]] - weights[rivals[i, j]], x[i].astype(np.float64).ravel()
        least = w @ center + bias[labels[i]] - bias[rivals[i, j]] + least_change(w, center, RADII[norm], norm, box)
        assert found[i, j] == pytest.approx(least, abs=1e-4)


def tiny(seed: int) -> tuple[bytes, TinyReLU]:
    rng = np.random.default_rng(seed)
    W, a, V, b = (rng.normal(size=size).astype(np.float32) for size in ((6, 3), (6,), (3, 6), (3,)))
    nodes = [
        helper.make_node("Gemm", ["x", "W", "a"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "V", "b"], ["z"], transB=1),
    ]
    data = graph(nodes, ["N", 3], [("z", FLOAT, ["N", 3])], {"W": W, "a": a, "V": V, "b": b})
    return data, TinyReLU(*(value.astype(np.float64) for value in (W, a, V, b)))


@pytest.mark.parametrize("norm", [Norm.L1, Norm.LINF])
@pytest.mark.parametrize("seed", range(6))
def test_no_bound_of_one_hidden_layer_is_above_the_least_margin_of_all_its_linear_regions(
    seed: int, norm: Norm
) -> None:
    data, net = tiny(seed)
    x = np.random.default_rng(seed).random((1, 3)).astype(np.float32)
    for radius in (RADII[norm] / 20, 4 * RADII[norm]):
        truth = functools.partial(least_margin, net, x[0].astype(np.float64), radius, norm)
        for relaxation in ("intervals", "crown"):
            found, labels, rivals = Bounded.of(data).margins(x, radius, norm, Box.unbounded(), relaxation)
            least = np.array([truth(labels[0], rival) for rival in rivals[0]])
            assert (found[0] <= least).all()
        if sum(1 for _ in regions(net, x[0].astype(np.float64), radius, norm)) == 1:
            np.testing.assert_allclose(found[0], least, atol=1e-4)  # crown is exact on one region


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("net", ["cnn", "resnet block", "mlp"])
def test_crown_is_never_below_intervals(net: str, norm: Norm) -> None:
    export = torch_export(net, "classic", 13)
    bounded, rows = Bounded.of(export.data), np.random.default_rng(8).random((4, *export.shape), dtype=np.float32)
    crown, intervals = (
        bounded.margins(rows, RADII[norm] / 5, norm, BOX, relaxation)[0] for relaxation in ("crown", "intervals")
    )
    assert (crown >= intervals).all()
    assert (crown > intervals).any()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("net", ["cnn", "resnet block", "sigmoids"])
def test_a_row_has_the_same_bounds_alone_and_in_company(net: str, norm: Norm) -> None:
    export = torch_export(net, "dynamo", 18)
    bounded, rows = Bounded.of(export.data), np.random.default_rng(9).random((19, *export.shape), dtype=np.float32)
    together = bounded.margins(rows, RADII[norm] / 4, norm, BOX, "crown")[0]
    alone = [bounded.margins(rows[i : i + 1], RADII[norm] / 4, norm, BOX, "crown")[0][0] for i in (0, 18)]
    np.testing.assert_array_equal(together[[0, 18]], alone)


@pytest.mark.parametrize("norm", NORMS)
def test_a_model_that_takes_three_rows_at_a_time_is_bounded_row_by_row(norm: Norm) -> None:
    """A constant of the batch's size holds it to three rows, and is the same for each of them."""
    weights, bias = linear()
    nodes = [
        helper.make_node("Gemm", ["x", "W", "b"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Concat", ["r", "tail"], ["z"], axis=1),
    ]
    numbers = {"W": weights, "b": bias, "tail": np.full((3, 1), 0.1, np.float32)}
    fixed = Bounded.of(graph(nodes, [3, 6], [("z", FLOAT, [3, 5])], numbers))
    assert fixed.network.input.batch == 3
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(5, 6)).astype(np.float32)
    for relaxation in ("intervals", "crown"):
        bounds, labels, rivals = fixed.margins(rows, RADII[norm], norm, Box.unbounded(), relaxation)
        for i, row in enumerate(rows):
            near = points(rng, row, RADII[norm], norm, Box.unbounded())
            scores = fixed.scores(near)
            assert ((scores[:, [labels[i]]] - scores[:, rivals[i]]).min(axis=0) >= bounds[i]).all()


def test_a_value_that_two_curves_read_is_tightened_once() -> None:
    weights, bias = linear(6, 6)
    nodes = [
        helper.make_node("Gemm", ["x", "V", "c"], ["a"]),
        helper.make_node("Sigmoid", ["a"], ["s"]),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("Add", ["r", "s"], ["y"]),
    ]
    network = read(onnx.load_from_string(behind(*nodes, constants={"V": weights, "c": bias})), None)
    found = plan(network.scores_alone(), (6,), None, DEVICE)
    x = torch.rand(1, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    balls = Balls(x, x, 1 - x, torch.full((1,), 0.2).double(), Norm.LINF)
    walked = Regions(found, balls, count=1, bucket=8, rounds=False)
    propagate(walked, "crown", lambda _: torch.zeros(()))
    (read_twice,) = {step.sources[0] for step in found.steps if not isinstance(step.operator, Affine)}
    assert walked.spent.tolist() == [2 * 6 * found.work(read_twice)]


def test_no_rows_have_no_bounds() -> None:
    data, _, _ = affine()
    region = Region(np.zeros((0, 3, 4, 4), np.float32), np.zeros(0), Threat(Norm.L2, BOX))
    found = Bounded.of(data).bounder.margins(region, np.zeros(0, np.int64), np.zeros((0, 3), np.int64), "crown")
    assert found.shape == (0, 3)


@pytest.mark.parametrize("seed", range(5))
def test_rounding_of_float32_never_falls_below_the_bounds_at_radius_0(seed: int) -> None:
    """Long sums that cancel: the model's own float32 margins scatter by more than float64 could say."""
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(2000, 4)) * 10.0 ** rng.uniform(-2, 3, (2000, 1))
    weights = np.concatenate([half, -half * (1 + 1e-7 * rng.normal(size=half.shape))]).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"])]
    net = Bounded.of(graph(nodes, ["N", 4000], [("z", FLOAT, ["N", 4])], {"w": weights}))
    rows = np.repeat(rng.random((20, 2000), dtype=np.float32), 2, axis=0).reshape(20, 4000)
    found, labels, rivals = net.margins(rows, 0.0, Norm.LINF, BOX, "crown")
    scores = net.scores(rows)
    own = np.take_along_axis(scores, labels[:, None], 1) - np.take_along_axis(scores, rivals, 1)
    exact = rows.astype(np.float64) @ weights.astype(np.float64)
    real = np.take_along_axis(exact, labels[:, None], 1) - np.take_along_axis(exact, rivals, 1)
    assert np.abs(own - real).max() > 0
    assert (found <= np.minimum(own, real)).all()


GATES = {
    "Gelu": ([helper.make_node("Gelu", ["x"], ["y"])], 20),
    "HardSwish": ([helper.make_node("HardSwish", ["x"], ["y"])], 14),
    "SiLU": ([helper.make_node("Sigmoid", ["x"], ["s"]), helper.make_node("Mul", ["x", "s"], ["y"])], 13),
    "square": ([helper.make_node("Mul", ["x", "x"], ["y"])], 13),
}


@pytest.mark.parametrize("gate", GATES)
def test_rounding_of_a_gate_never_falls_below_the_bounds_at_radius_0(gate: str) -> None:
    """Of numbers small and large, on the curved part and on the flat one."""
    nodes, opset = GATES[gate]
    data, rng = behind(*nodes, opset=opset), np.random.default_rng(3)
    rows = (rng.normal(size=(400, 6)) * 10.0 ** rng.uniform(-4, 2, (400, 1))).astype(np.float32)
    net = Bounded.of(data)
    found, labels, rivals = net.margins(rows, 0.0, Norm.LINF, Box.unbounded(), "crown")
    scores = net.scores(rows)
    own = np.take_along_axis(scores, labels[:, None], 1) - np.take_along_axis(scores, rivals, 1)
    real = Bounded.of(data, rounds=False).margins(rows, 0.0, Norm.LINF, Box.unbounded(), "crown")[0]
    assert (found <= np.minimum(own, real)).all()
    assert (own - found <= 1e-4 * np.maximum(1, np.abs(scores).max(axis=1, keepdims=True))).all()


@pytest.mark.parametrize("folded", [False, True], ids=["alone", "folded into a convolution"])
def test_rounding_of_a_shift_that_cancels_the_mean_is_counted(folded: bool) -> None:
    """f (x - 1000) + 1000 f is f x, and off by the rounding of 1000 f."""
    rng = np.random.default_rng(4)
    gain, variance = rng.uniform(0.5, 2, 3).astype(np.float32), np.ones(3, np.float32)
    mean = np.full(3, 1000, np.float32)
    shift = (gain.astype(np.float64) / np.sqrt(1 + 1e-5) * 1000).astype(np.float32)
    numbers = {"g": gain, "s": shift, "m": mean, "v": variance, "k": rng.normal(size=(3, 3, 1, 1)).astype(np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["c"]) if folded else helper.make_node("Identity", ["x"], ["c"]),
        helper.make_node("BatchNormalization", ["c", "g", "s", "m", "v"], ["n"]),
        helper.make_node("ReduceMean", ["n"], ["z"], axes=[2, 3], keepdims=0),
    ]
    data = graph(nodes, ["N", 3, 1, 1], [("z", FLOAT, ["N", 3])], numbers)
    net, rows = Bounded.of(data), rng.random((200, 3, 1, 1), dtype=np.float32)
    found, labels, rivals = net.margins(rows, 0.0, Norm.LINF, BOX, "crown")
    scores = net.scores(rows)
    own = np.take_along_axis(scores, labels[:, None], 1) - np.take_along_axis(scores, rivals, 1)
    real = Bounded.of(data, rounds=False).margins(rows, 0.0, Norm.LINF, BOX, "crown")
    np.testing.assert_array_equal(real[1], labels)
    assert np.abs(own - real[0]).max() > 1e-5
    assert (found <= np.minimum(own, real[0])).all()


def test_what_may_overflow_float32_proves_nothing() -> None:
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["z"])]
    weights, bias = linear()
    numbers = {"W": weights * np.float32(1e37), "b": bias}
    net = Bounded.of(graph(nodes, ["N", 6], [("z", FLOAT, ["N", 4])], numbers))
    rows = np.random.default_rng(0).random((2, 6), dtype=np.float32)
    assert np.isfinite(net.margins(rows, 0.1, Norm.LINF, BOX, "crown")[0]).all()
    assert (net.margins(rows, 1e3, Norm.LINF, Box.unbounded(), "crown")[0] == -np.inf).all()


def refused(data: bytes) -> str:
    with pytest.raises(Refused) as caught:
        bounder(read(onnx.load_from_string(data), None), DEVICE)
    return caught.value.detail


def behind(*nodes: onnx.NodeProto, constants: dict[str, np.ndarray] | None = None, opset: int = 13) -> bytes:
    """x -> nodes -> y (N, 6) -> four classes"""
    weights, bias = linear()
    gemm = helper.make_node("Gemm", ["y", "W", "b"], ["z"])
    numbers = {"W": weights, "b": bias} | (constants or {})
    return graph([*nodes, gemm], ["N", 6], [("z", FLOAT, ["N", 4])], numbers, opset=opset)


REFUSALS = {
    "Atan": behind(helper.make_node("Atan", ["x"], ["y"])),
    "Sinh, Tan": behind(helper.make_node("Tan", ["x"], ["e"]), helper.make_node("Sinh", ["e"], ["y"])),
    "Pow with exponents": behind(
        helper.make_node("Pow", ["x", "two"], ["y"]), constants={"two": np.arange(6, dtype=np.float32)}
    ),
    "Where by a value": behind(
        helper.make_node("Greater", ["x", "half"], ["t"]),
        helper.make_node("Where", ["t", "x", "half"], ["y"]),
        constants={"half": np.float32(0.5)},
    ),
    "what becomes of Greater": behind(
        helper.make_node("Greater", ["x", "half"], ["t"]),
        helper.make_node("Cast", ["t"], ["y"], to=FLOAT),
        constants={"half": np.float32(0.5)},
    ),
    "LeakyRelu with a slope": behind(helper.make_node("LeakyRelu", ["x"], ["y"], alpha=2.0)),
    "Clip between limits": behind(
        helper.make_node("Clip", ["x", "hi", "lo"], ["y"]), constants={"hi": np.float32(1), "lo": np.float32(0)}
    ),
    "Pad in another mode": behind(
        helper.make_node("Slice", ["x", "0", "5", "1"], ["s"]),
        helper.make_node("Pad", ["s", "p"], ["y"], mode="reflect"),
        constants={k: np.array([int(k)]) for k in "015"} | {"p": np.array([0, 0, 0, 1])},
    ),
    "float16": cast_linear("float16").data,
}


@pytest.mark.parametrize("words", REFUSALS)
def test_what_no_rule_covers_is_named(words: str) -> None:
    assert words in refused(REFUSALS[words])


@pytest.mark.parametrize("norm", NORMS)
def test_an_optimized_row_has_the_same_bounds_alone_and_in_company_and_none_below_crown(norm: Norm) -> None:
    export = torch_export("cnn", "classic", 13)
    bounds = Bounded.of(export.data).bounder
    rows = np.random.default_rng(9).random((18, *export.shape), dtype=np.float32)
    labels, rivals = np.zeros(18, np.int64), np.array([[1, 2, 3]] * 18)

    def asked(which: list[int]) -> tuple[np.ndarray, np.ndarray]:
        region = Region(rows[which], np.full(len(which), RADII[norm]), Threat(norm))
        plain = bounds.margins(region, labels[which], rivals[which], "crown")
        starts = (None,) * len(which)
        return plain, bounds.optimized_margins(region, labels[which], rivals[which], Ascents(3, 1), starts).bounds

    (plain, together), alone = asked(list(range(18))), [asked([i])[1][0] for i in (0, 17)]
    np.testing.assert_array_equal(together[[0, 17]], alone)
    assert (together >= plain).all()
    assert (together > plain).any()
