"""May this audit run, and as which jobs? Every refusal of an audit. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from algorithms.errors import Refused
from audits.asking import recipes
from audits.asking.drafts import RECIPES
from audits.asking.recipes import ChosenMethod
from audits.asking.record import AuditSpec
from audits.asking.request import AuditRequest
from audits.document.closure import KEPT
from audits.document.report import Skipped
from audits.policy import policy
from jobs.admission import admission
from jobs.admission.admission import SelectedRows
from jobs.request import BudgetRequest, JobRequest, Selection, Targeted, ThreatRequest
from jobs.spec import JobSpec
from models.cards import ModelCard, SamplesCard


@dataclass(frozen=True)
class AuditPlan:
    """A plan holds an audit and the jobs of its first phase, ready to be written down."""

    spec: AuditSpec
    jobs: tuple[JobSpec, ...]
    phases: int  # in all
    planned: int  # jobs of all phases


def needed_rows(request: AuditRequest, card: ModelCard, samples: SamplesCard) -> tuple[int, ...] | None:
    """Names the rows that `admit` must see, as `wants_rows` of a job says; None where it needs none."""
    return admission.selected(request, samples) if admission.wants_rows(request, card, samples) else None


def check(request: AuditRequest) -> None:
    """Refuses what is wrong whatever the request names, before anything is looked up. Raises Refused(code, pointer)."""
    if request.webhook is not None:
        raise Refused("Webhooks do nothing yet; leave this out and poll.", code="not_available", pointer="/webhook")
    admission.check_reserved(request.threat)
    if request.budget.queries_total is not None:
        detail = "A number of queries for the whole audit is not there yet; leave it out."
        raise Refused(detail, code="not_available", pointer="/budget/queries_total")
    if request.policy is not None:
        policy.check(request.policy, epsilon=request.threat.epsilon)
    if isinstance(request.recipe, str):
        recipes.check(request.recipe)
    if request.budget.seconds is not None and not recipes.ends_by_seconds(request):
        raise Refused(
            "Nothing of this recipe ends by seconds: it has one phase, and nothing that closes brackets for as long as"
            " it may. Leave them out, or ask for standard-2, or for a list with the method close.",
            code="invalid_request",
            pointer="/budget/seconds",
        )


def admit(
    request: AuditRequest,
    card: ModelCard,
    samples: SamplesCard,
    rows: SelectedRows | None = None,
    *,
    baseline: str | None = None,
) -> AuditPlan:
    """Plans a request that `check` lets pass. `rows` are those of `needed_rows`, `baseline` is a report's digest.

    Raises Refused(code, pointer), Conflict(model_not_ready).
    """
    admission.shape_of(card)
    indices = admission.selected(request, samples)
    phases, skipped = recipes.choose(request, card)
    if not phases:
        raise Refused(
            f"Nothing of this recipe fits model and threat. {skipped[0].method}: {skipped[0].reason}",
            code="access_too_weak",
            pointer="/recipe",
        )
    every = range(len(indices))
    left = request.budget.seconds
    each = [tuple(_job(request, choice, card, samples, every, rows, left) for choice in phase) for phase in phases]
    jobs = each[0]
    spec = AuditSpec(
        request=_with_defaults(request, jobs[0], len(indices)),
        model=card,
        samples=samples,
        indices=indices,
        threat=jobs[0].threat.model_copy(update={"epsilon": request.threat.epsilon, "goal": request.threat.goal}),
        skipped=tuple(Skipped(method=s.method, reason=s.reason) for s in skipped),
        phases=tuple(tuple(map(recipes.written, phase)) for phase in phases),
        baseline=baseline,
        draft=isinstance(request.recipe, str) and RECIPES[request.recipe].is_draft,
        queue=jobs[0].queue,
    )
    return AuditPlan(spec, jobs, phases=len(each), planned=sum(map(len, each)))


def jobs_of_phase(
    spec: AuditSpec,
    phase: int,
    rows: SelectedRows | None = None,
    *,
    closed: Collection[int] = (),
    seconds: float = 0.0,
) -> tuple[JobSpec, ...]:
    """Admits the jobs of a later phase of an audit under way, counted from 0, as `admit` planned it. `rows` likewise.

    `closed` rows of the upload are not tried where a step is for open ones only; where none is left, it is no job.
    `seconds` of computing were spent by now. When these are all that the audit has, there are no more jobs; from half
    of them on, where methods that close brackets are planned, none but theirs.
    Raises Refused(not_available) where a method of it is no longer here in the version that was planned.
    """
    left = None if spec.request.budget.seconds is None else spec.request.budget.seconds - seconds
    jobs = []
    for choice in map(recipes.chosen, spec.phases[phase]):
        if left is not None and left <= _kept(spec, choice):
            continue
        places: Sequence[int] = range(len(spec.indices))
        if choice.only_open:
            places = [place for place in places if spec.indices[place] not in closed]
        if places:
            jobs.append(_job(spec.request, choice, spec.model, spec.samples, places, rows, left))
    return tuple(jobs)


def _kept(spec: AuditSpec, choice: ChosenMethod) -> float:
    """The seconds that have to be left for a method to begin: half of all are for those that close brackets."""
    closing = any(recipes.chosen(step).method.closes for phase in spec.phases for step in phase)
    return KEPT * (spec.request.budget.seconds or 0.0) if closing and not choice.method.closes else 0.0


def _job(
    request: AuditRequest,
    choice: ChosenMethod,
    card: ModelCard,
    samples: SamplesCard,
    places: Sequence[int],
    rows: SelectedRows | None,
    left: float | None,
) -> JobSpec:
    """The job of a method on the selected rows at these places, the first ones where the method is for few.

    `left`: seconds of the audit's; None: it has no end by the clock.
    """
    places = places[: choice.samples]
    asked = JobRequest(
        model_id=request.model_id,
        samples_id=request.samples_id,
        method=choice.params,
        threat=_threat(request.threat, choice, places),
        budget=BudgetRequest(queries_per_sample=choice.queries, seconds=left if choice.method.closes else None),
        samples=_selection(request, places),
        seed=request.seed,
    )
    return admission.admit(asked, card, samples, rows and _at(rows, places), method=choice.method)


def _threat(threat: ThreatRequest, choice: ChosenMethod, places: Sequence[int]) -> ThreatRequest:
    """The audit's, without an epsilon for a method that refuses one, with the targets at these places."""
    if choice.method.epsilon == "refused":
        threat = threat.model_copy(update={"epsilon": None})
    if isinstance(threat.goal, Targeted) and isinstance(threat.goal.targeted, list):
        given = threat.goal.targeted
        threat = threat.model_copy(update={"goal": Targeted(targeted=[given[place] for place in places])})
    return threat


def _at(rows: SelectedRows, places: Sequence[int]) -> SelectedRows:
    return SelectedRows(rows.x[list(places)], None if rows.y is None else rows.y[list(places)])


def _selection(request: AuditRequest, places: Sequence[int]) -> Selection:
    indices = request.samples.indices
    if indices is None and list(places) == list(range(len(places))):
        return Selection(limit=len(places))
    return Selection(indices=[place if indices is None else indices[place] for place in places])


def _with_defaults(request: AuditRequest, job: JobSpec, count: int) -> AuditRequest:
    """What was asked, with what was left out said: the box and the number of samples."""
    threat = request.threat.model_copy(update={"box": job.request.threat.box})
    return request.model_copy(update={"threat": threat, "samples": _selection(request, range(count))})
