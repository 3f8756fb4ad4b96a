"""Both ends of one sample: what a method proves below, what it shows above, and what the finding says of them."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.errors import Contradiction
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget, Method, Params
from algorithms.seam.access import Access
from algorithms.seam.claims import Abstained, Claim, Estimate, Exact, Kind, LowerBound, Outcome, UpperBound
from algorithms.seam.cost import Cost
from algorithms.threats.threat import Threat
from tests.truths import Linear

RADIUS = 0.4  # of the sample: 0.1, with the boundary at 0.5
PROVEN = LowerBound(0.1, details={"how": "proof"})


class SayingParams(Params):
    name: Literal["saying"] = "saying"


def point(x: float) -> np.ndarray:
    return np.full(1, x, np.float32)


def at(distance: float) -> UpperBound:
    return UpperBound(point(0.1 + distance), details={"how": "search"})


def probable(radius: float) -> LowerBound:
    return LowerBound(radius, confidence=0.99)


def exact(distance: float = RADIUS + 1e-6, radius: float = RADIUS) -> Exact:
    return Exact(point(0.1 + distance), radius, details={"how": "both"})


def saying(claims: tuple[Claim, ...], proves: Kind | Literal["exact"]) -> Method:
    """A method that makes these claims and asks nothing."""

    def run_(case: object, threat: Threat, params: Params) -> Iterator[Claim]:
        yield from claims

    return Method(
        name="saying",
        version="1",
        family="certificate",
        threat_model="white_box",
        needs=(Access.SCORES,),
        norms=(Norm.L2,),
        goals=("untargeted",),
        epsilon="optional",
        proves=proves,
        reference="none",
        params=SayingParams,
        run=run_,
        cohort=False,
        minimum=lambda params, threat: Cost(queries=1),
        smallest=SayingParams(),
        chunk=1,
    )


class TakesItBack(Linear):
    """Answers every row by class 0 where it is asked beyond a distance, and other than before."""

    def __init__(self, beyond: float) -> None:
        super().__init__(np.array([[-1.0], [0.0]]), np.array([0.5, 0.0]))
        self.beyond = 0.1 + beyond

    def scores(self, rows: np.ndarray) -> np.ndarray:
        return np.where(rows < self.beyond, np.float32([1, 0]), super().scores(rows))


def told(
    *claims: Claim,
    proves: Kind | Literal["exact"] = Kind.LOWER_BOUND,
    believed_from: float = 0.0,
    epsilon: float | None = None,
    queries: int | None = 10,
) -> Outcome:
    """What the driver concludes. Points nearer than `believed_from` are not what they seemed when asked afresh."""
    what, method = Samples(point(0.1)[None], (0,), None), saying(claims, proves)
    threat = Threat(Norm.L2, epsilon=epsilon)
    return run(TakesItBack(believed_from), what, method, SayingParams(), threat, Budget(queries), seed=0)[0]


def test_a_lower_bound_and_a_witness_stand_beside_each_other() -> None:
    for claims in ((PROVEN, at(0.45)), (at(0.45), PROVEN)):
        outcome = told(*claims)
        finding = outcome.finding
        assert (finding.kind, finding.value, finding.confidence) == (Kind.LOWER_BOUND, 0.1, 1.0)
        assert finding.details == {
            "how": "proof",
            "upper": pytest.approx(0.45),
            "trace": [[1, pytest.approx(0.45)]],
            "read_as": 1,
        }
        assert finding.queries == 2
        assert outcome.x_adv == point(0.55)


def test_an_attack_that_proves_something_too_is_told_by_its_point() -> None:
    finding = told(PROVEN, at(0.45), proves=Kind.UPPER_BOUND).finding
    assert (finding.kind, finding.value, finding.confidence) == (Kind.UPPER_BOUND, pytest.approx(0.45), None)
    assert finding.details["how"] == "search"
    assert (finding.details["lower"], finding.details["lower_confidence"]) == (0.1, 1.0)


def test_a_score_that_came_across_a_point_is_told_by_its_score() -> None:
    finding = told(Estimate(0.3), at(0.45), proves=Kind.ESTIMATE).finding
    assert (finding.kind, finding.value, finding.details["upper"]) == (Kind.ESTIMATE, 0.3, pytest.approx(0.45))


@pytest.mark.parametrize("proves", [Kind.LOWER_BOUND, Kind.UPPER_BOUND, "exact"])
def test_where_only_one_end_is_known_it_is_the_finding(proves: Kind | Literal["exact"]) -> None:
    above, below = told(at(0.45), proves=proves).finding, told(PROVEN, proves=proves).finding
    assert (above.kind, above.value) == (Kind.UPPER_BOUND, pytest.approx(0.45)) and "lower" not in above.details
    assert (below.kind, below.value, below.details) == (Kind.LOWER_BOUND, 0.1, {"how": "proof"})


def test_the_largest_radius_and_the_nearest_point_count() -> None:
    finding = told(LowerBound(0.2), PROVEN, at(0.6), at(0.41), at(0.5)).finding
    assert (finding.value, finding.details["upper"]) == (0.2, pytest.approx(0.41))


def test_an_exact_radius_is_a_lower_bound_whose_point_was_measured_and_asked_afresh() -> None:
    outcome = told(exact(), proves="exact")
    finding = outcome.finding
    assert (finding.kind, finding.value, finding.confidence) == (Kind.LOWER_BOUND, RADIUS, 1.0)
    assert finding.details == {
        "how": "both",
        "upper": float(outcome.x_adv[0]) - float(np.float32(0.1)),
        "trace": [[1, pytest.approx(RADIUS, rel=1e-4)]],
        "read_as": 1,
        "exact": True,
    }
    assert finding.queries == 2


def test_where_the_point_is_not_confirmed_the_radius_stands_alone() -> None:
    outcome = told(exact(), proves="exact", believed_from=0.9)
    assert outcome.x_adv is None
    finding = outcome.finding
    assert (finding.kind, finding.value) == (Kind.LOWER_BOUND, RADIUS)
    assert finding.details == {"how": "both", "unconfirmed": 1}


def test_where_the_point_is_not_confirmed_the_one_before_it_is_the_upper_end() -> None:
    finding = told(at(0.6), exact(), proves="exact", believed_from=0.5).finding
    assert (finding.kind, finding.value, finding.details["upper"]) == (Kind.LOWER_BOUND, RADIUS, pytest.approx(0.6))
    assert "exact" not in finding.details


@pytest.mark.parametrize("off", [np.float32(np.nan), np.float32(1.2)], ids=["not a number", "outside the box"])
def test_a_point_that_is_no_input_leaves_the_radius_alone(off: np.float32) -> None:
    outcome = told(Exact(np.full(1, off), RADIUS), proves="exact")
    assert (outcome.finding.kind, outcome.finding.value, outcome.finding.details) == (Kind.LOWER_BOUND, RADIUS, {})
    assert outcome.x_adv is None and outcome.finding.queries == 1


def test_a_point_far_behind_the_radius_is_an_end_but_makes_nothing_exact() -> None:
    finding = told(exact(distance=0.45), proves="exact").finding
    assert (finding.value, finding.details["upper"]) == (RADIUS, pytest.approx(0.45))
    assert "exact" not in finding.details


@pytest.mark.parametrize("claims", [(LowerBound(0.5), at(0.45)), (exact(radius=0.5),)], ids=["two claims", "one claim"])
def test_a_lower_bound_above_a_confirmed_point_fails_the_run(claims: tuple[Claim, ...]) -> None:
    with pytest.raises(Contradiction, match=r"radius of 0\.5 for sample 0.*otherwise at a distance of 0\.4"):
        told(*claims)


def test_a_lower_bound_above_a_point_that_is_not_confirmed_is_no_contradiction() -> None:
    finding = told(LowerBound(0.5), at(0.45), believed_from=0.9).finding
    assert (finding.kind, finding.value, finding.details) == (Kind.LOWER_BOUND, 0.5, {"unconfirmed": 1})


def test_ends_that_differ_by_rounding_are_one() -> None:
    measured = told(at(0.45)).finding.value
    finding = told(LowerBound(measured * (1 + 1e-9)), at(0.45)).finding
    assert finding.value == finding.details["upper"] == measured


def test_a_radius_that_holds_with_a_probability_yields_to_a_point() -> None:
    finding = told(LowerBound(0.5, confidence=0.999), at(0.45)).finding
    assert (finding.kind, finding.value) == (Kind.UPPER_BOUND, pytest.approx(0.45))
    assert "lower" not in finding.details


def test_where_a_probable_radius_is_refuted_the_certain_one_below_the_point_is_told() -> None:
    for claims in ((LowerBound(0.3), probable(0.5)), (probable(0.5), LowerBound(0.3))):
        finding = told(*claims, at(0.42)).finding
        assert (finding.kind, finding.value, finding.confidence) == (Kind.LOWER_BOUND, 0.3, 1.0)
        assert finding.details["upper"] == pytest.approx(0.42)


def test_a_certain_radius_above_a_point_fails_the_run_though_a_larger_probable_one_is_refuted_too() -> None:
    for claims in ((LowerBound(0.45), probable(0.5)), (probable(0.5), LowerBound(0.45))):
        with pytest.raises(Contradiction, match=r"radius of 0\.45 for sample 0.*otherwise at a distance of 0\.41999"):
            told(*claims, at(0.42))


def test_of_radii_that_no_point_refutes_the_largest_is_told_and_of_equal_ones_the_certain() -> None:
    finding = told(LowerBound(0.3), probable(0.35), probable(0.32), at(0.42)).finding
    assert (finding.value, finding.confidence) == (0.35, 0.99)
    finding = told(probable(0.3), LowerBound(0.3), at(0.42)).finding
    assert (finding.value, finding.confidence) == (0.3, 1.0)


def test_an_epsilon_that_a_certain_radius_reaches_is_proven_with_certainty() -> None:
    finding = told(LowerBound(0.3), probable(0.35), epsilon=0.25).finding
    assert (finding.value, finding.confidence) == (0.25, 1.0)


def test_an_exact_radius_is_exact_though_a_lower_bound_had_reached_it() -> None:
    for claims in ((LowerBound(RADIUS), exact()), (exact(), LowerBound(RADIUS)), (probable(RADIUS), exact())):
        finding = told(*claims, proves="exact").finding
        assert (finding.value, finding.confidence) == (RADIUS, 1.0)
        assert (finding.details["how"], finding.details["exact"]) == ("both", True)


@pytest.mark.parametrize(("queries", "spent"), [(1, 1), (2, 2)])
def test_a_witness_that_no_query_is_left_for_is_not_believed(queries: int, spent: int) -> None:
    finding = told(PROVEN, at(0.45), queries=queries).finding
    assert (finding.kind, finding.value, finding.queries) == (Kind.LOWER_BOUND, 0.1, spent)
    assert ("upper" in finding.details) == (spent == 2)


def test_at_an_epsilon_that_is_proven_the_finding_says_so_and_no_more() -> None:
    outcome = told(exact(), proves="exact", epsilon=0.3)
    assert (outcome.finding.kind, outcome.finding.value, outcome.finding.details) == (
        Kind.LOWER_BOUND,
        0.3,
        {"how": "both"},
    )
    assert outcome.x_adv is None, "it lies beyond epsilon, and was not asked for"


def test_at_an_epsilon_that_is_not_safe_the_point_is_the_answer() -> None:
    finding = told(exact(), proves="exact", epsilon=0.5).finding
    assert (finding.kind, finding.value) == (Kind.UPPER_BOUND, pytest.approx(RADIUS, rel=1e-4))
    assert (finding.details["lower"], finding.details["exact"]) == (RADIUS, True)


def test_at_an_epsilon_neither_proven_nor_broken_nothing_is_concluded_and_the_radius_is_kept() -> None:
    finding = told(PROVEN, proves="exact", epsilon=0.5).finding
    assert (finding.kind, finding.value, finding.details["reason"]) == (Kind.ABSTAINED, None, "not_proven")
    assert (finding.details["lower"], finding.details["lower_confidence"]) == (0.1, 1.0)


def test_silence_is_told_where_nothing_else_is_known() -> None:
    assert told(Abstained("undecided"), PROVEN).finding.kind is Kind.LOWER_BOUND
    assert told(Abstained("undecided")).finding.details == {"reason": "undecided"}
    assert told(proves="exact").finding.details == {"reason": "unfinished"}
