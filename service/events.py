"""A job's life as server-sent events. The id of an event is the job's version, so a broken stream resumes."""

from collections.abc import AsyncIterator

import anyio
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import ServerSentEvent

from algorithms.errors import BrinellError
from jobs.record import Job
from jobs.states import TERMINAL
from jobs.store import Store

LOOK_EVERY_SECONDS = 0.5
RETRY_MILLISECONDS = 2000


async def follow(store: Store, tenant: str, job_id: str, *, seen: int | None) -> AsyncIterator[ServerSentEvent]:
    """`state` whenever the state moves (and first of all), `progress` in between; ends with the job.

    `seen`: the version of the last event that arrived, None at the first connection. Versions between two looks are
    skipped: each event tells the job as it stands.
    """
    last_state = None
    while True:
        try:
            version = await run_in_threadpool(store.version, tenant, job_id)
            job = await run_in_threadpool(store.job, tenant, job_id)
        except BrinellError:
            return  # deleted, or Redis is away: the client connects again and is told which
        has_ended = job.state in TERMINAL
        missed_nothing = version == seen and not (has_ended and last_state is None)  # who asks late is told the end
        if not missed_nothing:
            yield _event(job, version, moved=job.state != last_state)
            if has_ended:
                return
            seen, last_state = version, job.state
        await anyio.sleep(LOOK_EVERY_SECONDS)


def _event(job: Job, version: int, *, moved: bool) -> ServerSentEvent:
    progress = job.progress.model_dump(mode="json")
    data = {"state": job.state, "progress": progress} if moved else progress
    return ServerSentEvent(event="state" if moved else "progress", id=str(version), data=data, retry=RETRY_MILLISECONDS)
