"""What torch models return in pairs, by both exporters: the class that they serve is judged, and it is torch's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from algorithms.seam.access import Access
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import classic, dynamo

LABELS, SCORES, GRADIENTS, BOUNDS = Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS
ALL, UNPROVEN = (LABELS, SCORES, GRADIENTS, BOUNDS), (LABELS, SCORES, GRADIENTS)


class Returning(nn.Module):
    """A body, and what a model returns of its logits."""

    def __init__(self, body: nn.Module, give: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.body, self.give = body, give

    def forward(self, x: Tensor) -> Any:
        return self.give(self.body(x))


class LastStep(nn.Module):
    """An LSTM whose last step is classified."""

    def __init__(self) -> None:
        super().__init__()
        self.steps, self.head = nn.LSTM(4, 6, batch_first=True), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.steps(x)[0][:, -1])


@dataclass(frozen=True)
class Case:
    give: Callable[[Tensor], Any]
    served: Callable[[Tensor], Tensor]  # the class of each row
    offers: tuple[Access, ...] = ALL
    classes: int = 4


def best(z: Tensor) -> Tensor:
    return z.argmax(1)


def rate(z: Tensor) -> Tensor:
    return z[:, 0].sigmoid()


CASES = {
    "logits and label": Case(lambda z: (z, z.argmax(1)), best),
    "logits and label, kept": Case(lambda z: (z, z.argmax(1, keepdim=True)), best),
    "probabilities and label": Case(lambda z: (z.softmax(1), z.softmax(1).argmax(1)), best),
    "log-probabilities and label": Case(lambda z: (z.log_softmax(1), z.argmax(1)), best),
    "logits and probabilities": Case(lambda z: (z, z.softmax(1)), best),
    "label": Case(lambda z: z.argmax(1), best, (LABELS,)),
    "label and confidence": Case(lambda z: z.softmax(1).max(1), best, (LABELS,)),
    "the three likeliest": Case(lambda z: z.softmax(1).topk(3, 1), best, (LABELS,)),
    "the likeliest": Case(lambda z: z.topk(1, 1), best, (LABELS,)),
    "a rate and its class": Case(lambda z: (rate(z), (rate(z) > 0.5).long()), lambda z: rate(z) > 0.5, UNPROVEN, 2),
    "a rate and its class from 0.4 on": Case(
        lambda z: (rate(z), (rate(z) > 0.4).int()), lambda z: rate(z) > 0.4, UNPROVEN, 2
    ),
    "a rate, rounded": Case(
        lambda z: (z[:, :1].sigmoid(), z[:, :1].sigmoid().round()), lambda z: rate(z) > 0.5, UNPROVEN, 2
    ),
    "a logit and its side": Case(lambda z: (z[:, 0], (z[:, 0] > 0).long()), lambda z: z[:, 0] > 0, UNPROVEN, 2),
}


def exported(net: nn.Module, shape: tuple[int, ...], exporter: str) -> bytes:
    example = torch.rand(2, *shape)
    return classic(net, example, 17, any_batch=True) if exporter == "classic" else dynamo(net, example, 18, True)


@pytest.mark.parametrize("exporter", ["classic", "dynamo"])
@pytest.mark.parametrize("name", CASES)
def test_of_a_pair_the_class_that_is_served_is_judged(name: str, exporter: str) -> None:
    case = CASES[name]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        body = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4)).eval()
        rows = torch.randn(100, 6)
    data = exported(Returning(body, case.give), (6,), exporter)
    found = inspect(data, preprocessing=None, device=DEVICE)
    assert found.offers[: len(case.offers)] == case.offers, found.withheld
    assert found.label_output_differs in (None, "0.4" in name)
    model = OnnxClassifier(read(check(data), None), None, DEVICE)
    expected = case.served(body(rows)).numpy().astype(int)
    assert len(set(expected)) > 1
    assert model.classes == case.classes
    np.testing.assert_array_equal(model.labels(rows.numpy()), expected)
    if SCORES in case.offers:
        np.testing.assert_array_equal(model.scores(rows.numpy()).argmax(axis=1), expected)


@pytest.mark.parametrize("exporter", ["classic", "dynamo"])
def test_the_last_step_of_a_recurrent_net_has_gradients(exporter: str) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        net = LastStep().eval()
        rows = torch.randn(50, 5, 4)
    data = exported(net, (5, 4), exporter)
    found = inspect(data, preprocessing=None, device=DEVICE)
    assert found.offers[:3] == UNPROVEN, found.withheld
    model = OnnxClassifier(read(check(data), None), None, DEVICE)
    np.testing.assert_array_equal(model.labels(rows.numpy()), net(rows).argmax(1).numpy())
