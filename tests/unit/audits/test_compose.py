"""A report from findings: every number in it can be worked out by hand."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest

from algorithms.registry import method
from algorithms.seam.claims import Kind
from audits.asking.admission import admit
from audits.asking.request import AuditRequest
from audits.composing.comparison import obstacle
from audits.composing.compose import Material, compose
from audits.composing.gallery import Pair, choose, gallery
from audits.composing.rows import rows_of, samples_of
from audits.document.report import Report
from audits.evidence.evidence import Evidence
from audits.renderings.brackets_chart import brackets_notices
from audits.renderings.render import WRITERS, render
from jobs.hints import GivenHints
from jobs.record import Job, JobError, JobMethod, Progress
from jobs.request import LatticeRequest
from jobs.states import JobState
from jobs.summary import summarize
from tests.jobs_for_tests import finding, ready_card, result, samples_card

FIT = {"radius": 2.0, "shape": 1.5, "ks_p": 0.4, "end_point": 3.0}
NOW = datetime(2026, 11, 22, tzinfo=UTC)
RECIPE = [{"name": "pgd"}, {"name": "smoothing"}, {"name": "clever"}]
RULES = [{"name": "clean", "metric": "clean_accuracy", "at_least": 0.5}]


def made(*, labelled=True, count=10, failed=(), wrong=(9,), silent=False, baseline=None, **change) -> Report:
    """Ten samples: pgd at 0.1 (i + 1), smoothing at 0.3, clever on all at 0.35; `wrong` are misclassified.

    `silent`: no method finds, proves or estimates anything.
    """
    card, samples = ready_card(), samples_card(labelled=labelled, count=count)
    body = {"model_id": card.id, "samples_id": samples.id, "recipe": RECIPE, "policy": {"rules": RULES}} | change
    plan = admit(AuditRequest.model_validate(body), card, samples)
    evidence = [told(spec, failed, wrong, silent) for spec in plan.jobs]
    material = Material("aud_x", plan.spec, evidence, baseline, "0.1.0", NOW)
    return compose(material, rows_of(plan.spec, evidence), None)


def told(spec, failed, wrong, silent) -> Evidence:
    name = spec.request.method.name
    return evidence_of(spec, [of(name, i, i in wrong, silent) for i in spec.indices] if name not in failed else [])


def evidence_of(spec, findings) -> Evidence:
    """An ended job that found this; one that found nothing at all has failed."""
    name = spec.request.method.name
    job = Job(
        id=f"job_{name}",
        state=JobState.SUCCEEDED if findings else JobState.FAILED,
        method=JobMethod(name=name, version="1", params={}),
        request=spec.request,
        progress=Progress(),
        error=None if findings else JobError(code="model_fault", detail="It crashed."),
        summary=summarize(spec, [result((), findings=tuple(findings))]) if findings else None,
        created_at=NOW,
        started_at=NOW,
        finished_at=NOW,
    )
    return Evidence(job, spec, findings)


def of(name, index, is_wrong, silent):
    if is_wrong:
        return finding(index, Kind.MISCLASSIFIED, 0.0, predicted=2)
    if silent:
        return finding(index, Kind.ABSTAINED, None, details={"reason": "not_found"})
    proves = method(name).proves
    if proves is Kind.UPPER_BOUND:
        distance = 0.1 * (index + 1)
        return finding(
            index, Kind.UPPER_BOUND, distance, queries=10, gradients=0, details={"trace": [[5, distance]], "fosc": 0.2}
        )
    if proves is Kind.SMOOTHED_LOWER_BOUND:
        return finding(index, Kind.SMOOTHED_LOWER_BOUND, 0.3, confidence=0.999)
    return finding(
        index, Kind.ESTIMATE, 0.35, details={"interval": [0.3, 0.4], "max_sample_score": 0.36, "status": "ok"} | FIT
    )


def test_every_sample_has_its_bracket_with_what_proves_nothing_beside_it():
    first, *_, last = made().samples
    assert (first.upper, first.upper_by, first.lower) == (0.1, "pgd", None)
    assert (first.smoothed, first.clever, first.clever_max) == (0.3, 0.35, 0.36)
    assert first.clever_interval == (0.3, 0.4)
    assert FIT == {name: getattr(first, f"clever_{name}") for name in FIT} and last.clever_radius is None
    assert (first.estimates["clever"].value, first.estimates["smoothing"].confidence) == (0.35, 0.999)
    assert first.estimates["clever"].figures == FIT | {"max_sample_score": 0.36}
    assert first.methods["pgd"].fosc == 0.2 and last.methods["pgd"].fosc is None
    assert (last.lower, last.upper, last.upper_by, last.clever) == (0.0, 0.0, "misclassified", None)
    assert first.alarms == ("clever_above_attack",) and last.alarms == ()


def test_the_summary_is_worked_out_by_hand():
    summary = made(threat={"epsilon": 0.45}).summary
    assert summary.clean_accuracy.value == 0.9
    assert summary.empirical_robust_accuracy.value == 0.5, "samples 4 to 8"
    assert summary.certified_accuracy is None, "smoothing is no certificate of this model"
    assert summary.attack_success_rate.value == pytest.approx(4 / 9)
    assert summary.median_upper_bound == pytest.approx(0.45)
    assert (summary.median_upper_interval.low, summary.median_upper_interval.high) == (0.1, 0.8)
    assert summary.median_lower_interval is None
    assert summary.closure is None
    assert (summary.clever_samples, summary.clever.median) == (9, 0.35)
    assert summary.clever_median_interval.low == summary.clever_median_interval.high == 0.35
    assert summary.clever_statuses == {"ok": 9}
    assert {name: told.samples for name, told in summary.estimates.items()} == {"smoothing": 9, "clever": 9}
    assert summary.alarms == {"clever_above_attack": 3}


def test_the_envelope_falls_from_the_clean_accuracy_and_knows_no_certificate():
    points = made(policy={"rules": [{"name": "r", "metric": "robust_accuracy", "at": 0.25, "at_least": 0.1}]}).envelope
    assert points[0].epsilon == 0 and points[0].empirical.value == 0.9
    shares = [point.empirical.value for point in points]
    assert shares == sorted(shares, reverse=True) and shares[-1] == 0
    assert all(point.certified is None for point in points)
    (named,) = [point for point in points if point.epsilon == 0.25]
    assert named.empirical.value == 0.7


def test_without_labels_nothing_built_on_accuracy_is_told():
    report = made(labelled=False, wrong=())
    assert report.summary.clean_accuracy is None and report.envelope == ()
    assert report.verdict == "inconclusive" and "without labels" in report.rules[0].detail
    assert report.summary.attack_success_rate.value == 1.0
    assert any("no labels" in sentence for sentence in report.limitations)


def test_a_failed_job_is_missing_and_said_to_be():
    report = made(failed=("pgd",))
    assert all(row.upper is None for row in report.samples if row.index != 9)
    assert report.summary.attack_success_rate is None
    assert any("pgd is failed" in sentence for sentence in report.limitations)
    assert {job.method: job.error for job in report.jobs}["pgd"] == "It crashed."
    assert {(job.started_at, job.finished_at) for job in report.jobs} == {(NOW, NOW)}


@pytest.mark.parametrize("failed", [("noise", "pgd", "square", "hopskipjump", "smoothing"), ("pgd",)])
def test_no_accuracy_is_told_where_failed_jobs_leave_samples_unseen(failed):
    """The quick recipe's CLEVER looks at the first twenty only."""
    report = made(recipe="quick-1", count=25, failed=failed)
    is_short = len(failed) > 1
    assert len(report.samples) == (20 if is_short else 25)
    assert (report.summary.clean_accuracy is None) == (report.data.misclassified is None) == is_short
    assert report.verdict == ("inconclusive" if is_short else "pass")
    assert ("5 of the samples" in report.rules[0].detail) == is_short
    assert any("clever ran on the first 20 samples only" in sentence for sentence in report.limitations)


