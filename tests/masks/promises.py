"""What every audit of a masked model is held to: no number says more than is true."""

import numpy as np

from algorithms.mathematics.norms import Norm
from audits.document.report import Report
from tests.masks.hidden import Hidden

BEYOND = 1.2  # of r*, where none of the samples is right any more
NOTHING_HELD = 0.01  # the radius of the rules where r* is 0


def rules(hidden: Hidden, norm: Norm) -> list[dict[str, object]]:
    """What a model must not pass of which no sample is right at the radius that is asked."""
    at = BEYOND * float(hidden.radii[norm].max()) or NOTHING_HELD
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


def hold(report: Report, hidden: Hidden, norm: Norm) -> None:
    """Every bracket holds r*, none is certified beyond it, and none of the rules passes."""
    truth = hidden.radii[norm]
    lower = np.array([0.0 if row.lower is None else row.lower for row in report.samples])
    upper = np.array([np.inf if row.upper is None else row.upper for row in report.samples])
    assert len(lower) == len(truth)
    assert (lower <= truth * (1 + hidden.slack)).all(), lower / truth
    assert (upper >= truth * (1 - hidden.slack)).all(), upper / truth
    passed = [(rule.name, rule.observed) for rule in report.rules if rule.verdict == "pass"]
    assert report.rules and not passed, [alarm.code for alarm in report.alarms]
