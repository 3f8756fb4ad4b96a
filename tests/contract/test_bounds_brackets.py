"""Certificates by bounds against attacks on the same model, linear truths, and each other."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from algorithms.driver.running import Samples, run
from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget
from algorithms.registry import METHODS, method
from algorithms.seam.access import Access, Labels
from algorithms.seam.claims import Finding, Kind
from algorithms.seam.questions.margins import Region, Relaxation
from algorithms.searches.proofs.radius import MARGINS
from algorithms.threats.threat import Box, Threat
from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import classic, graph, torch_export
from tests.published import data_folder, images
from tests.truths import Constant, Linear

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
CERTIFICATES = ("intervals", "crown", "alpha_crown")  # each proves no less than the one before
NETS = ("mnist_cnn_a_adv", "mnist-7", "mnist_convsmall_nat", "mnist_madry_tiny", "mnist_tiny_2x20", "cifar_cnn_a_adv")
SLOW_NETS = ("mnist_cw7",)
ROUNDING = 2e-4  # what rounding of float32 costs the radii of the linear models below, at the most


def in_turn(*nets: str) -> pytest.MarkDecorator:
    """Each net in one norm and the rest as `every`: only the last step of a bound, over the ball, knows a norm."""
    marks = {True: (), False: pytest.mark.every}
    cases = [
        pytest.param(net, norm, marks=marks[i % len(NORMS) == j])
        for i, net in enumerate(nets)
        for j, norm in enumerate(NORMS)
    ]
    return pytest.mark.parametrize(("net", "norm"), cases)


def opened(data: bytes) -> OnnxClassifier:
    network = read(onnx.load_from_string(data), None)
    return OnnxClassifier(network, differentiator(network, DEVICE), DEVICE, bounder(network, DEVICE))


def found(model: OnnxClassifier, rows: np.ndarray, name: str, threat: Threat, **params: object) -> list[Finding]:
    chosen = method(name)
    what = Samples(rows, tuple(range(len(rows))), labels=None)
    outcomes = run(model, what, chosen, chosen.params(**params), threat, Budget(2000), seed=0)
    return [outcome.finding for outcome in outcomes]


def check_brackets(
    model: OnnxClassifier, rows: np.ndarray, norm: Norm, box: Box = Threat().box, steps: int = 20
) -> list[float]:
    """No certificate passes an attack, nor is one worse than the one before. Returns crown's radii."""
    threat = Threat(norm=norm, box=box)
    intervals, crown = (found(model, rows, name, threat) for name in CERTIFICATES[:2])
    optimized = found(model, rows, "alpha_crown", threat, steps=3, intermediate_steps=1)
    attack = found(model, rows, "pgd", threat, steps=steps, restarts=2)
    for lower, better, best, upper in zip(intervals, crown, optimized, attack, strict=True):
        assert lower.kind is better.kind is best.kind is Kind.LOWER_BOUND
        assert lower.value <= better.value * (1 + 2e-4)  # each is found to 0.01 %
        assert better.value <= best.value
        assert upper.value is None or best.value <= upper.value
    assert any(f.value is not None for f in attack)
    return [float(f.value) for f in crown]


@in_turn("model", "model_robust", "model_provable")
def test_no_attack_on_the_digits_comes_nearer_than_the_certificates_allow(net: str, norm: Norm) -> None:
    with np.load(DIGITS / "samples.npz") as npz:
        rows = npz["x"][:2].astype(np.float32)
    assert min(check_brackets(opened((DIGITS / f"{net}.onnx").read_bytes()), rows, norm)) > 0


@in_turn("cnn", "resnet block", "sigmoids", "one logit [N]")
def test_no_attack_on_a_random_network_comes_nearer_than_the_certificates_allow(net: str, norm: Norm) -> None:
    export = torch_export(net, "classic", 13)
    rows = np.random.default_rng(1).random((3, *export.shape), dtype=np.float32)
    box = Threat().box if len(export.shape) > 1 else Box.unbounded()  # the unit box of a table may be one class
    assert min(check_brackets(opened(export.data), rows, norm, box)) > 0