def test_what_was_chosen_can_be_told_apart_by_its_digest():
    first, again, other = made().digests, made().digests, made(seed=1).digests
    assert first == again
    assert first.settings != other.settings and first.policy == other.policy


def test_effort_is_the_median_of_the_traces():
    (effort,) = made().efforts
    by_cost = {point.queries: point for point in effort.points}
    assert by_cost[1].found == 0 and by_cost[1].median_distance is None
    last = effort.points[-1]
    assert (last.queries, last.found, last.median_distance) == (10, 1.0, pytest.approx(0.5))


def test_a_baseline_is_compared_with_pairwise_and_refused_where_it_cannot_be():
    baseline = made()
    better = made(baseline=baseline, baseline_audit_id="aud_b", wrong=())
    measures = {one.measure: one for one in better.comparisons}
    assert (measures["upper"].larger, measures["upper"].smaller, measures["upper"].equal) == (1, 0, 9)
    assert measures["upper"].median_ratio == 1.0
    other = made(baseline=baseline, baseline_audit_id="aud_b", threat={"norm": "linf"}, recipe=RECIPE[:1])
    assert other.comparisons == ()
    assert any("another norm" in sentence for sentence in other.limitations)


def test_what_one_side_found_nothing_of_is_compared_and_what_it_did_not_try_is_not():
    everything_wrong = made(wrong=range(10))
    better = made(baseline=everything_wrong, baseline_audit_id="aud_b")
    assert [(one.measure, one.larger, one.paired) for one in better.comparisons] == [
        ("upper", 9, 10),
        ("clever", 9, 10),
    ]
    worse = made(wrong=range(10), baseline=made(), baseline_audit_id="aud_b")
    assert [(one.measure, one.smaller) for one in worse.comparisons] == [("upper", 9), ("clever", 9)]
    untried = made(failed=("pgd",), baseline=made(), baseline_audit_id="aud_b")
    assert [one.measure for one in untried.comparisons] == ["clever"]


