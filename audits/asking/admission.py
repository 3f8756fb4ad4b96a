"""May this audit run, and as which jobs? Every refusal of an audit. Pure."""

from dataclasses import dataclass

from algorithms.errors import Refused
from audits.asking import recipes
from audits.asking.recipes import ChosenMethod
from audits.asking.record import AuditSpec
from audits.asking.released import RECIPES
from audits.asking.request import AuditRequest
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
    if request.policy is not None:
        policy.check(request.policy, epsilon=request.threat.epsilon)
    if isinstance(request.recipe, str):
        recipes.check(request.recipe)


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
    each = [tuple(_job(request, choice, card, samples, len(indices), rows) for choice in phase) for phase in phases]
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


def jobs_of_phase(spec: AuditSpec, phase: int, rows: SelectedRows | None = None) -> tuple[JobSpec, ...]:
    """Admits the jobs of a later phase of an audit under way, counted from 0, as `admit` planned it. `rows` likewise.

    Raises Refused(not_available) where a method of it is no longer here in the version that was planned.
    """
    count, steps = len(spec.indices), spec.phases[phase]
    return tuple(_job(spec.request, recipes.chosen(step), spec.model, spec.samples, count, rows) for step in steps)


def _job(
    request: AuditRequest,
    choice: ChosenMethod,
    card: ModelCard,
    samples: SamplesCard,
    selected: int,
    rows: SelectedRows | None,
) -> JobSpec:
    count = min(selected, choice.samples or selected)
    asked = JobRequest(
        model_id=request.model_id,
        samples_id=request.samples_id,
        method=choice.params,
        threat=_threat(request.threat, choice, count),
        budget=BudgetRequest(queries_per_sample=choice.queries),
        samples=_selection(request, count),
        seed=request.seed,
    )
    return admission.admit(asked, card, samples, rows and _first(rows, count), method=choice.method)


def _threat(threat: ThreatRequest, choice: ChosenMethod, count: int) -> ThreatRequest:
    """The audit's, without an epsilon for a method that refuses one, with the targets of the first `count` samples."""
    if choice.method.epsilon == "refused":
        threat = threat.model_copy(update={"epsilon": None})
    if isinstance(threat.goal, Targeted) and isinstance(threat.goal.targeted, list):
        threat = threat.model_copy(update={"goal": Targeted(targeted=threat.goal.targeted[:count])})
    return threat


def _first(rows: SelectedRows, count: int) -> SelectedRows:
    return SelectedRows(rows.x[:count], None if rows.y is None else rows.y[:count])


def _selection(request: AuditRequest, count: int) -> Selection:
    indices = request.samples.indices
    return Selection(limit=count) if indices is None else Selection(indices=indices[:count])


def _with_defaults(request: AuditRequest, job: JobSpec, count: int) -> AuditRequest:
    """What was asked, with what was left out said: the box and the number of samples."""
    threat = request.threat.model_copy(update={"box": job.request.threat.box})
    return request.model_copy(update={"threat": threat, "samples": _selection(request, count)})
