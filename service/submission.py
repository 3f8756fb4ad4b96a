"""From a request to a job: look up what it names, admit it, write it down, wake a worker."""

from algorithms.errors import Conflict
from jobs.admission import Rows, admit, selected, wants_rows
from jobs.record import Idempotency, Job
from jobs.request import JobRequest
from models.library import Library
from models.manifest import ModelCard, SamplesCard
from models.samples import load_rows
from service.dependencies import Parts


def submit(tenant: str, request: JobRequest, once: Idempotency | None, parts: Parts) -> Job:
    """The job made now, or the one made before with the same Idempotency-Key. Blocks.

    Raises NotFound for ids of another tenant as for unknown ones, and what `admit` raises.
    """
    store = parts.store
    made_before = store.replayed(tenant, once) if once else None
    if made_before is not None:
        return store.job(tenant, made_before)
    model = store.model(tenant, request.model_id)
    check_trusted(model, parts.settings.trusted_origins)
    samples = store.samples_card(tenant, request.samples_id)
    spec = admit(request, model, samples, _rows(request, samples, parts.library) if wants_rows(request) else None)
    job, effects = store.create_job(tenant, spec, once)
    parts.settle(effects)
    return job


def check_trusted(model: ModelCard, trusted_origins: tuple[str, ...]) -> None:
    """Raises Conflict(model_not_ready): an origin may have lost its operator's trust since it was registered."""
    if model.state == "ready" and model.endpoint and model.endpoint.origin not in trusted_origins:
        raise Conflict(
            "The operator does not trust this endpoint's origin any more; BRINELL_TRUSTED_ORIGINS has to name it.",
            code="model_not_ready",
            pointer="/model_id",
        )


def _rows(request: JobRequest, samples: SamplesCard, library: Library) -> Rows:
    x, y = load_rows(library.get(samples.sha256), selected(request, samples))
    return Rows(x=x, y=y)