@pytest.mark.parametrize(("worst", "expected"), [(0.0, "fail"), (0.3, "pass"), (0.1, "pass"), (0.05, "fail")])
def test_a_drop_is_the_share_lost_against_the_baseline(worst, expected):
    rule = {"name": "d", "metric": "clean_accuracy", "max_drop_from_baseline": worst}
    report = made(baseline=made(), baseline_audit_id="aud_b", wrong=(8, 9), policy={"rules": [rule]})
    (outcome,) = report.rules
    assert (outcome.verdict, outcome.baseline, outcome.observed) == (expected, 0.9, 0.8)


@pytest.mark.parametrize(
    ("bound", "worst", "expected"),
    [(0.8, 0.1, "pass"), (0.8, 0.05, "fail"), (0.85, 0.1, "fail")],
    ids=["both hold", "it fell", "too low"],
)
def test_of_a_bound_and_a_drop_both_must_hold(bound, worst, expected):
    rule = {"name": "d", "metric": "clean_accuracy", "at_least": bound, "max_drop_from_baseline": worst}
    (outcome,) = made(baseline=made(), baseline_audit_id="aud_b", wrong=(8, 9), policy={"rules": [rule]}).rules
    assert (outcome.verdict, outcome.baseline, outcome.observed) == (expected, 0.9, 0.8)
    assert "It fell by 10 points (a fall of " in outcome.detail


@pytest.mark.parametrize(
    ("bound", "expected"), [({}, "inconclusive"), ({"at_least": 0.9}, "inconclusive"), ({"at_least": 0.95}, "fail")]
)
def test_without_a_baseline_a_drop_is_inconclusive_and_a_bound_may_still_fail(bound, expected):
    rule = {"name": "d", "metric": "clean_accuracy", "max_drop_from_baseline": 0.1} | bound
    (outcome,) = made(policy={"rules": [rule]}).rules
    assert outcome.verdict == expected and "No baseline was named" in outcome.detail


@pytest.mark.parametrize(
    ("here", "there", "told"),
    [(0.5, 0.5, "pass"), (None, 0.5, "pass"), (None, 1.0, "The baseline"), (1.0, None, "This audit")],
)
def test_a_drop_is_told_only_at_the_radius_that_both_audits_looked_at(here, there, told):
    rule = {"name": "d", "metric": "empirical_robust_accuracy", "at": 0.5, "max_drop_from_baseline": 0.1}
    baseline = made(threat={"epsilon": there})
    report = made(baseline=baseline, baseline_audit_id="aud_b", threat={"epsilon": here}, policy={"rules": [rule]})
    (outcome,) = report.rules
    assert outcome.verdict == "pass" if told == "pass" else f"{told} looked at 1 only" in outcome.detail


def test_a_baseline_that_is_gone_leaves_its_rule_inconclusive():
    rule = {"name": "d", "metric": "clean_accuracy", "max_drop_from_baseline": 0.1}
    (outcome,) = made(baseline_audit_id="aud_b", policy={"rules": [rule]}).rules
    assert outcome.verdict == "inconclusive" and "gone" in outcome.detail


