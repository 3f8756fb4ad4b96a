"""What a terminal says of an attack by the queries it sent; nothing where the service does not tell."""

import pytest

from brinell.printing.scores_table import print_summary
from tests.unit.brinell.stand_in import SUMMARY

RATE = {"value": 0.25, "low": 0.1, "high": 0.5}
TOLD = {
    "success_at_queries": {"100": RATE, "180": RATE | {"value": 0.5}},
    "distance_at_queries": {"100": None, "180": 0.1234567},
    "queries_all": {"mean": 90.25, "median": 90, "mean_with_prepare": 90.25},
}


def printed(capsys: pytest.CaptureFixture[str], **changes: object) -> str:
    print_summary({"summary": SUMMARY | changes}, "square")  # type: ignore[typeddict-item]
    return capsys.readouterr().out


def test_what_was_reached_by_how_many_queries_is_told_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, **TOLD)
    assert "  broken: 25.0% by 100, 50.0% by 180 queries\n" in said
    assert "  median distance: – by 100, 0.1235 by 180 queries\n" in said
    assert "  queries a sample, those not broken charged in full: mean 90.2, median 90.0\n" in said


def test_what_a_stage_before_sent_is_told_beside_the_mean(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, queries_all=TOLD["queries_all"] | {"mean_with_prepare": 190.25})
    assert "mean 90.2, median 90.0; mean 190.2 with those of the prepare stage\n" in said


@pytest.mark.parametrize("told", [{}, dict.fromkeys(TOLD)], ids=["older", "null"])
def test_nothing_is_told_where_the_service_tells_nothing(capsys: pytest.CaptureFixture[str], told: dict) -> None:
    said = printed(capsys, **told)
    assert "broken" not in said and "median distance" not in said and "charged in full" not in said
