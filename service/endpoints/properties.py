"""`/v1/properties`: a property of a model, decided by a job."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from jobs.property import SECONDS, PropertyFile, PropertyRequest
from jobs.record import Job
from service.actions.deciding import take_property
from service.actions.intake import arriving
from service.edge.dependencies import JobsWriter, TheParts
from service.openapi.declaring import answers, declares, takes_text
from service.wire import polling
from service.wire.idempotent import IdempotencyKey, idempotency

router = APIRouter(tags=["jobs"])

ModelId = Annotated[str, Query(description="The model that the property is about: an uploaded graph.")]
Seconds = Annotated[float, Query(gt=0, allow_inf_nan=False, description="How long to look for an answer.")]


@router.post(
    "/v1/properties",
    status_code=202,
    response_model=Job,
    responses=answers(202, "Accepted.", headers={"Location": "Where to poll.", "Retry-After": "s"})
    | declares(
        "not_found",
        "model_not_ready",
        "length_required",
        "too_slow",
        "body_too_large",
        "media_type",
        "invalid_request",
        "access_too_weak",
        "shape_mismatch",
        "unsupported_signature",
        "idempotency_key_reused",
        "quota_exceeded",
        "insufficient_storage",
    ),
    openapi_extra=takes_text("A property in VNN-LIB 1.0 or 2.0."),
)
async def create_property(
    request: Request,
    response: Response,
    caller: JobsWriter,
    parts: TheParts,
    model_id: ModelId,
    seconds: Seconds = SECONDS,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Creates a job that looks for an input within a property's bounds whose outputs are as it describes them, on the
    graph as it was uploaded. `details.answer` of the job, and of its one finding: sat, unsat, unknown or timeout.
    """
    async with arriving(request, "job", caller.tenant, idempotency_key, parts) as (job_id, upload):
        once = idempotency(idempotency_key, request, upload.sha256)
        about = PropertyFile(sha256=upload.sha256, size_bytes=upload.size_bytes)
        asked = PropertyRequest(model_id=model_id, property=about, seconds=seconds)
        take = partial(take_property, upload, asked, job_id=job_id, tenant=caller.tenant, once=once, parts=parts)
        job = await parts.lanes.run(caller.tenant, take)
    response.headers.update({"Location": f"/v1/jobs/{job.id}", "Retry-After": polling.POLL_SECONDS})
    return job
