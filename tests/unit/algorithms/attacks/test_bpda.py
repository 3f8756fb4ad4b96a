"""BPDA against closed forms: on a staircase it goes by the slope of what was rounded; on other models it is PGD."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Finding, Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import ClosedForm, Linear, Staircase

STEP = 1 / 64


def linear() -> Linear:
    rng = np.random.default_rng(0)
    return Linear(rng.normal(size=(4, 20)), 0.1 * rng.normal(size=4))


def staircase() -> Staircase:
    """The linear model behind rounding, with the linear model's gradients for substitutes."""
    model = Staircase(linear(), STEP)
    model.substitutes = model.linear
    return model


def findings(model: ClosedForm, name: str, norm: Norm, epsilon: float | None = None, **params: int) -> list[Finding]:
    x = np.random.default_rng(1).uniform(0.2, 0.8, (6, 20)).astype(np.float32)
    chosen, threat = method(name), Threat(norm, Box.unbounded(), epsilon=epsilon)
    outcomes = run(
        model, Samples(x, tuple(range(6)), None), chosen, chosen.params(**params), threat, Budget(None), seed=0
    )
    for outcome, own in zip(outcomes, x, strict=True):
        if outcome.x_adv is not None:
            assert model.labels(outcome.x_adv[None])[0] != model.labels(own[None])[0]
    return [outcome.finding for outcome in outcomes]


@pytest.mark.parametrize("norm", NORMS)
def test_it_finds_on_a_staircase_what_the_linear_model_behind_it_has(norm):
    """Rounding moves no feature by more than half a step, so the boundary by half a step of all of them at most."""
    moved = np.linalg.norm(np.full(20, STEP / 2), norm.p)
    for finding, true in zip(findings(staircase(), "bpda", norm), findings(linear(), "pgd", norm), strict=True):
        assert finding.value <= 1.02 * true.value + 2 * moved
        assert finding.details["zero_gradient_share"] == 0.0


@pytest.mark.parametrize("name", ["pgd", "clever", "steepest"])
def test_nothing_else_takes_substitutes_for_gradients(name):
    found = findings(staircase(), name, Norm.LINF, None if name != "pgd" else 0.02)
    assert {finding.kind for finding in found} == {Kind.ABSTAINED}
    if name == "pgd":
        assert {finding.details["zero_gradient_share"] for finding in found} == {1.0}
    else:
        assert {finding.details["reason"] for finding in found} == {"gradient_masked"}


@pytest.mark.parametrize("epsilon", [None, 0.2])
def test_with_true_gradients_for_substitutes_it_is_pgd(epsilon):
    """But for the random numbers, which are each method's own."""
    one, other = (findings(linear(), name, Norm.L2, epsilon, restarts=1) for name in ("bpda", "pgd"))
    assert one == other
