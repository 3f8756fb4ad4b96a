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


def test_what_stays_the_same_is_told_once_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    distances = {"100": 0.5, "250": 0.5, "500": 0.25, "1000": 0.25, "2500": 0.25}
    said = printed(capsys, success_at_queries={"100": RATE}, distance_at_queries=distances)
    assert "  broken: 25.0% by 100 queries\n" in said
    assert "  median distance: 0.5000 by 100, 0.2500 by 500, the same by 2500 queries\n" in said


def test_an_average_decision_boundary_distance_is_told_with_how_many_samples_it_is_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = "  average decision boundary distance: 0.1235, of "
    assert f"{told}12 broken samples\n" in printed(capsys, adbd=0.1234567, adbd_samples=12)
    assert f"{told}1 broken sample\n" in printed(capsys, adbd=0.1234567, adbd_samples=1)
    assert "average" not in printed(capsys, adbd=None, adbd_samples=0)


def test_what_a_stage_before_sent_is_told_beside_the_mean(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, queries_all=TOLD["queries_all"] | {"mean_with_prepare": 190.25})
    assert "mean 90.2, median 90.0; mean 190.2 with those of the prepare stage\n" in said
    sent = {"artifact": "a" * 64, "queries": 800, "gradients": 0, "seconds": 9.75}
    said = printed(capsys, prepare=sent | {"details": {"held_out": 20.0, "agreement": 0.95}})
    assert "  cost: 6 queries, 19200 gradients, 1.5 s; to prepare them 800 queries, 9.8 s\n" in said
    assert "  prepared: agreement 0.9500, held out 20\n" in said
    assert "prepared" not in printed(capsys, prepare=sent)


@pytest.mark.parametrize("told", [{}, dict.fromkeys(TOLD)], ids=["older", "null"])
def test_nothing_is_told_where_the_service_tells_nothing(capsys: pytest.CaptureFixture[str], told: dict) -> None:
    said = printed(capsys, **told)
    assert "broken" not in said and "median distance" not in said and "charged in full" not in said