def one_number(*nodes: onnx.NodeProto) -> bytes:
    """Of ten features a hidden layer h [N, 8], and by `nodes` one logit z, [N]."""
    rng = np.random.default_rng(0)
    hidden = [helper.make_node("Gemm", ["x", "W", "a"], ["g"]), helper.make_node("Relu", ["g"], ["h"])]
    sizes = {"W": (10, 8), "a": (8,), "w": (8,), "column": (8, 1), "b": (1,)}
    numbers = {name: rng.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    return graph([*hidden, *nodes], ["N", 10], [("z", TensorProto.FLOAT, ["N"])], numbers | {"one": np.array([1])})


ON_NO_AXIS = {
    "product with a vector": one_number(
        helper.make_node("MatMul", ["h", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["z"])
    ),
    "squeezed": one_number(
        helper.make_node("Gemm", ["h", "column", "b"], ["c"]),
        helper.make_node("Squeeze", ["c", "one"], ["s"]),
        helper.make_node("LeakyRelu", ["s"], ["z"], alpha=0.3),
    ),
    "summed": one_number(
        helper.make_node("Mul", ["h", "w"], ["m"]), helper.make_node("ReduceSum", ["m", "one"], ["z"], keepdims=0)
    ),
}


@in_turn(*ON_NO_AXIS)
def test_one_number_on_no_axis_is_bounded_like_any_other(net: str, norm: Norm) -> None:
    data = ON_NO_AXIS[net]
    assert Access.BOUNDS in inspect(data, preprocessing=None, device=DEVICE).offers
    rows = np.random.default_rng(1).normal(size=(3, 10)).astype(np.float32)
    assert min(check_brackets(opened(data), rows, norm, Box.unbounded())) > 0


class Excited(nn.Module):
    """Channels times numbers made of all of them (squeeze and excitation)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.gate, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.first(x))
        return self.head((h * torch.sigmoid(self.gate(h.mean((2, 3), keepdim=True)))).mean((2, 3)))


def gated(gate: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Conv2d(3, 4, 3), gate, nn.Flatten(), nn.Linear(144, 8), gate, nn.Linear(8, 4))


# name -> (a network of products, the opset it is exported in)
GATED: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "SiLU": (gated(nn.SiLU()), 13),
    "GELU of parts": (gated(nn.GELU()), 13),
    "GELU": (gated(nn.GELU()), 20),
    "HardSwish": (gated(nn.Hardswish()), 14),
    "squeeze and excitation": (Excited, 13),
}


@in_turn(*GATED)
def test_no_attack_on_a_network_of_products_comes_nearer_than_the_certificates_allow(net: str, norm: Norm) -> None:
    build, opset = GATED[net]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        data = classic(build().eval(), torch.rand(2, 3, 8, 8), opset, True)
    assert Access.BOUNDS in inspect(data, preprocessing=None, device=DEVICE).offers
    rows = np.random.default_rng(1).random((3, 3, 8, 8), dtype=np.float32)
    assert min(check_brackets(opened(data), rows, norm)) > 0


@functools.cache
def linear(seed: int, d: int = 50) -> tuple[OnnxClassifier, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(d, 4)).astype(np.float32), rng.normal(size=4).astype(np.float32)
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["z"])]
    outputs = [("z", TensorProto.FLOAT, ["N", 4])]
    return opened(graph(nodes, ["N", d], outputs, {"W": weights, "b": bias})), weights, bias


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", CERTIFICATES)
@pytest.mark.parametrize("seed", range(3))
def test_on_a_linear_model_the_radius_is_the_margin_over_the_dual_norm(seed: int, name: str, norm: Norm) -> None:
    model, weights, bias = linear(seed)
    rows = np.random.default_rng(seed).random((5, 50), dtype=np.float32)
    scores = rows.astype(np.float64) @ weights + bias
    for finding, f in zip(found(model, rows, name, Threat(norm, Box.unbounded())), scores, strict=True):
        rivals = [j for j in range(4) if j != finding.label]
        truth = (
            (f[finding.label] - f[rivals]) / lengths((weights[:, [finding.label]] - weights[:, rivals]).T, norm.dual)
        ).min()
        assert truth * (1 - 2e-7) - ROUNDING <= finding.value <= truth
        assert finding.details["steps"] <= 4


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", CERTIFICATES)
def test_on_a_linear_model_whose_box_binds_the_radius_is_where_the_least_margin_ends(name: str, norm: Norm) -> None:
    model, weights, bias = linear(0)
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((6, 50)) < 0.7, rng.integers(0, 2, (6, 50)), rng.random((6, 50))).astype(np.float32)
    truth = Linear(weights.T, bias)
    bound = 0
    for row, finding in zip(rows, found(model, rows, name, Threat(norm)), strict=True):
        end = where_margins_end(truth, row, finding.label, norm)
        assert end * (1 - 2e-4) - ROUNDING <= finding.value <= end
        bound += end > 1.01 * truth.radius(row, finding.label, norm)
    assert bound >= 3, "the box holds back most of them"


def where_margins_end(model: Linear, row: np.ndarray, label: int, norm: Norm) -> float:
    """The largest radius at which every margin's exact minimum over the ball within the box is positive."""
    rivals = np.array([[j for j in range(model.classes) if j != label]])
    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        region = Region(row[None], np.array([middle]), Threat(norm))
        holds = (model.margins(region, np.array([label]), rivals, "crown") > 0).all()
        low, high = (middle, high) if holds else (low, middle)
    return high


@pytest.mark.parametrize(("attack", "norm"), [("hopskipjump", Norm.L2), ("square", Norm.LINF)])
def test_no_black_box_attack_on_the_digits_comes_nearer_than_crown_allows(attack: str, norm: Norm) -> None:
    with np.load(DIGITS / "samples.npz") as npz:
        rows = npz["x"][:2].astype(np.float32)
    model, threat = opened((DIGITS / "model.onnx").read_bytes()), Threat(norm)
    pairs = list(zip(found(model, rows, "crown", threat), found(model, rows, attack, threat), strict=True))
    assert any(upper.value is not None for _, upper in pairs)
    assert all(upper.value is None or lower.value <= upper.value for lower, upper in pairs)


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_targeted_radius_is_no_smaller_than_the_untargeted_one(name: str) -> None:
    with np.load(DIGITS / "samples.npz") as npz:
        rows = npz["x"][:1].astype(np.float32)
    model = opened((DIGITS / "model.onnx").read_bytes())
    anywhere, somewhere = (
        found(model, rows, name, Threat(Norm.LINF, targeted=rule)) for rule in (None, "least_likely")
    )
    for any_, some in zip(anywhere, somewhere, strict=True):
        assert some.value >= any_.value
        assert some.details["rival"] not in (any_.label, None)


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_whole_box_that_is_one_class_is_proven_whole(name: str) -> None:
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["z"])]
    numbers = {"W": 0.1 * np.eye(3, 2, dtype=np.float32), "b": np.array([1, 0], np.float32)}
    model = opened(graph(nodes, ["N", 3], [("z", TensorProto.FLOAT, ["N", 2])], numbers))
    (finding,) = found(model, np.full((1, 3), 0.25, np.float32), name, Threat(Norm.LINF))
    assert finding.value == 0.75


