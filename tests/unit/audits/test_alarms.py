"""Each alarm on the smallest case that shows it, and silence where there is nothing to say."""

from dataclasses import replace
from typing import Any

import pytest

from algorithms.registry import method
from algorithms.seam.claims import Finding, Kind
from audits.composing.rows import result_of
from audits.document import earlier
from audits.document.estimates import SampleEstimate
from audits.document.rows import SampleRow
from audits.document.verdict import MASKING
from audits.evidence.alarms import CHECKS, raised, shown_by
from audits.evidence.signs import Sample
from jobs.summary import NO_ANSWER
from tests.jobs_for_tests import finding


def sample(
    *, index: int = 0, epsilon: float | None = None, widest: float = 8.0, features: int = 64, **findings: Finding
) -> Sample:
    row: dict[str, Any] = dict.fromkeys(("lower", "lower_by", "lower_confidence", "upper", "upper_by"))
    scores = {name: one.value for name, one in findings.items() if one.kind is Kind.ESTIMATE}
    estimates = {name: SampleEstimate(kind=Kind.ESTIMATE, value=value) for name, value in scores.items()}
    row |= {"estimates": estimates} | earlier.columns(estimates)
    for name, one in findings.items():
        if one.kind is Kind.UPPER_BOUND and (row["upper"] is None or one.value < row["upper"]):
            row |= {"upper": one.value, "upper_by": name}
        if one.kind is Kind.LOWER_BOUND:
            row |= {"lower": one.value, "lower_by": name}
    first = next(iter(findings.values()))
    results = {name: result_of(one) for name, one in findings.items()}
    shown = SampleRow(index=index, label=first.label, predicted=first.predicted, methods=results, **row)
    return Sample(shown, findings, {name: method(name) for name in findings}, epsilon, widest, features)


def found(value: float, **more: Any) -> Finding:
    return finding(0, Kind.UPPER_BOUND, value, **more)


def nothing(reason: str = "not_found", **details: Any) -> Finding:
    return finding(0, Kind.ABSTAINED, None, details={"reason": reason} | details)


QUIET = {"pgd": found(0.5), "square": found(0.52), "noise": found(2.0), "crown": finding(0, Kind.LOWER_BOUND, 0.3)}
SHOWS = {
    "lower_above_upper": {"crown": finding(0, Kind.LOWER_BOUND, 0.6)},
    "model_not_deterministic": {"square": found(0.52, predicted=2)},
    "masked_gradients": {"clever": nothing("gradient_masked")},
    "saturated_scores": {"square": found(0.52, details={"saturated": True})},
    "black_box_beats_white_box": {"square": found(0.4)},
    "noise_suffices": {"noise": found(0.6)},
    "clever_above_attack": {"clever": finding(0, Kind.ESTIMATE, 0.6)},
    "clever_second_order_above_attack": {"clever_second_order": finding(0, Kind.ESTIMATE, 0.6)},
    "steepest_above_attack": {"steepest": finding(0, Kind.ESTIMATE, 0.6)},
    "attack_below_full_success": {"pgd": nothing(), "square": nothing(), "noise": nothing(), "crown": nothing()},
    "whole_features_moved": {"pgd": found(0.5, details={"whole_features_moved": [3]})},
    "no_white_box": {"pgd": None},
    "masking": {"clever": finding(0, Kind.ESTIMATE, 0.04)},
}


def test_every_check_has_its_case():
    assert set(SHOWS) == {check.code for check in CHECKS}


@pytest.mark.parametrize("code", SHOWS)
def test_an_alarm_is_raised_where_it_shows_and_nowhere_else(code):
    loud = sample(**{name: one for name, one in (QUIET | SHOWS[code]).items() if one is not None})
    (alarm,) = raised([loud])
    assert (alarm.code, alarm.count, alarm.samples, alarm.examples) == (code, 1, 1, (0,))
    assert alarm.explanation and alarm.consequence
    assert alarm.holds_back == (code in MASKING)
    assert shown_by(loud, [alarm]) == (code,)


def test_an_attack_that_began_at_anothers_point_shows_nothing_about_gradients():
    loud = sample(**(QUIET | SHOWS["black_box_beats_white_box"]))
    assert raised([replace(loud, told=frozenset({"square"}))]) == ()
    assert [alarm.code for alarm in raised([replace(loud, told=frozenset({"pgd"}))])] == ["black_box_beats_white_box"]


def test_a_sample_without_surprises_raises_nothing():
    assert raised([sample(**QUIET)]) == ()
    assert raised([sample(**(QUIET | {"clever": finding(0, Kind.ESTIMATE, 0.4)}))]) == ()


@pytest.mark.parametrize(
    "told",
    [
        {"pgd": nothing("not_found", zero_gradient_share=0.5)},
        {"clever": finding(0, Kind.ESTIMATE, 0.1, details={"warnings": ["gradient_partly_masked"]})},
    ],
)
def test_gradients_that_vanish_in_part_are_masked_too(told):
    assert "masked_gradients" in {alarm.code for alarm in raised([sample(**(QUIET | told))])}


