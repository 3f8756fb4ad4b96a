"""Every metric that decides x every alarm: a pass by the silence of attacks waits for a waiver, and no other does."""

from datetime import date
from itertools import product

import numpy as np
import pytest

from audits.document.verdict import MASKING
from audits.evidence.alarms import CHECKS
from audits.policy.doubts import Doubts
from audits.policy.judging import Ground, judge
from audits.policy.metrics import METRICS
from audits.policy.policy import AT_A_RADIUS, Policy
from tests.unit.audits.tables import rule, table

DIRECTIONS = ("at_least", "at_most")
METRIC_NAMES = (*(name for name, metric in METRICS.items() if metric.evidence != "estimate"), "robust_accuracy")
HALF = np.arange(40) < 20
ON = table(
    correct=np.ones(40, np.bool_), lower=np.where(HALF, 0.4, 0.0), upper=np.where(HALF, 0.5, 0.2),
    smoothed=np.where(HALF, 0.4, 0.0),
)  # fmt: skip
EVERY = np.ones(40)
BROKEN = table(correct=EVERY.astype(np.bool_), upper=0 * EVERY, smoothed=0.4 * EVERY)


def verdict(metric, direction, on, masks=()):
    """Of a rule that asks for no more than what was observed."""
    at = {"at": 0.3} if metric in AT_A_RADIUS else {}
    observed = {"at_least": 0.0, "at_most": 1.0}[direction] if metric == "robust_accuracy" else seen(metric, at)
    policy = Policy(rules=(rule(metric, **{direction: observed}, **at),))
    return judge(policy, Ground(on, None, None, Doubts((), masks), date(2026, 11, 28))).rules[0].verdict


def seen(metric, at):
    reading = METRICS[metric].read(ON, at.get("at"))
    return float(reading.value)


@pytest.mark.parametrize(("metric", "direction"), list(product(METRIC_NAMES, DIRECTIONS)))
@pytest.mark.parametrize("alarm", MASKING)
def test_what_waits_is_what_better_attacks_could_undo(metric, direction, alarm):
    """They could undo it if it does not pass where everything is broken at once."""
    assert verdict(metric, direction, ON) == "pass"
    passes_if_all_broke = verdict(metric, direction, BROKEN) == "pass"
    is_empirical = metric in METRICS and METRICS[metric].evidence == "empirical"
    waits = verdict(metric, direction, ON, [alarm]) == "inconclusive"
    assert waits == (is_empirical and not passes_if_all_broke)


def test_every_alarm_that_holds_back_can_be_waived_and_no_other():
    assert {check.code for check in CHECKS if check.holds_back} == set(MASKING)
