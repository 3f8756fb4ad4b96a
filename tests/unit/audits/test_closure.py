"""How many brackets closed, job by job, worked out by hand; what an audit's seconds and its policy's radii reach."""

from dataclasses import replace

import pytest

from algorithms.errors import Refused
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from audits.asking import admission
from audits.asking.admission import admit, jobs_of_phase
from audits.asking.request import AuditRequest
from audits.composing.compose import Material, compose
from audits.composing.rows import rows_of
from audits.document.closure import Closure
from audits.document.report import Report
from audits.evidence.evidence import Evidence
from audits.renderings.render import render
from jobs.record import Job, JobMethod, Progress
from jobs.states import JobState
from jobs.summary import Preparation, summarize
from tests.jobs_for_tests import finding, ready_card, result, samples_card
from tests.unit.audits.test_compose import NOW

ENDS = {"pgd": (0.1, 0.2, 0.4, 0.0), "crown": (0.095, 0.1, 0.2, 0.0), "close": (0.099, 0.19, None, 0.0)}
RADII = [
    {"name": f"rule {i}", "metric": "certified_accuracy", "at": at, "at_least": 0.5}
    for i, at in enumerate((0.3, 0.1, 0.3))
]


def plan(recipe, **change):
    card, samples = ready_card(offers=tuple(Access)), samples_card(labelled=True, count=4)
    request = AuditRequest.model_validate({"model_id": card.id, "samples_id": samples.id, "recipe": recipe} | change)
    admission.check(request)
    return admit(request, card, samples)


def of(index: int, kind: Kind, end: float | None):
    if index == 3:
        return finding(index, Kind.MISCLASSIFIED, 0.0, predicted=2)
    return finding(index, Kind.ABSTAINED if end is None else kind, end)


def evidence(spec, index: int) -> Evidence:
    """A job that took so many half seconds; the last sample is misclassified."""
    name = spec.request.method.name
    kind = Kind.UPPER_BOUND if name == "pgd" else Kind.LOWER_BOUND
    found = [of(i, kind, end) for i, end in enumerate(ENDS[name])]
    summary = summarize(spec, [result((), findings=tuple(found))]).model_copy(update={"seconds": 2.0**index})
    return Evidence(
        Job(
            id=f"job_{name}",
            state=JobState.SUCCEEDED,
            method=JobMethod(name=name, version="1", params={}),
            request=spec.request,
            progress=Progress(),
            summary=summary,
            created_at=NOW,
        ),
        spec,
        found,
    )


def report(jobs: int = 3, preparing: float = 0.0, **change) -> Report:
    """Of an audit in which so many of the three jobs were made, each prepared for so many seconds."""
    made = plan(["pgd", "crown", "close"], **change)
    found = [evidence(spec, i) for i, spec in enumerate(made.jobs[:jobs])]
    if preparing:
        prepare = Preparation(artifact="a" * 64, seconds=preparing)
        found = [
            replace(
                one, job=one.job.model_copy(update={"summary": one.job.summary.model_copy(update={"prepare": prepare})})
            )
            for one in found
        ]
    return compose(Material("aud_x", made.spec, found, None, "0.1.0", NOW), rows_of(made.spec, found), None)


def test_the_curve_tells_after_each_job_how_many_of_the_samples_not_misclassified_are_closed():
    closure = report().summary.closure
    assert closure is not None and closure.share == pytest.approx(2 / 3) and closure.at == 1.1
    assert closure.low < 2 / 3 < closure.high
    points = [(point.method, point.seconds, round(3 * point.share)) for point in closure.curve]
    assert points == [("", 0.0, 0), ("crown", 3.0, 1), ("close", 7.0, 2)]


def test_what_was_made_before_a_jobs_chunks_took_computing_too():
    told = report(preparing=0.5)
    assert told.summary.closure is not None
    assert [point.seconds for point in told.summary.closure.curve] == [0.0, 4.0, 8.5]
    assert [job.seconds for job in told.jobs] == [1.5, 2.5, 4.5] and told.summary.seconds == 8.5


