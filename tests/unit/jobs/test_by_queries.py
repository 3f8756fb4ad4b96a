"""What an attack reached by how many queries, against numbers worked out by hand."""

import numpy as np
import pytest

from algorithms.mathematics.statistics import clopper_pearson
from algorithms.seam.claims import Finding, Kind
from jobs.summary import Preparation, Summary, summarize
from tests.jobs_for_tests import finding, ready_card, result, samples_card, spec

WRONG = finding(0, Kind.MISCLASSIFIED, 0.0, predicted=2, queries=1)
NOT_FOUND = finding(0, Kind.ABSTAINED, None, queries=900)
CARD, SAMPLES = ready_card(), samples_card()


def broken(*curve: tuple[int, float], queries: int = 1000) -> Finding:
    points = [list(point) for point in curve]
    return finding(0, Kind.UPPER_BOUND, points[-1][1], queries=queries, details={"curve": points})


def summary(
    *findings: Finding, budget: int | None = 1000, method: str = "square", prepared: Preparation | None = None
) -> Summary:
    asked = spec(CARD, SAMPLES, method={"name": method}, budget={"queries_per_sample": budget})
    return summarize(asked, [result((), findings=findings)], prepared)


def test_success_is_told_by_queries_over_the_samples_that_were_tried() -> None:
    found = summary(WRONG, broken((7, 2.0), (400, 1.0)), broken((100, 3.0)), broken((101, 3.0)), NOT_FOUND)
    assert {n: rate.value for n, rate in found.success_at_queries.items()} == {
        100: 0.5,
        250: 0.75,
        500: 0.75,
        1000: 0.75,
    }
    assert (found.success_at_queries[100].low, found.success_at_queries[100].high) == clopper_pearson(2, 4)
    assert found.success_at_queries[1000] == found.success_rate


def test_what_is_told_ends_with_the_budget() -> None:
    one = broken((7, 2.0), queries=9)
    assert list(summary(one, budget=60).success_at_queries) == [60]
    assert list(summary(one, budget=100).success_at_queries) == [100]
    assert list(summary(one, budget=12_000).success_at_queries) == [100, 250, 500, 1000, 2500, 5000, 10_000, 12_000]


def test_a_sample_that_was_not_broken_counts_the_whole_budget() -> None:
    every = summary(WRONG, broken((5, 1.0), queries=30), broken((5, 1.0), queries=50), NOT_FOUND).queries_all
    assert (every.mean, every.median, every.mean_with_prepare) == (360, 50, 360)


def test_what_was_prepared_is_shared_among_the_samples() -> None:
    prepared = Preparation(artifact="a" * 64, queries=500, seconds=1)
    every = summary(broken((5, 1.0), queries=30), NOT_FOUND, prepared=prepared).queries_all
    assert (every.mean, every.mean_with_prepare) == (515, 765)


def test_what_a_warm_up_asked_is_in_every_number_of_queries() -> None:
    """Sixteen samples, sixty queries each: a point found at its own 50th query was found at the 110th."""
    asked = spec(CARD, samples_card(count=16), method={"name": "decision"}, budget={"queries_per_sample": 1000})
    found = [broken((50, 2.0), (440, 1.0), queries=900), broken((30, 3.0), queries=900), NOT_FOUND]
    prepared = Preparation(artifact="a" * 64, queries=960, seconds=1)
    told = summarize(asked, [result((), findings=tuple(found))], prepared)
    assert [told.success_at_queries[n].value for n in (100, 250)] == [1 / 3, 2 / 3]
    assert [told.distance_at_queries[n] for n in (100, 250, 500)] == [None, 3.0, 3.0]
    assert told.queries_all.mean == pytest.approx((900 + 900 + 940) / 3)


def test_what_a_preparation_warns_of_is_a_warning_of_the_job() -> None:
    prepared = Preparation(artifact="a" * 64, seconds=1, warnings=("auxiliary_overlap",))
    assert summary(broken((5, 1.0)), prepared=prepared).warnings == ("auxiliary_overlap",)


def test_the_median_distance_falls_and_is_unknown_until_more_than_half_of_the_samples_are_broken() -> None:
    found = summary(broken((7, 2.0), (200, 1.0)), broken((300, 4.0), (900, 0.5)), NOT_FOUND)
    assert found.distance_at_queries == {100: None, 250: None, 500: 4.0, 1000: 1.0}
    assert summary(broken((7, 2.0)), NOT_FOUND).distance_at_queries == dict.fromkeys([100, 250, 500, 1000])


def test_the_area_is_that_below_the_median_distance_as_lines_between_checkpoints() -> None:
    one = broken((5, 8.0), (90, 4.0))
    by_hand = 5 * 8 + (10 - 5) * 8 + (25 - 10) * 8 + (50 - 25) * 8 + (100 - 50) * 6 + 900 * 4
    assert summary(one).distance_area == pytest.approx(by_hand / 1000)
    assert summary(one, NOT_FOUND).distance_area is None


def test_a_better_attack_has_a_smaller_area() -> None:
    rng = np.random.default_rng(0)
    costs, distances = np.sort(rng.integers(1, 1000, 20)).tolist(), np.sort(rng.uniform(size=20))[::-1].tolist()
    areas = [summary(broken(*zip(costs, [k * d for d in distances], strict=True))).distance_area for k in (1.0, 0.5)]
    assert areas[1] == pytest.approx(0.5 * areas[0])


@pytest.mark.parametrize(("method", "budget"), [("pgd", 1000), ("clever", 1000), ("square", None)])
def test_nothing_is_told_by_queries_where_they_are_not_what_limits_an_attack(method: str, budget: int | None) -> None:
    found = summary(broken((5, 1.0)), method=method, budget=budget)
    told = (found.success_at_queries, found.queries_all, found.distance_at_queries, found.distance_area)
    assert told == (None, None, None, None)


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"curve": "a word"},
        {"curve": []},
        {"curve": [[1, 2, 3]]},
        {"curve": [[1, float("nan")]]},
        {"curve": [[1, -0.5]]},
        {"curve": [[1, 0.5]] * 33},
        {"curve": {"sha256": "a" * 64, "bytes": 9}},
    ],
    ids=["older", "word", "empty", "triple", "nan", "negative", "long", "moved away"],
)
def test_nothing_is_told_of_what_is_no_curve(details: dict[str, object]) -> None:
    other = finding(1, Kind.UPPER_BOUND, 0.5, details=details)
    found = summary(broken((5, 1.0)), other)
    assert (found.success_at_queries, found.queries_all) == (None, None)
    assert found.success_rate.value == 1


def test_a_summary_of_before_is_read_without_these_fields() -> None:
    new = {"success_at_queries", "queries_all", "distance_at_queries", "distance_area"}
    told = summary(broken((5, 1.0)))
    before = Summary.model_validate_json(told.model_dump_json(exclude=new))
    assert before == told.model_copy(update=dict.fromkeys(new))
    assert Summary.model_validate_json(told.model_dump_json()) == told
