"""Models that hide how little it takes to fool them, audited as any other: no number says more than is true.

Of each the exact r* is known. Every audit is held to three promises: lower <= r* <= upper for every sample; no radius
is certified beyond r*; and at 1.2 r*, where none of the samples is right any more, no rule of a policy passes.
"""

import numpy as np
import pytest

from algorithms.mathematics.norms import NORMS, Norm
from audits.document.report import Report
from tests.masks import ridges, stairs, tails
from tests.masks.auditing import audited, inspected
from tests.masks.hidden import Hidden, Numbers

MASKS = tails.MASKS | ridges.MASKS | stairs.MASKS
RECIPES = {Norm.L1: ("quick-2",), Norm.L2: ("quick-1", "quick-2"), Norm.LINF: ("quick-2",)}
CASES = [(name, norm, recipe) for name in MASKS for norm in NORMS for recipe in RECIPES[norm]]
BEYOND = 1.2


def rules(at: float) -> list[dict[str, object]]:
    """What a model must not pass of which no sample is right `at` this radius."""
    at_a_radius = {
        "empirical_robust_accuracy": {"at_least": 0.5},
        "certified_accuracy": {"at_least": 0.01},
        "robust_accuracy": {"at_least": 0.01},
        "attack_success_rate": {"at_most": 0.5},
    }
    medians = ("median_upper_bound", "median_lower_bound")
    return [
        *({"name": metric, "metric": metric, "at": at, **bound} for metric, bound in at_a_radius.items()),
        *({"name": metric, "metric": metric, "at_least": at} for metric in medians),
    ]


def report_of(hidden: Hidden, norm: Norm, recipe: str) -> Report:
    at = BEYOND * float(hidden.radii[norm].max())
    threat = {"norm": norm, "box": [0, 1]}
    card = inspected(hidden.data)
    return audited(hidden.data, card, hidden.x, hidden.y, recipe=recipe, threat=threat, policy={"rules": rules(at)})


def ends(report: Report) -> tuple[Numbers, Numbers]:
    lower = [0.0 if row.lower is None else row.lower for row in report.samples]
    upper = [np.inf if row.upper is None else row.upper for row in report.samples]
    return np.array(lower), np.array(upper)


@pytest.mark.parametrize(("name", "norm", "recipe"), CASES)
def test_no_number_says_more_of_a_masked_model_than_is_true(name: str, norm: Norm, recipe: str) -> None:
    hidden = MASKS[name]()
    report, truth = report_of(hidden, norm, recipe), hidden.radii[norm]
    lower, upper = ends(report)
    assert (lower <= truth * (1 + hidden.slack)).all(), lower / truth
    assert (upper >= truth * (1 - hidden.slack)).all(), upper / truth
    passed = [(rule.name, rule.observed) for rule in report.rules if rule.verdict == "pass"]
    assert not passed, [alarm.code for alarm in report.alarms]


def test_there_are_enough_masks_to_mean_something() -> None:
    assert len(MASKS) >= 30
