"""Rules against tables whose answer is known by hand."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.mathematics.statistics import clopper_pearson
from audits.document.verdict import MASKING, RuleOutcome, Verdict, Waiver
from audits.policy.bounds import RuleBound
from audits.policy.doubts import Doubts
from audits.policy.judging import Ground, judge
from audits.policy.metrics import Share
from audits.policy.policy import Policy
from tests.unit.audits.tables import INF, rule, table

TODAY = date(2026, 11, 22)
RIGHT = np.arange(100) < 90  # 90 of 100: 95 % interval [0.824, 0.951]


def verdict(*rules, on, epsilon=None, errors=(), masks=(), waivers=()) -> Verdict:
    return judge(Policy(rules=rules, waivers=waivers), Ground(on, epsilon, None, Doubts(errors, masks), TODAY))


def outcome(metric, on, *, epsilon=None, errors=(), masks=(), **given_) -> RuleOutcome:
    return verdict(rule(metric, **given_), on=on, epsilon=epsilon, errors=errors, masks=masks).rules[0]


@pytest.mark.parametrize(
    ("bound", "confidence", "expected"),
    [
        ({"at_least": 0.82}, 0.95, "pass"),
        ({"at_least": 0.85}, 0.95, "inconclusive"),
        ({"at_least": 0.96}, 0.95, "fail"),
        ({"at_least": 0.90}, None, "pass"),
        ({"at_least": 0.91}, None, "fail"),
        ({"at_most": 0.96}, 0.95, "pass"),
        ({"at_most": 0.90}, 0.95, "inconclusive"),
        ({"at_most": 0.82}, 0.95, "fail"),
    ],
)
def test_a_rule_is_three_valued_with_confidence_and_two_valued_without(bound, confidence, expected):
    found = outcome("clean_accuracy", table(correct=RIGHT), confidence=confidence, **bound)
    assert (found.verdict, found.observed) == (expected, 0.9)
    assert (round(found.low, 3), round(found.high, 3)) == (0.824, 0.951)


@pytest.mark.parametrize("bound", [{"at_least": 0.90}, {"at_least": 0.91}, {"at_most": 0.85}])
def test_a_value_that_decides_within_its_own_interval_says_so(bound):
    """It would be inconclusive with a confidence."""
    assert "its 95 % interval contains the bound" in outcome("clean_accuracy", table(correct=RIGHT), **bound).detail


@pytest.mark.parametrize("bound", [{"at_least": 0.82}, {"at_least": 0.96}])
def test_a_value_that_decides_with_its_whole_interval_needs_no_remark(bound):
    assert outcome("clean_accuracy", table(correct=RIGHT), **bound).detail == ""


def test_certified_never_exceeds_empirical_and_wrong_samples_count_as_neither():
    on = table(correct=[1, 1, 1, 0], lower=[0.5, 0.2, 0.0, 0.0], upper=[0.6, 0.4, INF, 0.0])
    on = table(**{name: getattr(on, name) for name in ("lower", "upper")}, correct=np.array([1, 1, 1, 0], bool))
    assert outcome("certified_accuracy", on, at=0.2, at_least=0).observed == 0.5
    assert outcome("empirical_robust_accuracy", on, at=0.4, at_least=0).observed == 0.5
    assert outcome("empirical_robust_accuracy", on, at=0.39, at_least=0).observed == 0.75
    assert outcome("attack_success_rate", on, at_most=1).observed == pytest.approx(2 / 3)
    assert outcome("attack_success_rate", on, at=0.5, at_most=1).observed == pytest.approx(1 / 3)


def test_the_truth_passes_by_certificates_and_fails_by_attacks_and_is_open_between():
    on = table(lower=np.where(np.arange(100) < 60, 1.0, 0.0), upper=np.where(np.arange(100) < 80, 2.0, 0.5))
    assert judged(on, at_least=0.6) == ("pass", "certified")
    assert judged(on, at_least=0.81) == ("fail", "empirical")
    assert judged(on, at_least=0.7) == ("inconclusive", "certified")
    assert judged(on, at_most=0.8) == ("pass", "empirical")
    assert judged(on, at_most=0.59) == ("fail", "certified")
    assert judged(on, at_least=0.6, confidence=0.95)[0] == "inconclusive"
    assert outcome("robust_accuracy", on, at=1.0, at_least=0.7).needed_samples is None


def judged(on, **bound):
    found = outcome("robust_accuracy", on, at=1.0, **bound)
    return found.verdict, found.evidence


def test_without_certificates_the_truth_can_fail_and_not_pass():
    on = table(upper=np.full(100, 0.5), gaps={"certificate": "There is none."})
    assert judged(on, at_least=0.1) == ("fail", "empirical")
    open_ = outcome("robust_accuracy", table(gaps={"certificate": "There is none."}), at=1.0, at_least=0.1)
    assert open_.verdict == "inconclusive" and open_.observed is None and "There is none." in open_.detail


@pytest.mark.parametrize(
    ("metric", "need"),
    [
        ("clean_accuracy", "labels"),
        ("certified_accuracy", "certificate"),
        ("empirical_robust_accuracy", "attack"),
        ("robust_accuracy", "labels"),
        ("attack_success_rate", "attack"),
        ("smoothed_certified_accuracy", "smoothing"),
        ("median_upper_bound", "attack"),
        ("median_lower_bound", "certificate"),
        ("clever_mean", "clever"),
    ],
)
def test_what_was_not_computed_is_inconclusive_with_the_reason(metric, need):
    found = outcome(metric, table(gaps={need: "Because."}), epsilon=0.5, at_least=0.0)
    assert (found.verdict, found.detail) == ("inconclusive", "Because.")


def test_medians_count_wrong_samples_as_zero_and_unbroken_ones_as_infinite():
    on = table(upper=[0.0, 0.2, 0.4, INF, INF])
    found = outcome("median_upper_bound", on, at_least=0.4)
    assert (found.verdict, found.observed, found.evidence) == ("pass", 0.4, "empirical")
    assert outcome("median_upper_bound", on, at_least=0.1, confidence=0.95).verdict == "inconclusive", (
        "five are too few"
    )


@pytest.mark.parametrize("bound", [{"at_least": 0.05}, {"at_least": 5.0}, {"at_most": 5.0}])
@pytest.mark.parametrize("epsilon", [None, 0.1])
def test_the_silence_of_attacks_decides_no_median(bound, epsilon):
    found = outcome("median_upper_bound", table(upper=[0.1, INF, INF]), epsilon=epsilon, **bound)
    assert (found.verdict, found.observed, found.needed_samples) == ("inconclusive", None, None)
    assert "silence" in found.detail


E = 0.3  # asked at this radius: points within it, proofs of it, and nothing else


@pytest.mark.parametrize(
    ("metric", "bound", "expected"),
    [
        ("median_upper_bound", {"at_least": 0.1}, "inconclusive"),  # nobody looked for the nearest point
        ("median_upper_bound", {"at_least": 0.25}, "fail"),
        ("median_upper_bound", {"at_least": 0.9}, "fail"),
        ("median_upper_bound", {"at_most": 0.2}, "pass"),
        ("median_upper_bound", {"at_most": 0.1}, "inconclusive"),
        ("median_lower_bound", {"at_least": 0.1}, "inconclusive"),  # unproven at 0.3 is not unproven at 0.1
        ("median_lower_bound", {"at_least": E}, "fail"),
        ("median_lower_bound", {"at_most": 0.1}, "inconclusive"),
        ("median_lower_bound", {"at_most": E}, "pass"),
        ("empirical_robust_accuracy", {"at": E, "at_least": 0.2}, "pass"),
        ("empirical_robust_accuracy", {"at": E, "at_least": 0.3}, "fail"),
        ("empirical_robust_accuracy", {"at": 0.1, "at_least": 0.9}, "inconclusive"),
        ("empirical_robust_accuracy", {"at": 0.1, "at_least": 0.2}, "pass"),
        ("empirical_robust_accuracy", {"at": 0.2, "at_least": 0.9}, "fail"),
        ("attack_success_rate", {"at": 0.1, "at_most": 0.1}, "inconclusive"),
        ("attack_success_rate", {"at": 0.2, "at_most": 0.1}, "fail"),
        ("certified_accuracy", {"at": E, "at_least": 0.5}, "fail"),
        ("certified_accuracy", {"at": 0.1, "at_least": 0.5}, "inconclusive"),
        ("certified_accuracy", {"at": 0.1, "at_least": 0.4}, "pass"),
        ("smoothed_certified_accuracy", {"at": 0.1, "at_least": 0.5}, "inconclusive"),
        ("robust_accuracy", {"at": 0.1, "at_least": 0.4}, "pass"),
    ],
)
def test_what_was_asked_at_an_epsilon_decides_only_what_follows_from_it(metric, bound, expected):
    lower, smoothed, upper = [E] * 4 + [0.0] * 6, [E] * 4 + [-INF] * 6, [INF] * 2 + [0.2] * 8
    found = outcome(metric, table(lower=lower, smoothed=smoothed, upper=upper), epsilon=E, **bound)
    assert found.verdict == expected
    assert ("looked at threat.epsilon only" in found.detail) == (expected == "inconclusive")


def test_a_median_radius_proven_at_an_epsilon_may_be_larger():
    on = table(lower=[E] * 6 + [0.0] * 4)
    assert outcome("median_lower_bound", on, epsilon=E, at_least=E).verdict == "pass"
    assert outcome("median_lower_bound", on, epsilon=E, at_least=2 * E).verdict == "inconclusive"


@pytest.mark.parametrize(("bound", "expected"), [(0.4, "noted"), (0.6, "warn")])
def test_an_estimate_can_warn_and_never_passes_or_fails(bound, expected):
    found = verdict(rule("clever_median", at_least=bound), on=table(clever=[0.4, 0.5, 0.6]))
    assert found.rules[0].verdict == expected and found.verdict == "inconclusive"


def test_the_smoothed_classifier_is_certified_as_itself():
    found = outcome("smoothed_certified_accuracy", table(smoothed=[0.5, 0.2, -INF, 0.5]), at=0.3, at_least=0.5)
    assert (found.verdict, found.observed, found.evidence) == ("pass", 0.5, "certified")


def test_fail_beats_inconclusive_beats_pass():
    on = table(correct=RIGHT, gaps={"attack": "None."})
    passing = rule("clean_accuracy", at_least=0.5)
    failing = rule("clean_accuracy", at_least=0.95).model_copy(update={"name": "f"})
    open_ = rule("attack_success_rate", at_most=1.0)
    assert verdict(passing, on=on).verdict == "pass"
    assert verdict(passing, open_, on=on).verdict == "inconclusive"
    assert verdict(passing, open_, failing, on=on).verdict == "fail"


def test_severity_warn_never_fails():
    on = table(correct=RIGHT)
    soft = rule("clean_accuracy", at_least=0.95, severity="warn")
    found = verdict(soft, on=on)
    assert (found.verdict, found.rules[0].verdict) == ("pass", "warn")


def test_what_nothing_has_decided_does_not_pass():
    soft = rule("attack_success_rate", at_most=0.5, severity="warn")
    estimate = rule("clever_median", at_least=0.1)
    on = table(correct=RIGHT, clever=np.full(100, 0.5), gaps={"attack": "None."})
    assert verdict(soft, on=on).verdict == "inconclusive"
    assert verdict(soft, estimate, on=on).verdict == "inconclusive"
    assert verdict(soft, rule("clean_accuracy", at_least=0.5), on=on).verdict == "pass"


@pytest.mark.parametrize("soft", [{"at_least": 0.5}, {"at_least": 0.95}], ids=["it would pass", "it warns"])
def test_nothing_passes_over_all_where_a_number_is_wrong(soft):
    found = verdict(
        rule("clean_accuracy", severity="warn", **soft), on=table(correct=RIGHT), errors=["lower_above_upper"]
    )
    assert found.verdict == "inconclusive"


def test_a_waiver_is_no_answer_to_an_alarm():
    waiver = Waiver(rule="clean_accuracy", reason="known", by="A")
    given_ = {"on": table(correct=RIGHT), "waivers": (waiver,)}
    assert verdict(rule("clean_accuracy", at_least=0.95), **given_).verdict == "pass"
    assert (
        verdict(rule("clean_accuracy", at_least=0.95), **given_, errors=["lower_above_upper"]).verdict == "inconclusive"
    )


@pytest.mark.parametrize(("until", "expected"), [(None, "pass"), (TODAY, "pass"), (date(2026, 11, 21), "fail")])
def test_a_waiver_covers_a_rule_until_its_last_day(until, expected):
    waiver = Waiver(rule="clean_accuracy", reason="known", by="A", until=until)
    found = verdict(rule("clean_accuracy", at_least=0.95), on=table(correct=RIGHT), waivers=(waiver,))
    assert (found.verdict, found.rules[0].verdict) == (expected, "fail")
    assert (found.rules[0].waiver is not None) == (expected == "pass")
    assert ("The waiver by A ended on 2026-11-21." in found.rules[0].detail) == (expected == "fail")


def test_a_contradiction_lets_nothing_pass_and_a_fail_stays_a_fail():
    on = table(correct=RIGHT)
    doubted = outcome("clean_accuracy", on, at_least=0.5, errors=["lower_above_upper"])
    assert doubted.verdict == "inconclusive" and "lower_above_upper" in doubted.detail
    assert outcome("clean_accuracy", on, at_least=0.95, errors=["lower_above_upper"]).verdict == "fail"


def test_at_left_out_is_the_audits_epsilon():
    on = table(lower=[1.0, 0.1])
    assert outcome("certified_accuracy", on, epsilon=0.5, at_least=0.5).at == 0.5
    assert outcome("certified_accuracy", on, epsilon=0.5, at_least=0.5).verdict == "pass"


@given(
    count=st.integers(0, 40),
    of=st.integers(1, 40),
    bound=st.floats(0.01, 0.99),
    level=st.sampled_from([0.8, 0.95, 0.99]),
    is_floor=st.booleans(),
)
def test_the_samples_needed_would_decide(count, of, bound, level, is_floor):
    count = min(count, of)
    share = Share(np.arange(of) < count)
    limit = RuleBound(bound, is_floor, level)
    needed = limit.needed(share, share)
    if needed is None:
        assert count / of == pytest.approx(bound, abs=0.01)
        return
    rate = count / of
    seen = np.floor(rate * needed + 1e-9) if rate > bound else np.ceil(rate * needed - 1e-9)
    assert limit.holds(*clopper_pearson(int(seen), needed, level)) != "inconclusive"


@pytest.mark.parametrize("bound", [{"at_least": 0.5}, {"at_most": 0.5}])
@pytest.mark.parametrize("share", [0.3, 0.6])
def test_the_samples_needed_would_decide_a_median(bound, share):
    """Ten samples, three or six of which lie below the bound."""
    few = np.where(np.arange(10) < 10 * share, 0.4, 0.6)
    found = outcome("median_upper_bound", table(upper=few), confidence=0.95, **bound)
    assert found.verdict == "inconclusive" and found.needed_samples
    n, below = found.needed_samples, int(np.ceil(10 * share * found.needed_samples / 10))
    enough = np.where(np.arange(n) < below, 0.4, 0.6)
    assert outcome("median_upper_bound", table(upper=enough), confidence=0.95, **bound).verdict in ("pass", "fail")


def test_where_no_number_of_samples_would_tell_none_is_named_and_the_reason_is():
    found = outcome("clean_accuracy", table(correct=RIGHT), at_least=0.9, confidence=0.95)
    assert found.needed_samples is None and "no number of samples" in found.detail


def test_an_alarm_is_not_cured_by_samples():
    soft = {"at_least": 0.5, "confidence": 0.95, "errors": ["lower_above_upper"]}
    assert outcome("clean_accuracy", table(correct=RIGHT), **soft).needed_samples is None


@given(at=st.floats(0.01, 2), seed=st.integers(0, 2**32 - 1))
def test_a_sound_table_never_passes_a_truth_that_its_attacks_refute(at, seed):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 2, 30)
    on = table(lower=truth * rng.uniform(0, 1, 30), upper=truth * rng.uniform(1, 2, 30), correct=rng.random(30) < 0.9)
    share = float((on.correct & (truth > at)).mean())
    for bound in rng.uniform(0, 1, 5):
        found = outcome("robust_accuracy", on, at=at, at_least=float(bound))
        assert found.verdict != ("fail" if share >= bound else "pass")


HALF_BROKEN = table(upper=[INF] * 50 + [0.2] * 50, lower=[0.4] * 50 + [0.0] * 50)


@pytest.mark.parametrize(
    ("metric", "bound", "rests_on_silence"),
    [
        ("empirical_robust_accuracy", {"at": 0.3, "at_least": 0.5}, True),
        ("empirical_robust_accuracy", {"at": 0.3, "at_least": 0.3, "confidence": 0.95}, True),
        ("empirical_robust_accuracy", {"at": 0.3, "at_most": 0.5}, False),
        ("attack_success_rate", {"at": 0.3, "at_most": 0.5}, True),
        ("attack_success_rate", {"at_most": 0.5}, True),
        ("attack_success_rate", {"at": 0.3, "at_least": 0.5}, False),
        ("certified_accuracy", {"at": 0.3, "at_least": 0.5}, False),
        ("robust_accuracy", {"at": 0.3, "at_least": 0.5}, False),
        ("robust_accuracy", {"at": 0.3, "at_most": 0.5}, False),
        ("median_lower_bound", {"at_least": 0.1}, False),
        ("clean_accuracy", {"at_least": 0.9}, False),
    ],
)
@pytest.mark.parametrize("mask", MASKING)
def test_a_sign_of_masking_holds_back_what_passes_by_the_silence_of_attacks(metric, bound, rests_on_silence, mask):
    assert outcome(metric, HALF_BROKEN, **bound).verdict == "pass"
    found = outcome(metric, HALF_BROKEN, masks=[mask], **bound)
    assert found.verdict == ("inconclusive" if rests_on_silence else "pass")
    assert found.held_back_by == ((mask,) if rests_on_silence else ())
    assert (f"{{alarm: {mask}, " in found.detail) == rests_on_silence
    assert found.needed_samples is None


@pytest.mark.parametrize(("bound", "expected"), [({"at_least": 0.1}, "inconclusive"), ({"at_most": 0.3}, "pass")])
def test_a_median_distance_is_large_by_silence_and_small_by_points(bound, expected):
    on = table(upper=[0.1, 0.2, 0.3])
    assert outcome("median_upper_bound", on, masks=["no_white_box"], **bound).verdict == expected


def test_a_fail_by_points_that_were_found_stays_one_whatever_was_masked():
    found = verdict(rule("empirical_robust_accuracy", at=0.3, at_least=0.9), on=HALF_BROKEN, masks=["no_white_box"])
    assert (found.verdict, found.rules[0].held_back_by) == ("fail", ())


ROBUST = rule("empirical_robust_accuracy", at=0.3, at_least=0.5)


def alarm_waiver(alarm, **given_):
    return Waiver(alarm=alarm, reason="an int8 front end, attacked by hand", by="A", **given_)


def test_a_waived_alarm_holds_nothing_back_and_says_who_answers():
    answered = (alarm_waiver("no_white_box"),)
    found = verdict(ROBUST, on=HALF_BROKEN, masks=["no_white_box"], waivers=answered)
    assert (found.verdict, found.rules[0].verdict, found.rules[0].waived_alarms) == ("pass", "pass", answered)
    assert (found.rules[0].waiver, found.rules[0].held_back_by) == (None, ())


def test_each_alarm_needs_a_waiver_of_its_own():
    masks = ["masked_gradients", "no_white_box"]
    found = verdict(ROBUST, on=HALF_BROKEN, masks=masks, waivers=(alarm_waiver("no_white_box"),))
    assert (found.verdict, found.rules[0].held_back_by) == ("inconclusive", ("masked_gradients",))
    both = tuple(map(alarm_waiver, masks))
    assert verdict(ROBUST, on=HALF_BROKEN, masks=masks, waivers=both).rules[0].waived_alarms == both


@pytest.mark.parametrize(("until", "expected"), [(None, "pass"), (TODAY, "pass"), (date(2026, 11, 21), "inconclusive")])
def test_a_waiver_of_an_alarm_counts_until_its_last_day_and_then_is_said_to_have_ended(until, expected):
    found = verdict(
        ROBUST, on=HALF_BROKEN, masks=["no_white_box"], waivers=(alarm_waiver("no_white_box", until=until),)
    )
    assert found.verdict == expected
    assert ("The waiver of no_white_box by A ended on 2026-11-21." in found.rules[0].detail) == (expected != "pass")


def test_a_waiver_of_an_alarm_that_was_not_raised_changes_nothing():
    waivers = (alarm_waiver("noise_suffices", until=date(2026, 1, 1)),)
    assert verdict(ROBUST, on=HALF_BROKEN, waivers=waivers) == verdict(ROBUST, on=HALF_BROKEN)


def test_a_waiver_of_the_rule_covers_a_pass_that_is_held_back():
    waiver = Waiver(rule=ROBUST.name, reason="known", by="A")
    found = verdict(ROBUST, on=HALF_BROKEN, masks=["no_white_box"], waivers=(waiver,))
    assert (found.verdict, found.rules[0].verdict, found.rules[0].waiver) == ("pass", "inconclusive", waiver)


def test_a_rule_that_only_warns_is_held_back_too_and_then_decides_nothing():
    soft = ROBUST.model_copy(update={"severity": "warn"})
    found = verdict(soft, on=HALF_BROKEN, masks=["no_white_box"])
    assert (found.verdict, found.rules[0].verdict) == ("inconclusive", "inconclusive")
    beside = verdict(soft, rule("clean_accuracy", at_least=0.5), on=HALF_BROKEN, masks=["no_white_box"])
    assert beside.verdict == "pass"


def test_no_waiver_of_an_alarm_answers_for_a_number_that_is_wrong():
    doubts = {"errors": ["lower_above_upper"], "masks": ["no_white_box"]}
    found = verdict(ROBUST, on=HALF_BROKEN, **doubts, waivers=(alarm_waiver("no_white_box"),))
    assert (found.verdict, found.rules[0].held_back_by) == ("inconclusive", ("lower_above_upper",))
