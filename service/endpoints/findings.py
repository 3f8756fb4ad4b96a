"""What a job found: `findings`, `adversarials`, and `events` while it runs."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from algorithms.errors import Conflict
from algorithms.seam.claims import Finding
from jobs.page import Page
from jobs.result import WholeFinding
from jobs.states import TERMINAL
from jobs.store.names import checked
from service.actions import adversarials
from service.edge.dependencies import Cursor, JobsReader, Limit, Parts, TheParts
from service.openapi.declaring import answers, declares
from service.wire.events import LastEventId, follow, version_of
from service.wire.uploads import OCTET_STREAM

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["jobs"])


@router.get(
    "/findings",
    response_model=Page[Finding],
    responses=answers(200, "In the order of the request's samples.") | declares("not_found", "invalid_request"),
)
def list_findings(
    job_id: str, caller: JobsReader, parts: TheParts, cursor: Cursor = None, limit: Limit = 100
) -> Page[Finding]:
    """Lists what the job found; while it runs, what the chunks found that are done."""
    return parts.store.findings.page(caller.tenant, job_id, cursor, limit)


@router.get(
    "/findings/{index}",
    response_model=WholeFinding,
    responses=answers(200, "What was found of one sample, its details whole, with its seconds.")
    | declares("not_found", "invalid_request"),
)
def get_finding(job_id: str, index: int, caller: JobsReader, parts: TheParts) -> WholeFinding:
    """Returns the finding about one row of the upload, its `index`. It is 404 until it is found."""
    return parts.store.findings.get(caller.tenant, job_id, index)


@router.get(
    "/adversarials",
    response_class=StreamingResponse,
    responses=answers(200, "An .npz: `index` (m,), `x` (m, *shape), `label` (m,); m may be 0.", media_type=OCTET_STREAM)
    | declares("not_found", "job_not_finished", "invalid_request", "insufficient_storage"),
)
async def get_adversarials(job_id: str, caller: JobsReader, parts: TheParts) -> StreamingResponse:
    """Returns the points of an ended job; a cancelled one has those it found before."""
    return await parts.lanes.run(caller.tenant, partial(_adversarials, caller.tenant, job_id, parts))


def _adversarials(tenant: str, job_id: str, parts: Parts) -> StreamingResponse:
    if parts.store.jobs.get(tenant, job_id).state not in TERMINAL:
        raise Conflict("The job still runs; ask again when it has ended.", code="job_not_finished")
    shape = parts.store.jobs.shape(tenant, job_id)
    digests = parts.store.findings.adversarial_digests(tenant, job_id)
    file = adversarials.merge(digests, parts.library.get, shape, parts.library.incoming())
    headers = {
        "Content-Length": str(adversarials.size_of(file)),
        "Content-Disposition": f'attachment; filename="{job_id}.npz"',
    }
    return StreamingResponse(adversarials.blocks(file), media_type=OCTET_STREAM, headers=headers)


async def version_seen(
    job_id: str,
    caller: JobsReader,
    parts: TheParts,
    last_event_id: LastEventId = None,
) -> int | None:
    """Looks the job up, and reads the last event's version: once the stream has begun, no 404 can be said."""
    await run_in_threadpool(parts.store.objects.version, caller.tenant, checked(job_id, "job"))
    return version_of(last_event_id)


@router.get(
    "/events",
    response_class=EventSourceResponse,
    responses=answers(200, "Events `state` and `progress`; the stream ends with the job.")
    | declares("not_found", "invalid_request"),
)
async def stream_job_events(
    job_id: str, caller: JobsReader, parts: TheParts, seen: Annotated[int | None, Depends(version_seen)]
) -> AsyncIterator[ServerSentEvent]:
    """Streams how the job goes on, and resumes after `Last-Event-ID`."""
    async for event in follow(parts.store.jobs.get, parts.store, caller.tenant, job_id, seen=seen):
        yield event