@pytest.mark.parametrize("told", [nothing("not_confirmed"), found(0.52, details={"unconfirmed": 1})])
def test_a_point_that_could_not_be_shown_again_speaks_of_a_model_that_changes_its_mind(told):
    (alarm,) = raised([sample(**(QUIET | {"square": told}))])
    assert (alarm.code, alarm.severity) == ("model_not_deterministic", "error")


def test_at_a_given_epsilon_only_successes_count():
    near = {"pgd": found(0.5), "square": found(0.1), "noise": nothing()}
    assert raised([sample(epsilon=0.5, **near)]) == ()
    missed = sample(epsilon=0.5, pgd=nothing(), square=found(0.4), noise=nothing())
    assert [alarm.code for alarm in raised([missed])] == ["black_box_beats_white_box"]
    noisy = sample(epsilon=0.5, pgd=found(0.01), square=found(0.01), noise=found(0.4))
    assert raised([noisy]) == ()
    alone = sample(epsilon=0.5, pgd=nothing(), square=nothing(), noise=found(0.4))
    assert [alarm.code for alarm in raised([alone])] == ["black_box_beats_white_box", "noise_suffices"]


def test_random_points_among_few_features_are_a_search():
    noisy = QUIET | {"noise": found(0.6, queries=200)}
    assert [alarm.code for alarm in raised([sample(features=45, **noisy)])] == ["noise_suffices"]
    assert raised([sample(features=44, **noisy)]) == ()


def test_random_points_in_l1_where_single_features_are_moved_are_a_search():
    assert raised([replace(sample(**(QUIET | {"noise": found(0.6)})), noise_searches=True)]) == ()


def test_random_points_among_the_cells_of_trees_and_neighbors_are_a_search():
    noisy = sample(**(QUIET | {"noise": found(0.6)}))
    assert [alarm.code for alarm in raised([replace(noisy, gradients="none")])] == ["noise_suffices"]
    assert raised([replace(noisy, gradients="flat")]) == ()


def test_towards_one_class_nothing_need_be_found():
    quiet = sample(**{name: nothing() for name in ("pgd", "square", "noise")})
    assert [alarm.code for alarm in raised([quiet])] == ["attack_below_full_success"]
    assert raised([replace(quiet, is_targeted=True)]) == ()


@pytest.mark.parametrize(("epsilon", "expected"), [(0.5, []), (4.0, ["attack_below_full_success"])])
def test_an_attack_must_succeed_only_where_almost_anything_is_allowed(epsilon, expected):
    safe = sample(epsilon=epsilon, pgd=nothing(), square=nothing(), noise=nothing())
    assert [alarm.code for alarm in raised([safe])] == expected


def test_a_rare_exception_is_counted_in_no_alarm_that_wants_a_share():
    samples = [sample(index=i, **QUIET) for i in range(24)]
    samples.append(sample(index=24, **(QUIET | {"square": found(0.3)})))
    assert raised(samples) == ()
    samples[23] = sample(index=23, **(QUIET | {"square": found(0.3)}))
    (alarm,) = raised(samples)
    assert (alarm.count, alarm.samples, alarm.examples) == (2, 25, (23, 24))


def test_one_of_several_samples_is_an_exception_unless_it_shows_it_clearly():
    samples = [sample(index=i, **QUIET) for i in range(9)]
    nearer = sample(index=9, **(QUIET | {"square": found(0.4)}))
    assert raised([*samples, nearer]) == ()
    twice = sample(index=9, **(QUIET | {"square": found(0.24), "crown": nothing()}))
    assert [(alarm.code, alarm.count) for alarm in raised([*samples, twice])] == [("black_box_beats_white_box", 1)]


def score(value: float, **details: Any) -> Finding:
    return finding(0, Kind.ESTIMATE, value, details=details)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"clever": score(0.06)}, False),
        ({"clever": score(0.04)}, True),  # found at 0.5
        ({"clever": score(0.04, max_sample_score=0.3)}, False),  # the fit alone is low
        ({"clever": score(0.4, max_sample_score=2.6)}, True),
        ({"clever": score(0.2, status="degenerate", clipped=False)}, True),  # the distance itself, were it linear
        ({"clever": score(0.3, status="degenerate", clipped=False)}, False),
        ({"clever": score(0.2, status="degenerate", clipped=True)}, False),  # the box may be in the way
        ({"clever": score(0.0, status="degenerate", clipped=False)}, False),  # on the boundary
        ({"clever": score(2.4)}, False),
        ({"clever": score(2.6)}, True),
        ({"clever": score(0.4), "pgd": nothing(), "square": nothing(), "noise": nothing()}, True),  # at any distance
    ],
)
def test_gradients_that_speak_of_another_landscape_than_attacks_met_are_a_sign_of_masking(told, expected):
    codes = {alarm.code: alarm for alarm in raised([sample(**(QUIET | told))])}
    assert ("masking" in codes) == expected
    assert not expected or codes["masking"].holds_back


