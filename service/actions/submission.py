"""From a request to a job or an audit: look up what it names, admit it, write it down, wake a worker."""

from collections.abc import Sequence

from algorithms.errors import Conflict
from algorithms.registry import method
from audits.asking import admission as audit_admission
from audits.asking.record import Audit
from audits.asking.request import AuditRequest
from audits.store import Audits
from jobs.admission.admission import SelectedRows, admit, selected, wants_rows
from jobs.admission.refusing import check_samples
from jobs.idempotency import Idempotency
from jobs.record import Job
from jobs.request import JobRequest
from models.cards import ModelCard, SamplesCard
from models.library import Library
from models.samples import load_rows
from service.edge.dependencies import Parts


def submit(tenant: str, request: JobRequest, once: Idempotency | None, parts: Parts) -> Job:
    """Makes a job, or returns the one made before with the same Idempotency-Key. Blocks.

    Raises NotFound for ids of another tenant as for unknown ones, and what `admit` raises.
    """
    store = parts.store
    made_before = store.objects.replayed(tenant, once) if once else None
    if made_before is not None:
        return store.jobs.get(tenant, made_before)
    model = store.models.get(tenant, request.model_id)
    check_trusted(model, parts.settings.trusted_origins)
    check_samples(method(request.method.name), request)
    samples = None if request.samples_id is None else store.samples.get(tenant, request.samples_id)
    rows = None
    if samples is not None and wants_rows(request, model, samples):
        rows = _rows(selected(request, samples), samples, parts.library)
    auxiliary_id = request.auxiliary_samples_id
    auxiliary = None if auxiliary_id is None else store.samples.get(tenant, auxiliary_id)
    surrogate_id = request.surrogate_model_id
    surrogate = None if surrogate_id is None else store.models.get(tenant, surrogate_id)
    spec = admit(request, model, samples, rows, auxiliary, surrogate)
    return store.jobs.create(tenant, spec, once)


def submit_audit(tenant: str, request: AuditRequest, once: Idempotency | None, parts: Parts) -> Audit:
    """Makes an audit, or returns the one made before with the same Idempotency-Key. Raises what
    `audits.asking.admission.admit` raises, Conflict(job_not_finished) for a live baseline.
    """
    store = parts.store
    made_before = store.objects.replayed(tenant, once) if once else None
    if made_before is not None:
        return parts.audits.get(tenant, made_before)
    model = store.models.get(tenant, request.model_id)
    check_trusted(model, parts.settings.trusted_origins)
    samples = store.samples.get(tenant, request.samples_id)
    indices = audit_admission.needed_rows(request, model, samples)
    rows = None if indices is None else _rows(indices, samples, parts.library)
    plan = audit_admission.admit(request, model, samples, rows, baseline=_baseline(tenant, request, parts.audits))
    return parts.audits.create(tenant, plan, once)


def _baseline(tenant: str, request: AuditRequest, audits: Audits) -> str | None:
    """Digest of its report, None where none is named."""
    if request.baseline_audit_id is None:
        return None
    forms = audits.report_forms(tenant, request.baseline_audit_id)
    if "json" not in forms:
        raise Conflict(
            "The baseline audit has no report (yet): wait until it has succeeded, or name another.",
            code="job_not_finished",
            pointer="/baseline_audit_id",
        )
    return forms["json"]


def check_trusted(model: ModelCard, trusted_origins: tuple[str, ...]) -> None:
    """Raises Conflict(model_not_ready): an origin may have lost its operator's trust since it was registered."""
    if model.state == "ready" and model.endpoint and model.endpoint.origin not in trusted_origins:
        raise Conflict(
            "The operator does not trust this endpoint's origin any more; BRINELL_TRUSTED_ORIGINS has to name it.",
            code="model_not_ready",
            pointer="/model_id",
        )


def _rows(indices: Sequence[int], samples: SamplesCard, library: Library) -> SelectedRows:
    x, y = load_rows(library.get(samples.sha256), indices)
    return SelectedRows(x=x, y=y)