def test_another_version_of_a_method_is_compared_with_a_remark():
    """The report of an old audit stays readable, and says what it was made with."""
    old = made()
    jobs = tuple(job.model_copy(update={"version": "0"}) if job.method == "pgd" else job for job in old.jobs)
    earlier = Report.model_validate_json(old.model_copy(update={"jobs": jobs}).model_dump_json())
    rule = {"name": "d", "metric": "clean_accuracy", "max_drop_from_baseline": 0.1}
    report = made(baseline=earlier, baseline_audit_id="aud_b", policy={"rules": [rule]})
    remark = "Not only the models differ: pgd is version 1 here and was 0 there."
    assert {one.remark for one in report.comparisons} == {remark}
    assert report.rules[0].verdict == "pass" and remark in report.rules[0].detail
    assert any(remark in sentence for sentence in report.limitations)
    assert remark in render(report, "html").decode()
    same = made(baseline=old, baseline_audit_id="aud_b")
    assert {one.remark for one in same.comparisons} == {None}


@pytest.mark.parametrize(
    ("phases", "told"),
    [
        ((("noise", "square"), ("pgd", "hopskipjump")), set()),
        ((("noise", "pgd"), ("square", "hopskipjump")), {"square", "hopskipjump"}),
        ((), {"pgd", "hopskipjump", "square"}),  # of an audit that did not write its phases down
    ],
)
def test_an_attack_is_told_from_inside_where_an_earlier_phase_had_gradients(phases, told):
    recipe = [{"name": name} for name in ("noise", "pgd", "square", "hopskipjump")]
    card, samples = ready_card(), samples_card()
    body = {"model_id": card.id, "samples_id": samples.id, "recipe": recipe}
    plan = admit(AuditRequest.model_validate(body), card, samples)
    steps = {step.name: step for phase in plan.spec.phases for step in phase}
    spec = plan.spec.model_copy(update={"phases": tuple(tuple(steps[name] for name in phase) for phase in phases)})
    given = GivenHints(digest="0" * 64, points=1, reached=1, proven=0)
    later = {name for phase in phases[1:] for name in phase} or told
    jobs = [job.model_copy(update={"hints": given}) if job.request.method.name in later else job for job in plan.jobs]
    evidence = [told_by(job) for job in jobs]
    assert {frozenset(sample.told) for sample in samples_of(rows_of(spec, evidence), spec, evidence)} == {
        frozenset(told)
    }


def told_by(spec) -> Evidence:
    return told(spec, failed=(), wrong=(), silent=False)


def test_a_draft_is_called_one_in_its_report():
    report = made(recipe="quick-2")
    assert report.settings.draft and "quick-2, a draft" in render(report, "html").decode()
    assert any("is a draft" in sentence for sentence in report.limitations)
    assert not made(recipe="quick-1").settings.draft


def test_the_gallery_goes_from_the_nearest_to_the_farthest():
    rows = made().samples
    chosen = choose(rows)
    assert [row.upper for row in chosen] == sorted(row.upper for row in chosen)
    assert chosen[0].index == 0 and chosen[-1].index == 8 and len(chosen) == 8


@pytest.mark.parametrize(("shape", "kind"), [((1, 8, 8), "image"), ((8, 8, 3), "image"), ((12,), "features")])
def test_images_are_shown_as_images_and_rows_as_their_largest_changes(shape, kind):
    row = made().samples[0]
    x = np.zeros(shape, np.float32)
    x_adv = x.copy()
    x_adv.ravel()[3] = 0.5
    shown = gallery([Pair(row, x, x_adv)], minimum=0.0, maximum=1.0)
    (picture,) = shown.pictures
    assert (shown.kind, picture.changed_features) == (kind, 1)
    if kind == "image":
        assert (picture.height, picture.width) == (8, 8) and max(picture.adversarial) == 0.5
    else:
        assert [(c.feature, c.original, c.adversarial) for c in picture.changes] == [(3, 0.0, 0.5)]


DEGENERATE = {
    "all wrong": {"wrong": range(10)},
    "one sample": {"count": 1, "wrong": ()},
    "one sample, wrong": {"count": 1, "wrong": (0,)},
    "nothing found": {"silent": True, "wrong": ()},
    "a constant model": {"silent": True, "wrong": range(3, 10)},
    "all failed but one": {"failed": ("pgd", "smoothing")},
}