@pytest.mark.parametrize(("value", "expected"), [(0.04, True), (0.06, False)])
def test_at_a_given_epsilon_gradients_that_promise_a_change_well_within_it_ask_for_one(value, expected):
    quiet = {"pgd": nothing(), "square": nothing(), "noise": nothing(), "clever": score(value)}
    assert [alarm.code for alarm in raised([sample(epsilon=0.5, **quiet)])] == ["masking"] * expected
    broken = quiet | {"pgd": found(0.45)}
    assert raised([sample(epsilon=0.5, **broken)]) == ()


def test_gradients_that_are_no_numbers_are_masked_too():
    told = {"clever": nothing("gradient_not_finite")}
    assert [alarm.code for alarm in raised([sample(**(QUIET | told))])] == ["masked_gradients"]


def test_a_sample_that_is_wrong_already_shows_nothing_of_attacks():
    wrong = finding(0, Kind.MISCLASSIFIED, 0.0, predicted=2)
    assert raised([sample(pgd=wrong, square=wrong, noise=wrong, clever=wrong)]) == ()


def test_a_sample_that_the_model_answers_by_no_numbers_was_never_right_so_no_attack_had_to_break_it():
    unread = nothing(NO_ANSWER)
    assert unread.label == unread.predicted
    assert raised([sample(pgd=unread, square=unread, noise=unread)]) == ()


BLIND = {
    "no white-box attack ran": {},
    "every gradient was zero": {"pgd": found(0.5, gradients=40, details={"zero_gradient_share": 1.0})},
    "no gradient was taken": {"pgd": found(0.5, gradients=0, details={"zero_gradient_share": 0.0})},
}


@pytest.mark.parametrize("how", BLIND)
def test_what_no_attack_saw_from_inside_is_an_alarm_where_there_are_gradients_and_a_note_where_there_are_none(how):
    blind = sample(**({"square": found(0.52), "noise": found(2.0)} | BLIND[how]))
    told = {alarm.code: alarm for alarm in raised([blind])}["no_white_box"]
    assert (told.severity, told.holds_back, told.count) == ("warning", True, 1)
    assert "no method that goes by gradients was asked for: add one" in told.consequence
    for gradients in ("flat", "none"):
        told = {alarm.code: alarm for alarm in raised([replace(blind, gradients=gradients)])}["no_white_box"]
        assert (told.severity, told.holds_back) == ("note", False)


@pytest.mark.parametrize(("proven", "codes"), [(0.50, []), (0.45, ["no_white_box"])])
def test_nothing_was_overlooked_where_a_proof_reaches_what_was_found(proven, codes):
    told = sample(square=found(0.52), crown=finding(0, Kind.LOWER_BOUND, proven))
    assert [alarm.code for alarm in raised([told])] == codes


def test_one_sample_that_was_seen_from_inside_shows_that_the_model_can_be():
    blind = sample(square=found(0.52))
    seen = sample(index=1, square=found(0.52), pgd=found(0.5, gradients=40, details={"zero_gradient_share": 0.1}))
    assert raised([blind, seen]) == ()


@pytest.mark.parametrize("only", [{"noise": found(2.0)}, {"crown": finding(0, Kind.LOWER_BOUND, 0.3)}])
def test_where_no_attack_searched_none_was_blind(only):
    assert raised([sample(**only)]) == ()


def test_trees_that_all_agree_are_sure_and_not_saturated():
    sure = sample(**(QUIET | SHOWS["saturated_scores"]))
    assert [alarm.code for alarm in raised([replace(sure, gradients="none")])] == ["saturated_scores"]
    assert raised([replace(sure, gradients="flat")]) == ()


def test_a_score_at_the_very_distance_of_a_point_lies_above_it_by_rounding_only():
    point = {"pgd": found(0.5), "clever": finding(0, Kind.ESTIMATE, 0.5 * (1 + 5e-7))}
    assert raised([sample(**(QUIET | point))]) == ()
    above = point | {"clever": finding(0, Kind.ESTIMATE, 0.5 * (1 + 2e-6))}
    assert [alarm.code for alarm in raised([sample(**(QUIET | above))])] == ["clever_above_attack"]


def test_an_attack_by_substitutes_did_look_and_hides_no_masking():
    """Where nobody could follow the true gradients, they are masked; where they led farther, they mislead."""
    seen = found(0.5, gradients=9, details={"zero_gradient_share": 0.0})
    blind = {"square": found(0.52), "noise": found(2.0)}
    assert [alarm.code for alarm in raised([sample(**blind)])] == ["no_white_box"]
    assert [alarm.code for alarm in raised([sample(**blind, bpda=seen)])] == ["masked_gradients"]
    missed = sample(**blind, bpda=seen, pgd=nothing(zero_gradient_share=1.0))
    assert {alarm.code for alarm in raised([missed])} == {"masked_gradients", "black_box_beats_white_box"}
    farther = sample(**blind, bpda=seen, pgd=found(0.8, gradients=9, details={"zero_gradient_share": 0.0}))
    assert [alarm.code for alarm in raised([farther])] == ["black_box_beats_white_box"]
    assert not raised([sample(**QUIET, bpda=seen)])
