"""`/v1/jobs`: ask, watch, cancel, forget."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from jobs.admission.admission import check_reserved
from jobs.page import Page
from jobs.record import Job
from jobs.request import JobRequest
from jobs.states import JobState
from jobs.store.names import checked
from service.actions.submission import submit
from service.edge.dependencies import Cursor, JobsReader, JobsWriter, Limit, TheParts
from service.openapi import examples
from service.openapi.declaring import answers, declares, takes_json
from service.wire import polling
from service.wire.bodies import json_body
from service.wire.idempotent import IdempotencyKey, idempotency
from service.wire.polling import poll
from service.wire.waiting import Prefer

router = APIRouter(tags=["jobs"])

ADMISSION_REFUSALS = (
    "unknown_method",
    "access_too_weak",
    "norm_not_supported",
    "lattice_not_supported",
    "goal_not_supported",
    "epsilon_required",
    "epsilon_refused",
    "box_required",
    "outside_box",
    "budget_too_small",
    "shape_mismatch",
    "label_out_of_range",
)


@router.post(
    "/v1/jobs",
    status_code=202,
    response_model=Job,
    responses=answers(202, "Accepted.", headers={"Location": "Where to poll.", "Retry-After": "s"})
    | declares(
        "not_found",
        "model_not_ready",
        "body_too_large",
        "too_slow",
        "media_type",
        "invalid_request",
        "not_available",
        "idempotency_key_reused",
        "quota_exceeded",
        "insufficient_storage",
        *ADMISSION_REFUSALS,
    ),
    openapi_extra=takes_json("JobRequest", clever=examples.JOB_REQUEST, smallest=examples.SMALLEST_JOB_REQUEST),
)
async def create_job(
    request: Request,
    response: Response,
    caller: JobsWriter,
    body: Annotated[JobRequest, Depends(json_body(JobRequest))],
    parts: TheParts,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Creates a job. Everything that can be refused is refused here; what is accepted runs."""
    check_reserved(body.threat)
    once = idempotency(idempotency_key, request, body.model_dump(mode="json", exclude_unset=True))
    job = await parts.lanes.run(caller.tenant, partial(submit, caller.tenant, body, once, parts))
    response.headers.update({"Location": f"/v1/jobs/{job.id}", "Retry-After": polling.POLL_SECONDS})
    return job


@router.get(
    "/v1/jobs",
    response_model=Page[Job],
    responses=answers(200, "Newest first.") | declares("invalid_request"),
)
def list_jobs(
    caller: JobsReader,
    parts: TheParts,
    state: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Job]:
    """Lists the tenant's jobs, newest first."""
    return parts.store.jobs.page(caller.tenant, state, cursor, limit)


@router.get(
    "/v1/jobs/{job_id}",
    response_model=Job,
    responses=answers(200, "The job as it stands.", headers=polling.HEADERS)
    | answers(304, "Nothing has changed since that ETag.")
    | declares("not_found", "invalid_request"),
)
async def get_job(
    request: Request,
    response: Response,
    job_id: str,
    caller: JobsReader,
    parts: TheParts,
    if_none_match: Annotated[str | None, Header(description="An ETag seen before.")] = None,
    prefer: Prefer = None,
) -> Job | Response:
    """Returns a job as it stands. `Prefer: wait=30` waits until it ends or changes state, unless If-None-Match shows
    that it already has.
    """
    store, named = parts.store, checked(job_id, "job")
    return await poll(
        store.jobs.get,
        store,
        caller.tenant,
        named,
        request=request,
        response=response,
        known=if_none_match,
        prefer=prefer,
    )


@router.post(
    "/v1/jobs/{job_id}/cancel",
    status_code=202,
    response_model=Job,
    responses=answers(202, "It ends within seconds; an ended job stays as it is.")
    | declares("not_found", "invalid_request"),
)
def cancel_job(job_id: str, caller: JobsWriter, parts: TheParts) -> Job:
    """Asks a job to stop; its findings so far are kept."""
    return parts.store.jobs.cancel(caller.tenant, job_id)


@router.delete("/v1/jobs/{job_id}", status_code=204, responses=declares("not_found", "in_use", "invalid_request"))
def delete_job(job_id: str, caller: JobsWriter, parts: TheParts) -> None:
    """Deletes a job and its findings. A live job is cancelled first. A job of an audit goes with its audit and cannot
    be deleted by itself.
    """
    parts.store.jobs.remove(caller.tenant, job_id)