class Many(Constant):
    """Two samples' worth of a question in every sample's margins."""

    def __init__(self) -> None:
        super().__init__(np.arange(MARGINS // 2 + 1, 0, -1.0), (2,))
        self.counts: list[int] = []

    def margins(self, region: Region, labels: Labels, rivals: np.ndarray, relaxation: Relaxation) -> np.ndarray:
        self.counts.append(rivals.size)
        return super().margins(region, labels, rivals, relaxation)


@pytest.mark.parametrize("epsilon", [None, 0.1])
def test_of_many_classes_a_few_samples_are_asked_at_a_time(epsilon: float | None) -> None:
    """Each question is a beat, and a beat is a sign of life."""
    model = Many()
    answers = found(model, np.full((5, 2), 0.5, np.float32), "crown", Threat(epsilon=epsilon))
    assert max(model.counts) == MARGINS and len(model.counts) % 3 == 0
    assert len({finding.value for finding in answers}) == 1


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_margin_of_no_more_than_rounding_is_certified_to_radius_0(name: str) -> None:
    model = Constant(np.array([0.5, 0.5, 0.0]), (2,))
    rows = np.full((1, 2), 0.5, np.float32)
    (largest,), (at_epsilon,) = (found(model, rows, name, Threat(epsilon=epsilon)) for epsilon in (None, 0.1))
    assert (largest.kind, largest.value, largest.details["margin"]) == (Kind.LOWER_BOUND, 0.0, 0.0)
    assert (at_epsilon.kind, at_epsilon.details["reason"]) == (Kind.ABSTAINED, "not_proven")


def test_all_methods_are_certain_and_cost_nothing_but_the_clean_row() -> None:
    model, _, _ = linear(0)
    rows = np.random.default_rng(0).random((2, 50), dtype=np.float32)
    for chosen in (m for m in METHODS if m.name in CERTIFICATES):
        for finding in found(model, rows, chosen.name, Threat()):
            assert (finding.queries, finding.gradients, finding.confidence) == (1, 0, 1.0)
            assert finding.details["relaxation"] == ("intervals" if chosen.name == "intervals" else "crown")
            assert finding.details["margin"] > 0


@pytest.mark.reference
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("net", [*NETS, *SLOW_NETS])
def test_no_attack_on_a_published_network_comes_nearer_than_the_certificates_allow(net: str, norm: Norm) -> None:
    model = opened(data_folder(f"nets/{net}.onnx").read_bytes())
    if net == "mnist-7":  # takes grey values up to 255
        check_brackets(
            model, 255 * images(model.shape, 2), norm, Box(np.zeros((), np.float32), np.full((), 255, np.float32))
        )
    else:
        check_brackets(model, images(model.shape, 1 if net in SLOW_NETS else 3), norm, steps=80)


@pytest.mark.reference
@pytest.mark.parametrize("norm", NORMS)
def test_no_attack_on_cart_pole_comes_nearer_than_the_certificates_allow(norm: Norm) -> None:
    model = opened(data_folder("nets/ppo_CartPole-v1.onnx").read_bytes())
    rows = np.random.default_rng(2).normal(0, 0.5, (5, 4)).astype(np.float32)
    check_brackets(model, rows, norm, Box.unbounded())