def test_the_page_draws_the_curve_and_says_it_in_words():
    page = render(report(), "html").decode()
    assert 'id="closure"' in page and "33.3\u202f% after 3.0 s, by crown." in page
    assert "Closed brackets" in render(report(), "markdown").decode()


def test_a_rate_of_an_earlier_report_is_read_as_a_closure_without_a_curve():
    read = Closure.model_validate({"value": 0.25, "low": 0.1, "high": 0.5})
    assert (read.share, read.low, read.high, read.at, read.curve) == (0.25, 0.1, 0.5, 1.1, ())


def test_radii_of_a_policy_reach_the_method_that_closes_each_once():
    (job,) = plan(["close"], policy={"rules": RADII}).jobs
    assert job.request.method.radii == (0.3, 0.1)
    assert plan(["close"]).jobs[0].request.method.radii is None
    (_, crown), recipe = (
        plan(["close", "crown"], policy={"rules": RADII}).jobs,
        plan("standard-2", policy={"rules": RADII}),
    )
    assert "radii" not in crown.request.method.model_dump()
    assert [step.params["radii"] for step in recipe.spec.phases[-1]] == [[0.3, 0.1]]


def test_drafts_end_with_the_method_that_closes_on_what_is_open():
    for name in ("standard-2", "thorough-2"):
        made = plan(name)
        assert [step.method for step in made.spec.phases[-1]] == ["close@1"]
        assert {step.name for step in made.spec.phases[-2]} == {"milp", "branch_and_bound"}
        assert [job.indices for job in jobs_of_phase(made.spec, made.phases - 1, closed=(0, 2))] == [(1, 3)]


def test_what_is_left_of_an_audits_seconds_goes_to_the_method_that_closes_and_to_no_other():
    made = plan("standard-2", budget={"seconds": 100})
    assert all(job.request.budget.seconds is None for job in made.jobs)
    (close,) = jobs_of_phase(made.spec, made.phases - 1, seconds=60.0)
    assert close.request.budget.seconds == pytest.approx(40.0)
    assert close.request.method.domains == 10_000_000, "seconds end it"
    for phase in range(1, made.phases):
        assert jobs_of_phase(made.spec, phase, seconds=100.0) == ()
        assert bool(jobs_of_phase(made.spec, phase, seconds=50.0)) is (phase == made.phases - 1)
        assert jobs_of_phase(made.spec, phase, seconds=49.0)
    quick = plan("quick-2", budget={"seconds": 100})  # nothing in it closes brackets: all of them are for the others
    assert jobs_of_phase(quick.spec, 1, seconds=99.0) and not jobs_of_phase(quick.spec, 1, seconds=100.0)
    (alone,) = plan(["close"], budget={"seconds": 7}).jobs
    assert alone.request.budget.seconds == 7


@pytest.mark.parametrize(
    ("recipe", "budget", "code", "pointer"),
    [
        ("quick-1", {"seconds": 10}, "invalid_request", "/budget/seconds"),
        (["pgd", "crown"], {"seconds": 10}, "invalid_request", "/budget/seconds"),
        ("standard-2", {"queries_total": 10}, "not_available", "/budget/queries_total"),
    ],
)
def test_a_budget_that_nothing_keeps_to_is_refused(recipe, budget, code, pointer):
    with pytest.raises(Refused) as refused:
        plan(recipe, budget=budget)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_a_report_says_what_its_seconds_were_spent_before():
    cut, whole = report(2, budget={"seconds": 3}), report(budget={"seconds": 3})
    assert "Of the audit's 3 seconds too few were left to begin close." in cut.limitations
    assert not any("too few were left" in sentence for sentence in whole.limitations)
    assert whole.settings.seconds == 3
    assert whole.digests.settings != report().digests.settings
