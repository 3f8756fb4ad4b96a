"""Ordinary models, audited as the masked ones are: nothing says that they mask anything, and their brackets stand."""

import pytest

from algorithms.mathematics.norms import Norm
from audits.document.report import Report
from tests.masks.auditing import audited, inspected
from tests.masks.controls import CONTROLS

ASKED = ((Norm.L2, "quick-1"), (Norm.LINF, "quick-2"))
DEAREST = (("digits", "quick-2"), ("digits, robust", "quick-1"))  # half of the convolutional digits is `every`
CASES = [
    pytest.param(name, norm, recipe, marks=pytest.mark.every if (name, recipe) in DEAREST else ())
    for name in CONTROLS
    for norm, recipe in ASKED
]


def report_of(name: str, norm: Norm, recipe: str) -> Report:
    control = CONTROLS[name]()
    card = inspected(control.data, kind=control.kind)
    return audited(control.data, card, control.x, control.y, recipe=recipe, threat={"norm": norm, "box": [0, 1]})


@pytest.mark.parametrize(("name", "norm", "recipe"), CASES)
def test_no_ordinary_model_is_alarmed(name: str, norm: Norm, recipe: str) -> None:
    report = report_of(name, norm, recipe)
    assert not [alarm.code for alarm in report.alarms if alarm.holds_back or alarm.severity == "error"]
    assert all(row.upper is not None and (row.lower or 0) <= row.upper for row in report.samples)
    assert report.summary.clean_accuracy is not None and report.summary.clean_accuracy.value == 1


def test_there_are_enough_ordinary_models_to_mean_something() -> None:
    assert len(CONTROLS) >= 8
