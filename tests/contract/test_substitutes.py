"""Files that hide a known radius in steps: the attack by substitutes comes near it, and all others stay honest."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Finding
from algorithms.threats.threat import Threat
from audits.renderings.render import render
from models.opening import open_model
from tests.devices import DEVICE
from tests.masks import ridges, stairs, tails
from tests.masks.auditing import audited, inspected
from tests.masks.hidden import Hidden

STEPS = {
    "floor": ("Floor",),
    "round": ("Round",),
    "quantized and back": ("Round",),
    "cast to whole numbers": ("Cast",),
    "thermometer": ("GreaterOrEqual",),
    "floor, and a trace of a slope": ("Floor",),
    "checkerboard": ("Floor",),
    "square wave": ("Sign",),
    "gradient cancelled": ("Round",),
    "stairs with a slope": ("Round",),
    "one-hot scores": ("GreaterOrEqual",),
    "ranks for scores": ("Greater",),
}
MASKS = stairs.MASKS | ridges.MASKS | tails.MASKS
CLOSE, FARTHEST = 1.03, 1.6  # times r*: of the samples of all files in the median, and of any


def findings(hidden: Hidden, name: str, norm: Norm, **params: object) -> list[Finding]:
    model, chosen = open_model(inspected(hidden.data), hidden.data, device=DEVICE), method(name)
    what = Samples(hidden.x, tuple(range(len(hidden.x))), hidden.y)
    outcomes = run(model, what, chosen, chosen.params(**params), Threat(norm), Budget(), seed=0)
    return [outcome.finding for outcome in outcomes]


@pytest.mark.parametrize("norm", [Norm.LINF, Norm.L2, pytest.param(Norm.L1, marks=pytest.mark.every)])
def test_it_comes_near_the_true_radius_of_files_that_cut_their_input_into_steps(norm):
    met = []
    for name, steps in STEPS.items():
        hidden = MASKS[name]()
        assert inspected(hidden.data).substitutes == steps
        found = findings(hidden, "bpda", norm, steps=20, search_steps=8)
        shares = np.array([finding.value for finding in found]) / hidden.radii[norm]
        assert (shares >= 1 - hidden.slack).all() and (shares <= FARTHEST).all(), (name, shares)
        met.append(shares)
    assert np.median(np.concatenate(met)) <= CLOSE


@pytest.mark.parametrize("name", ["round", "checkerboard", "gradient cancelled"])
def test_scores_see_the_true_gradients_and_abstain(name):
    hidden = MASKS[name]()
    for score, params in (("clever", {"batches": 10, "batch_size": 16}), ("steepest", {})):
        for finding in findings(hidden, score, Norm.L2, **params):
            assert (finding.value, finding.details["reason"]) == (None, "gradient_masked")


@pytest.mark.parametrize(("name", "offered"), [("thermometer", False), ("round", True)])
def test_an_audit_tells_that_an_attack_went_by_substitutes_and_still_that_gradients_are_masked(name, offered):
    hidden = MASKS[name]()
    card, at = inspected(hidden.data), 0.5 * float(hidden.radii[Norm.LINF].min())
    assert ("gradients" in card.offers) == offered
    rule = {"name": "holds", "metric": "empirical_robust_accuracy", "at": at, "at_least": 0.1}
    asked = {"recipe": "quick-2", "threat": {"norm": "linf", "box": [0, 1]}, "policy": {"rules": [rule]}}
    report = audited(hidden.data, card, hidden.x, hidden.y, **asked)
    codes = {alarm.code for alarm in report.alarms}
    assert "masked_gradients" in codes and "no_white_box" not in codes
    assert [rule.verdict for rule in report.rules] == ["inconclusive"], "what no attack found proves nothing here"
    for row, true in zip(report.samples, hidden.radii[Norm.LINF], strict=True):
        assert row.methods["bpda"].value <= 1.05 * true
    shown = render(report, "html").decode()
    assert f"stand for gradients of {', '.join(card.substitutes)}, for the attack bpda alone" in shown
    assert "bpda went by substitutes for gradients" in shown
