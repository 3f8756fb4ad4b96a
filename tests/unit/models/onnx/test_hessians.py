"""Products with Hessians through torch: right, the same alone and in company, for every smooth part that nets have."""

from copy import deepcopy

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.scores.clever_second_order.params import SecondOrderParams
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Threat
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import classic

SHAPE = (2, 6, 6)
PARTS = {
    "tanh": [nn.Flatten(), nn.Linear(72, 9), nn.Tanh(), nn.Linear(9, 4)],
    "sigmoid, batch norm": [nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Sigmoid(), nn.Flatten(), nn.Linear(48, 4)],
    "softplus, average pool": [nn.Conv2d(2, 3, 3), nn.Softplus(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 4)],
    "gelu, global pool": [
        nn.Conv2d(2, 5, 3, padding=1),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 4),
    ],
    "silu, layer norm": [nn.Flatten(), nn.Linear(72, 9), nn.SiLU(), nn.LayerNorm(9), nn.Linear(9, 4)],
    "soft-max inside": [nn.Flatten(), nn.Linear(72, 9), nn.Softmax(dim=1), nn.Linear(9, 4)],
    "soft-max tail": [nn.Flatten(), nn.Linear(72, 9), nn.Tanh(), nn.Linear(9, 4), nn.Softmax(dim=1)],
    "linear": [nn.Flatten(), nn.Linear(72, 4)],
}


def exported(*layers: nn.Module, opset: int = 17) -> tuple[nn.Module, OnnxClassifier]:
    """The network without its soft-max in double precision, and as it is audited."""
    torch.manual_seed(0)
    for layer in layers:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.4)
            nn.init.uniform_(layer.bias, -0.2, 0.2)
    net = nn.Sequential(*layers).eval()
    network = read(onnx.load_from_string(classic(net, torch.zeros(1, *SHAPE), opset, True)), None)
    body = net[:-1] if isinstance(net[-1], nn.Softmax) else net
    return deepcopy(body).double(), OnnxClassifier(network, differentiator(network, DEVICE), DEVICE)


def questions(m: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    rows, ways = rng.random((m, *SHAPE), np.float32), rng.normal(size=(m, *SHAPE)).astype(np.float32)
    labels = rng.integers(0, 4, m)
    return rows, ways, labels, (labels + rng.integers(1, 4, m)) % 4


@pytest.mark.parametrize("name", PARTS)
def test_products_are_those_of_the_whole_hessian(name):
    net, model = exported(*PARTS[name])
    smooth = model.offers["gradients"]
    assert smooth.kinks() == ()
    rows, ways, labels, rivals = questions(5)
    found = smooth.hessian_products(rows, ways, labels, rivals)
    for row, way, label, rival, product in zip(rows, ways, labels, rivals, found, strict=True):

        def margin(x: torch.Tensor, label: int = label, rival: int = rival) -> torch.Tensor:
            z = net(x[None])[0]
            return z[label] - z[rival]

        H = torch.autograd.functional.hessian(margin, torch.from_numpy(row).double()).reshape(72, 72).numpy()
        exact = (H @ way.ravel()).reshape(SHAPE)
        np.testing.assert_allclose(product, exact, rtol=1e-4, atol=1e-5 * max(np.abs(exact).max(), 1e-30))


@pytest.mark.parametrize("name", ["softplus, average pool", "silu, layer norm"])
def test_a_row_has_the_same_product_alone_and_in_any_company(name):
    _, model = exported(*PARTS[name])
    smooth, asked = model.offers["gradients"], questions(77)
    together = smooth.hessian_products(*asked)
    for i in (0, 31, 32, 76):
        assert np.array_equal(smooth.hessian_products(*(part[i : i + 1] for part in asked))[0], together[i])


def score(model: OnnxClassifier) -> tuple[Kind, dict[str, object]]:
    x = np.random.default_rng(1).random((2, *SHAPE), np.float32)
    params = SecondOrderParams(batches=3, batch_size=8, steps=4)
    chosen = method("clever_second_order")
    outcomes = run(model, Samples(x, (0, 1), None), chosen, params, Threat(Norm.L2), Budget(None), seed=0)
    return outcomes[0].finding.kind, outcomes[0].finding.details


@pytest.mark.parametrize(
    ("layers", "operators"),
    [
        ([nn.Flatten(), nn.Linear(72, 9), nn.ReLU(), nn.Linear(9, 4)], ["Relu"]),
        ([nn.MaxPool2d(2), nn.Tanh(), nn.Flatten(), nn.Linear(18, 4)], ["MaxPool"]),
        ([nn.Flatten(), nn.Linear(72, 9), nn.LeakyReLU(), nn.ELU(), nn.Linear(9, 4)], ["Elu", "LeakyRelu"]),
    ],
    ids=["relu", "max pool", "two"],
)
def test_a_network_with_kinks_is_abstained_from_and_the_operators_are_named(layers, operators):
    _, model = exported(*layers)
    assert score(model) == (Kind.ABSTAINED, {"reason": "not_smooth", "operators": operators})


def test_a_smooth_network_has_a_score_below_its_first_order_distance():
    kind, details = score(exported(*PARTS["gelu, global pool"])[1])
    assert kind is Kind.ESTIMATE
    assert details["max_curvature"] >= max(0.0, details["curvature_at_sample"])
    assert details["max_sample_score"] < details["first_order_distance"]