@pytest.mark.parametrize("epsilon", [None, 0.5])
@pytest.mark.parametrize("name", DEGENERATE)
def test_the_strangest_audits_have_a_report_in_every_form(name, epsilon):
    report = made(threat={"epsilon": epsilon}, **DEGENERATE[name])
    told = {form: render(report, form).decode() for form in WRITERS}
    assert Report.model_validate_json(told["json"]) == report
    assert not any(re.search(r"\b(nan|inf)\b", text) for text in told.values())
    assert report.summary.clean_accuracy.value == pytest.approx(
        1 - len(DEGENERATE[name].get("wrong", (9,))) / len(report.samples)
    )


def test_of_a_constant_model_nothing_is_found_and_that_is_an_alarm():
    report = made(**DEGENERATE["a constant model"])
    assert [alarm.code for alarm in report.alarms] == ["attack_below_full_success"]
    assert report.summary.attack_success_rate.value == 0 and report.summary.median_upper_bound == 0


def test_where_all_is_wrong_nothing_can_be_broken():
    summary = made(**DEGENERATE["all wrong"]).summary
    assert (summary.attack_success_rate, summary.closure, summary.clever) == (None, None, None)
    assert (summary.clean_accuracy.value, summary.median_upper_bound) == (0, 0)


def test_noise_alone_counts_by_its_points_and_not_by_its_silence():
    noise = {"recipe": [{"name": "noise"}], "threat": {"epsilon": 0.45}}
    found = made(**noise).summary
    assert found.median_upper_bound == pytest.approx(0.45) and found.median_upper_interval.low == 0.1
    assert found.empirical_robust_accuracy is None
    rules = [{"name": "far", "metric": "median_upper_bound", "at_least": 0.1}]
    (rule,) = made(**noise | {"policy": {"rules": rules}}).rules
    assert (rule.verdict, rule.detail) == ("inconclusive", "The audit has no attack but plain noise.")
    for nothing in ({"silent": True}, {"failed": ("noise",)}):
        summary = made(**noise, **nothing).summary
        assert (summary.median_upper_bound, summary.median_upper_interval) == (None, None)


@pytest.mark.parametrize(
    ("method", "said", "never"),
    [
        ("noise", ["No attack but plain noise ran", "below the points found"], ["No attack ran"]),
        ("pgd", ["below the points found", "points that were found and checked"], ["No attack"]),
        (
            "clever",
            ["No attack ran", "so nothing is proven.", "No attack looked for points."],
            ["plain noise", "the points found", "points that were found"],
        ),
    ],
)
def test_an_audit_by_one_method_is_silent_about_the_ends_that_it_has_not(method, said, never):
    report = made(recipe=[{"name": method}])
    told = " ".join([*report.limitations, *brackets_notices(report)])
    assert all(sentence in told for sentence in said)
    assert not any(sentence in told for sentence in never)
    assert "distance –" not in render(report, "html").decode()


def test_a_large_image_is_thinned():
    row = made().samples[0]
    x = np.zeros((3, 224, 200), np.float32)
    (picture,) = gallery([Pair(row, x, x)], minimum=0.0, maximum=1.0).pictures
    assert (picture.height, picture.width, picture.channels) == (56, 50, 3)
    assert len(picture.original) == 56 * 50 * 3


def test_a_report_says_on_which_lattice_it_was_made():
    report = made(recipe=[{"name": "noise"}], threat={"lattice": {"levels": 256}})
    assert report.threat.lattice == LatticeRequest(levels=256)
    assert any("256 values in each feature" in sentence for sentence in report.limitations)
    assert "lattice" not in made().model_dump(mode="json")["threat"]


def test_a_baseline_on_another_lattice_is_not_compared_with():
    report = made()
    there = report.threat.model_copy(update={"lattice": LatticeRequest(levels=256)})
    assert obstacle(report, samples=report.digests.samples, threat=report.threat) is None
    assert (
        obstacle(report, samples=report.digests.samples, threat=report.threat.model_copy(update={"epsilon": 0.5}))
        is None
    )
    assert "lattice" in obstacle(report, samples=report.digests.samples, threat=there)
