"""A card beside the processor: the same numbers up to rounding, and bounds that hold for both."""

from typing import Any, cast

import numpy as np
import pytest
import torch

from algorithms.driver.running import Samples
from algorithms.mathematics.norms import Norm
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from tests.card.conftest import Open
from tests.card.questions import NETS, QUESTIONS, ask, rows_of
from tests.devices import DEVICE
from tests.laws.members import go

pytestmark = pytest.mark.card

ROUNDING = {"scores": 2e-6, "gradients": 2e-6, "norms": 2e-6, "crown": 1e-9, "intervals": 1e-9}  # of the largest


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("net", NETS)
def test_a_card_answers_as_the_processor_does(opened: Open, net: str, question: str) -> None:
    ours, theirs = opened(net, DEVICE), opened(net, "cpu")
    assert set(ours.offers) == set(theirs.offers)
    rows = rows_of(theirs, 20)
    expected = ask(theirs, question, rows)
    limit = ROUNDING[question] * float(np.abs(expected).max())
    np.testing.assert_allclose(ask(ours, question, rows), expected, rtol=0, atol=limit)


@pytest.mark.parametrize("net", NETS)
def test_bounds_at_radius_0_lie_below_what_the_card_itself_answers(opened: Open, net: str) -> None:
    model = opened(net, DEVICE)
    rows = rows_of(model, 60)
    scores = cast(Any, model).scores(rows).astype(np.float64)
    low = ask(model, "crown", rows)
    assert (low <= scores[:, :1] - scores[:, 1:]).all()


def test_what_is_certified_on_the_card_is_broken_by_no_attack_there(opened: Open) -> None:
    model = opened("digits", DEVICE)
    what = Samples(rows_of(model, 8), tuple(range(8)), None)
    bounds = {}
    for name in ("crown", "pgd"):
        found = go(method(name), Norm.LINF, cast(Any, model), what, epsilon=None if name == "crown" else 0.5)
        bounds[name] = {o.finding.index: o.finding for o in found}
    for index, attack in bounds["pgd"].items():
        proof = bounds["crown"][index]
        if attack.kind is Kind.UPPER_BOUND and proof.value is not None and attack.value is not None:
            assert proof.value <= attack.value


def test_a_card_computes_in_float32_whoever_opened_the_model(opened: Open) -> None:
    opened("cnn", DEVICE)
    assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
    assert Access.GRADIENTS in opened("cnn", DEVICE).offers
