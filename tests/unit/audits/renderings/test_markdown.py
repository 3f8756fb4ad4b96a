"""The summary begins with the verdict, stays small, and no name breaks out of its cell."""

from itertools import pairwise

import pytest

from audits.renderings.markdown import render
from tests.reports_for_tests import report
from tests.unit.audits.renderings.documents import DOCUMENTS, of_a_stranger

LIMIT = 1 << 20  # of a step's summary on GitHub


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_verdict_comes_first_and_all_of_it_fits(name):
    text, document = render(DOCUMENTS[name]), DOCUMENTS[name]
    assert (document.verdict or "no verdict") in text.splitlines()[0].lower()
    assert len(text.encode()) < LIMIT


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_row_of_a_table_has_the_cells_of_its_head(name):
    lines = render(DOCUMENTS[name]).splitlines()
    for before, line in pairwise(lines):
        if before.startswith("|") and line.startswith("|"):
            assert _cells(before) == _cells(line)


def _cells(line: str) -> int:
    return line.replace("\\\\", "").replace("\\|", "").count("|")


def test_every_rule_is_there():
    text = render(report())
    assert all(f"| {rule.name} |" in text for rule in report().rules)
    assert "| ❌ fail, waived | certified |" in text


def test_a_hostile_name_is_text():
    text = render(of_a_stranger())
    assert "<script" not in text
    assert "[y](" not in text
    assert "://" not in text
    assert "www.evil" not in text
    assert "@all" not in text
    assert "\u202e" not in text


def test_medians_have_their_intervals_and_unusual_scores_are_counted():
    text = render(report())
    assert "95\u202f%: 0.250 to 0.400" in text and "95\u202f%: 0.600 to ∞" in text
    assert "| Unusual CLEVER scores | 3 | 2 degenerate, 1 gradient masked |" in text


def test_an_estimate_is_called_one():
    line = next(line for line in render(report()).splitlines() if line.startswith("| Median CLEVER"))
    assert "≈" in line
    assert "estimate, no bound" in line
