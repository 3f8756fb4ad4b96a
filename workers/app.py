"""The Celery worker: `python -m celery -A workers.app worker -Q compute`, or `inspect`, `probe`.

Celery carries messages and keeps the pool; it is never asked what became of a task. Truth is in the store: a message
that comes twice finds the lease or the committed chunk, a lost one is sent again by the reaper.
"""

import os
from typing import Any

from celery import Celery, bootsteps
from celery.signals import celeryd_init, setup_logging, worker_shutting_down
from celery.worker.consumer import Consumer

from jobs.installation import logs
from jobs.installation.settings import read_or_exit
from jobs.spec import QueueName
from jobs.store.connection.connection import Connection
from jobs.store.sections.workers import Workers
from jobs.store.start import have_library_or_exit, meet_or_exit
from workers import broker, drain
from workers.confinement.compiled import compile_code
from workers.confinement.trial import confined_or_exit
from workers.versions import versions

BEAT_SECONDS = 5.0
VISIBILITY_SECONDS = 3600
SILENCE_SECONDS = 10.0  # of the broker

settings = read_or_exit()
confined = confined_or_exit(settings.sandbox, settings.library)  # a worker that cannot confine as asked does not start

broker.install()
app = Celery("brinell", broker=settings.redis_url, include=["workers.tasks"])
app.conf.update(
    # JSON only: with pickle, whoever can write to Redis can run code here
    task_serializer="json",
    accept_content=["json"],
    # no result backend: a client that asked Celery would be told PENDING for lost, unknown and waiting alike
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    # the message outlives a worker that dies with it; redelivery is harmless, since the chunk has a lease
    task_acks_late=True,
    # a pool child that dies is acknowledged: Redis counts no redeliveries, so requeueing would loop; the reaper counts
    task_reject_on_worker_lost=False,
    # a runner takes the whole machine: one chunk at a time, and none held back from other workers meanwhile
    worker_concurrency=1,
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    # a lost connection does not end a chunk: the lease decides, and a second delivery is harmless
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # a server that is full, or whose disk is, refuses commands of a worker that should wait instead of ending
    broker_channel_error_retry=True,
    broker_transport_options={
        # counted from delivery; a chunk that lives longer is delivered again, finds its own lease, and that is all
        "visibility_timeout": VISIBILITY_SECONDS,
        # kombu looks for unacknowledged messages every interval x throttle; its 10 x 10 s would be the longest wait
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 5,
        "socket_keepalive": True,
        "socket_connect_timeout": 5,
        # longer than BRPOP waits. Without it a read whose reply was lost with its connection holds the loop for ever
        "socket_timeout": SILENCE_SECONDS,
        "health_check_interval": 10,
        "retry_on_timeout": True,
    },
    # nobody remote-controls this worker, and revocations live in memory only: cancel is a flag in the store
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    # SIGTERM is Celery's warm shutdown, which waits for the chunk; the drain below makes it a wait of a second or two.
    # SIGQUIT gives a chunk this long
    worker_soft_shutdown_timeout=10.0,
    # the runner's memory is limited where it is used; pool children hold no model and are kept, with their spare
    worker_max_tasks_per_child=None,
)


def kind() -> QueueName:
    """By the queues this worker was told to take from (`-Q`): it talks to endpoints, or it runs uploaded models.

    A worker of `inspect` alone waits for uploads while others compute, so that neither waits for the other. One that
    takes from both takes turns.
    """
    queues = set(app.amqp.queues.consume_from)
    if "probe" in queues and len(queues) > 1:
        raise RuntimeError("a worker takes from probe or from compute and inspect: start one of each")
    return "probe" if "probe" in queues else "compute" if "compute" in queues else "inspect"


@celeryd_init.connect
def _meet_the_store(**_: Any) -> None:
    have_library_or_exit(settings.library)
    meet_or_exit(Connection(settings))
    compile_code()


@setup_logging.connect
def _configure_logs(**_: Any) -> None:
    """Connecting is what keeps Celery from configuring its own."""
    logs.write_as_json(settings.log_level)


@worker_shutting_down.connect
def _drain(**_: Any) -> None:
    drain.begin()


class Heartbeat(bootsteps.StartStopStep):
    """Says that this worker lives, from the very loop that takes messages: one that has stopped taking them is silent.

    Started again after every reconnection, which clears the loop's timers.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Consumer) -> None:
        self._workers = Workers(Connection(settings))
        self._worker_id = consumer.hostname
        consumer.timer.call_after(0, self._beat)
        consumer.timer.call_repeatedly(BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        isolation = {"isolation": confined.level, "isolation_denied": confined.denied}
        here = {**isolation, "pid": os.getpid(), "device": settings.device}
        info = {**here, "queues": sorted(app.amqp.queues.consume_from), **versions()}
        self._workers.beat(self._worker_id, kind(), info)


app.steps["consumer"].add(Heartbeat)
