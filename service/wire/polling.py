"""Polling one job or audit: ETag, If-None-Match, `Prefer: wait`, Retry-After."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from jobs.states import TERMINAL, JobState
from jobs.store.store import Store
from service.wire.conditional import etag_of, is_known
from service.wire.waiting import applied, seconds_of, wait_until

POLL_SECONDS = "1"
HEADERS = {"ETag": "Send it back as If-None-Match.", "Retry-After": "Seconds, while it lives."}


class HasState(Protocol):
    """What can be polled has a state."""

    @property
    def state(self) -> JobState:
        """Returns the state it is in."""


Polled = TypeVar("Polled", bound=HasState)


async def poll(
    load: Callable[[str, str], Polled],
    store: Store,
    tenant: str,
    object_id: str,
    *,
    request: Request,
    response: Response,
    known: str | None,
    prefer: str | None,
) -> Polled | Response:
    """Returns the object as `load` finds it, or 304. `Prefer: wait=30` waits until it ends or changes state, unless
    `known`, the caller's If-None-Match, shows that it already has.
    """
    seconds = seconds_of(prefer)
    if seconds:
        await _wait_for_news(store, tenant, object_id, known, seconds=seconds, request=request)
    # The version first: a change in between then gives an old tag to a new body, and costs one poll, not the news.
    version = await run_in_threadpool(store.objects.version, tenant, object_id)
    headers = {"ETag": etag_of(version), **applied(seconds)}
    if is_known(known, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    found = await run_in_threadpool(load, tenant, object_id)
    response.headers.update(headers if found.state in TERMINAL else headers | {"Retry-After": POLL_SECONDS})
    return found


async def _wait_for_news(
    store: Store, tenant: str, object_id: str, known: str | None, *, seconds: int, request: Request
) -> None:
    version = await run_in_threadpool(store.objects.version, tenant, object_id)
    if known is not None and not is_known(known, etag_of(version)):
        return
    first = await run_in_threadpool(store.objects.state, tenant, object_id)
    await wait_until(
        lambda: store.objects.state(tenant, object_id),
        lambda state: state != first or JobState(state) in TERMINAL,
        seconds=seconds,
        request=request,
    )
