"""`/v1/audits`: many jobs, one verdict, one report."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from algorithms.errors import Conflict, NotFound, Refused
from audits.asking import admission
from audits.asking.record import Audit
from audits.asking.request import AuditRequest
from audits.document.report import MEDIA_TYPES, Report
from audits.document.verdict import Verdict
from jobs.page import Page
from jobs.states import TERMINAL, JobState
from jobs.store.names import checked
from service.actions.submission import submit_audit
from service.edge.dependencies import Cursor, JobsReader, JobsWriter, Limit, TheParts
from service.endpoints.jobs import ADMISSION_REFUSALS
from service.openapi import examples
from service.openapi.declaring import TEXT, Responses, answers, declares, takes_json
from service.wire import polling
from service.wire.bodies import json_body
from service.wire.events import LastEventId, follow, version_of
from service.wire.idempotent import IdempotencyKey, idempotency
from service.wire.polling import poll
from service.wire.waiting import Prefer

router = APIRouter(prefix="/v1/audits", tags=["audits"])

Format = Annotated[
    Literal["json", "html", "markdown", "junit", "sarif", "intoto", "cyclonedx"],
    Query(description="sarif, intoto and cyclonedx are reserved."),
]
REPORT: Responses = {
    200: {
        "description": "The report as it was written once.",
        "model": Report,  # of its JSON; the other forms are texts
        "content": {media_type: {"schema": TEXT} for form, media_type in MEDIA_TYPES.items() if form != "json"},
    }
}
# A report holds names that somebody chose: whatever is in it, it runs in an origin of its own and reaches nothing.
ALONE = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; font-src data:; "
    "sandbox allow-scripts allow-popups"
)


@router.post(
    "",
    status_code=202,
    response_model=Audit,
    responses=answers(202, "Accepted.", headers={"Location": "Where to poll.", "Retry-After": "s"})
    | declares(
        "not_found",
        "model_not_ready",
        "job_not_finished",
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
    openapi_extra=takes_json("AuditRequest", policy=examples.AUDIT_REQUEST, smallest=examples.SMALLEST_AUDIT_REQUEST),
)
async def create_audit(
    request: Request,
    response: Response,
    caller: JobsWriter,
    body: Annotated[AuditRequest, Depends(json_body(AuditRequest))],
    parts: TheParts,
    idempotency_key: IdempotencyKey = None,
) -> Audit:
    """Creates an audit. What of the recipe cannot run on this model is skipped and said; everything else is refused
    here or runs.
    """
    admission.check(body)
    once = idempotency(idempotency_key, request, body.model_dump(mode="json", exclude_unset=True))
    audit = await parts.lanes.run(caller.tenant, partial(submit_audit, caller.tenant, body, once, parts))
    response.headers.update({"Location": f"/v1/audits/{audit.id}", "Retry-After": polling.POLL_SECONDS})
    return audit


@router.get("", response_model=Page[Audit], responses=answers(200, "Newest first.") | declares("invalid_request"))
def list_audits(
    caller: JobsReader,
    parts: TheParts,
    state: Annotated[JobState | None, Query(description="Only audits in this state.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Audit]:
    """Lists the tenant's audits, newest first."""
    return parts.audits.page(caller.tenant, state, cursor, limit)


@router.get(
    "/{audit_id}",
    response_model=Audit,
    responses=answers(200, "The audit as it stands.", headers=polling.HEADERS)
    | answers(304, "Nothing has changed since that ETag.")
    | declares("not_found", "invalid_request"),
)
async def get_audit(
    request: Request,
    response: Response,
    audit_id: str,
    caller: JobsReader,
    parts: TheParts,
    if_none_match: Annotated[str | None, Header(description="An ETag seen before.")] = None,
    prefer: Prefer = None,
) -> Audit | Response:
    """Returns an audit as it stands. `Prefer: wait=30` waits until it ends or changes state, unless If-None-Match shows
    that it already has.
    """
    return await poll(
        parts.audits.get,
        parts.store,
        caller.tenant,
        checked(audit_id, "audit"),
        request=request,
        response=response,
        known=if_none_match,
        prefer=prefer,
    )


@router.get(
    "/{audit_id}/verdict",
    response_model=Verdict,
    responses=answers(200, "`verdict` is null while it runs, without a policy, and where it could not run.")
    | declares("not_found", "invalid_request"),
)
def get_verdict(audit_id: str, caller: JobsReader, parts: TheParts) -> Verdict:
    """Returns the verdict alone: small and quick, for pipelines that ask often."""
    return parts.audits.verdict(caller.tenant, audit_id)


@router.get(
    "/{audit_id}/report",
    response_class=Response,
    responses=REPORT | declares("not_found", "job_not_finished", "not_available", "invalid_request"),
)
def get_report(audit_id: str, caller: JobsReader, parts: TheParts, format: Format = "json") -> Response:
    """Returns one document in one of several forms; its JSON Schema is at /v1/schemas/report."""
    forms = parts.audits.report_forms(caller.tenant, audit_id)
    if format not in MEDIA_TYPES:
        raise Refused(f"A report has the formats {', '.join(sorted(MEDIA_TYPES))}.", code="not_available")
    if not forms:
        raise _no_report(parts.audits.get(caller.tenant, audit_id).state)
    headers = {"Content-Security-Policy": ALONE} if format == "html" else {}
    return Response(parts.library.get(forms[format]), media_type=MEDIA_TYPES[format], headers=headers)


def _no_report(state: JobState) -> Conflict | NotFound:
    if state in TERMINAL:
        return NotFound(f"This audit is {state} and left no report; start another.")
    return Conflict("The audit still runs; ask again when it has ended.", code="job_not_finished")


async def version_seen(
    audit_id: str, caller: JobsReader, parts: TheParts, last_event_id: LastEventId = None
) -> int | None:
    """Looks the audit up, and reads the last event's version: once the stream has begun, no 404 can be said."""
    await run_in_threadpool(parts.store.objects.version, caller.tenant, checked(audit_id, "audit"))
    return version_of(last_event_id)


@router.get(
    "/{audit_id}/events",
    response_class=EventSourceResponse,
    responses=answers(200, "Events `state` and `progress`; the stream ends with the audit.")
    | declares("not_found", "invalid_request"),
)
async def stream_audit_events(
    audit_id: str, caller: JobsReader, parts: TheParts, seen: Annotated[int | None, Depends(version_seen)]
) -> AsyncIterator[ServerSentEvent]:
    """Streams how the audit goes on, and resumes after `Last-Event-ID`."""
    async for event in follow(parts.audits.get, parts.store, caller.tenant, audit_id, seen=seen):
        yield event


@router.post(
    "/{audit_id}/cancel",
    status_code=202,
    response_model=Audit,
    responses=answers(202, "Its jobs end within seconds; an ended audit stays as it is.")
    | declares("not_found", "invalid_request"),
)
def cancel_audit(audit_id: str, caller: JobsWriter, parts: TheParts) -> Audit:
    """Asks an audit to stop. The findings of its jobs so far are kept; there will be no report."""
    return parts.audits.cancel(caller.tenant, audit_id)


@router.delete("/{audit_id}", status_code=204, responses=declares("not_found", "invalid_request"))
def delete_audit(audit_id: str, caller: JobsWriter, parts: TheParts) -> None:
    """Deletes an audit with its jobs and its report. A live audit is cancelled first."""
    parts.audits.remove(caller.tenant, audit_id)
