"""From the text of a property to the job that decides it: read, admitted, and kept in the job's name. Blocks."""

from pathlib import Path

from algorithms.errors import Refused
from jobs.admission.property import admit_property
from jobs.idempotency import Idempotency
from jobs.property import PropertyRequest
from jobs.record import Job
from service.edge.dependencies import Parts
from service.wire.uploads import Upload


def take_property(
    upload: Upload, asked: PropertyRequest, *, job_id: str, tenant: str, once: Idempotency | None, parts: Parts
) -> Job:
    """Makes the job, or returns the one first made with this key. Raises NotFound, and what `admit_property` raises."""
    store = parts.store
    made_before = store.objects.replayed(tenant, once) if once else None
    if made_before is not None:
        return store.jobs.get(tenant, made_before)
    spec = admit_property(asked, store.models.get(tenant, asked.model_id), _text(upload.path))
    store.holdings.put_file(tenant, job_id, upload.path, upload.sha256)
    return store.jobs.create_property(tenant, job_id, spec, once)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise Refused("The property is no UTF-8 text; send the VNN-LIB file as it is, not compressed.") from None
