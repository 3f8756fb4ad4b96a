"""The life of a job or an audit as server-sent events. An event's id is its version, so a broken stream resumes."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated

import anyio
from fastapi import Header
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import ServerSentEvent

from algorithms.errors import BrinellError
from audits.asking.record import Audit
from jobs.record import Job
from jobs.states import TERMINAL
from jobs.store.store import Store

LOOK_EVERY_SECONDS = 0.5
RETRY_MILLISECONDS = 2000
VERSION = re.compile(r"[0-9]{1,18}")

LastEventId = Annotated[str | None, Header(description="The id of the last event that arrived.")]


def version_of(last_event_id: str | None) -> int | None:
    """Reads the version out of an event's id; None for what we never sent."""
    return int(last_event_id) if last_event_id and VERSION.fullmatch(last_event_id) else None


async def follow(
    load: Callable[[str, str], Job | Audit], store: Store, tenant: str, object_id: str, *, seen: int | None
) -> AsyncIterator[ServerSentEvent]:
    """Yields `state` whenever the state moves (and first of all), `progress` in between, and ends with what it tells
    of.

    `seen`: the version of the last event that arrived, None at the first connection. Versions between two looks are
    skipped: each event tells how things stand.
    """
    last_state = None
    while True:
        try:
            version = await run_in_threadpool(store.objects.version, tenant, object_id)
            found = await run_in_threadpool(load, tenant, object_id)
        except BrinellError:
            return  # deleted, or Redis is away: the client connects again and is told which
        has_ended = found.state in TERMINAL
        missed_nothing = version == seen and not (has_ended and last_state is None)  # who asks late is told the end
        if not missed_nothing:
            yield _event(found, version, moved=found.state != last_state)
            if has_ended:
                return
            seen, last_state = version, found.state
        await anyio.sleep(LOOK_EVERY_SECONDS)


def _event(found: Job | Audit, version: int, *, moved: bool) -> ServerSentEvent:
    progress = found.progress.model_dump(mode="json")
    data = {"state": found.state, "progress": progress} if moved else progress
    return ServerSentEvent(event="state" if moved else "progress", id=str(version), data=data, retry=RETRY_MILLISECONDS)
