"""`/v1/jobs`: ask, watch, cancel, forget."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from jobs.record import Job, Page
from jobs.request import JobRequest
from jobs.states import TERMINAL, JobState
from jobs.store import Store
from service import examples
from service.bodies import json_body
from service.conditional import etag_of, is_known
from service.dependencies import Cursor, JobsReader, JobsWriter, Limit, TheParts
from service.idempotent import IdempotencyKey, idempotency
from service.openapi import answers, declares, takes_json
from service.submission import submit
from service.waiting import Prefer, applied, seconds_of, wait_until

router = APIRouter(tags=["jobs"])

POLL_SECONDS = "1"
ADMISSION_REFUSALS = (
    "unknown_method",
    "access_too_weak",
    "norm_not_supported",
    "goal_not_supported",
    "epsilon_required",
    "epsilon_refused",
    "box_required",
    "outside_box",
    "budget_too_small",
    "shape_mismatch",
    "label_out_of_range",
)
POLLING = {"ETag": "Send it back as If-None-Match.", "Retry-After": "Seconds, while the job lives."}


@router.post(
    "/v1/jobs",
    status_code=202,
    response_model=Job,
    responses=answers(202, "Accepted.", headers={"Location": "Where to poll.", "Retry-After": "s"})
    | declares(
        "not_found",
        "model_not_ready",
        "idempotency_in_progress",
        "body_too_large",
        "media_type",
        "invalid_request",
        "not_available",
        "idempotency_key_reused",
        *ADMISSION_REFUSALS,
    ),
    openapi_extra=takes_json("JobRequest", clever=examples.JOB_REQUEST, smallest=examples.SMALLEST_JOB_REQUEST),
)
def create_job(
    request: Request,
    response: Response,
    caller: JobsWriter,
    body: Annotated[JobRequest, Depends(json_body(JobRequest))],
    parts: TheParts,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Everything that can be refused is refused here; what is accepted runs."""
    once = idempotency(idempotency_key, request, body.model_dump(mode="json", exclude_unset=True))
    job = submit(caller.tenant, body, once, parts)
    response.headers.update({"Location": f"/v1/jobs/{job.id}", "Retry-After": POLL_SECONDS})
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
    return parts.store.jobs(caller.tenant, state, cursor, limit)


@router.get(
    "/v1/jobs/{job_id}",
    response_model=Job,
    responses=answers(200, "The job as it stands.", headers=POLLING)
    | answers(304, "Nothing has changed since that ETag.")
    | declares("not_found", "invalid_request"),
)
async def show_job(
    request: Request,
    response: Response,
    job_id: str,
    caller: JobsReader,
    parts: TheParts,
    if_none_match: Annotated[str | None, Header(description="An ETag seen before.")] = None,
    prefer: Prefer = None,
) -> Job | Response:
    """`Prefer: wait=30` waits until it ends or changes state, unless If-None-Match shows that it already has."""
    seconds = seconds_of(prefer)
    if seconds:
        await _wait_for_news(parts.store, caller.tenant, job_id, if_none_match, seconds=seconds, request=request)
    # The version first: a change in between then gives an old tag to a new body, and costs one poll, not the news.
    version = await run_in_threadpool(parts.store.version, caller.tenant, job_id)
    headers = {"ETag": etag_of(version), **applied(seconds)}
    if is_known(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    job = await run_in_threadpool(parts.store.job, caller.tenant, job_id)
    response.headers.update(headers if job.state in TERMINAL else headers | {"Retry-After": POLL_SECONDS})
    return job


async def _wait_for_news(
    store: Store, tenant: str, job_id: str, known: str | None, *, seconds: int, request: Request
) -> None:
    version = await run_in_threadpool(store.version, tenant, job_id)
    if known is not None and not is_known(known, etag_of(version)):
        return
    first = await run_in_threadpool(store.state, tenant, job_id)
    await wait_until(
        lambda: store.state(tenant, job_id),
        lambda state: state != first or JobState(state) in TERMINAL,
        seconds=seconds,
        request=request,
    )


@router.post(
    "/v1/jobs/{job_id}/cancel",
    status_code=202,
    response_model=Job,
    responses=answers(202, "It ends within seconds; an ended job stays as it is.")
    | declares("not_found", "invalid_request"),
)
def cancel_job(job_id: str, caller: JobsWriter, parts: TheParts) -> Job:
    """Findings so far are kept."""
    job, effects = parts.store.cancel_job(caller.tenant, job_id)
    parts.settle(effects)
    return job


@router.delete("/v1/jobs/{job_id}", status_code=204, responses=declares("not_found", "invalid_request"))
def delete_job(job_id: str, caller: JobsWriter, parts: TheParts) -> None:
    """A live job is cancelled first."""
    parts.settle(parts.store.remove_job(caller.tenant, job_id))
