"""Celery as a sender only: one message wakes one worker for one chunk. A lost message is sent again by the reaper."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from celery import Celery
from kombu.exceptions import OperationalError

from jobs.spec import QueueName

PATIENCE_SECONDS = 5.0
RUN_CHUNK = "run_chunk"  # the task's name, in `workers/tasks.py`


@dataclass(frozen=True)
class Dispatch:
    """A dispatch is a wake-up call to be sent: this chunk can be taken now."""

    queue: QueueName
    job_id: str
    chunk: int


class Queue:
    """Sends `run_chunk(job_id, chunk)` to the queue named by each dispatch (`QueueName`)."""

    def __init__(self, redis_url: str, *, patience: float = PATIENCE_SECONDS) -> None:
        """`patience`: seconds until the broker counts as silent."""
        self._redis_url, self._patience = redis_url, patience

    @cached_property
    def _celery(self) -> Celery:
        app = Celery("brinell", broker=self._redis_url)
        app.conf.update(
            task_serializer="json",
            accept_content=["json"],
            task_ignore_result=True,  # results live in the store
            broker_transport_options={
                "socket_timeout": self._patience,
                "socket_connect_timeout": self._patience,
                "max_retries": 1,  # the reaper is patient, the caller of the API is not
                "interval_start": 0,
            },
        )
        return app

    def send(self, dispatches: Iterable[Dispatch]) -> int:
        """Hands messages to the broker, and returns how many it took.

        A broker that is down costs time, not work: nothing is raised.
        """
        sent = 0
        for d in dispatches:
            try:
                self._celery.send_task(RUN_CHUNK, args=(d.job_id, d.chunk), queue=d.queue, retry=False)
            except OperationalError:
                return sent
            sent += 1
        return sent
