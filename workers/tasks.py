"""The one task: do one chunk of one job. A message is two words, and may come twice or never."""

import os
from pathlib import Path
from typing import Any

from celery.signals import worker_process_init, worker_process_shutdown

from jobs.installation.settings import Settings
from jobs.spec import QueueName
from jobs.store.store import Store
from jobs.work.queue import RUN_CHUNK, Queue
from models.library import Library
from workers.app import app, confined, kind, settings
from workers.confinement.levels import RunnerKind
from workers.confinement.openable import CARD_DRIVERS
from workers.confinement.resources import CARD_MEMORY_BYTES, MEMORY_BYTES
from workers.reaper import Reaper
from workers.supervisor.runner_process import RunnerProcess, sweep_directories
from workers.supervisor.spare import Runners
from workers.supervisor.supervisor import Supervisor

ON_CARD = 16  # chunks of a job at a time: no method allows more


class Station:
    """What one pool child keeps between chunks. Made after the fork: clients and threads do not survive one."""

    def __init__(self, settings: Settings) -> None:
        library = Library(settings.library)
        store = Store(settings, Queue(settings.redis_url), library)
        sweep_directories()
        runner_kind = _runner_kind(settings.device)
        # Memory of a card that lies idle is missed; so is an endpoint's secret that need not be there.
        self._runners = Runners(lambda: _start(runner_kind), tenants=2 if runner_kind == "compute" else 1)
        self.supervisor = Supervisor(
            settings, store=store, library=library, runners=self._runners, chunks=_chunks_at_once(runner_kind)
        )
        self._reaper = Reaper(lambda: _sweep(store, library))
        self._reaper.start()

    def close(self) -> None:
        self._reaper.stop()
        self._runners.close()


def _sweep(store: Store, library: Library) -> None:
    store.moves.reap()
    library.sweep()
    store.holdings.measure()


_station: Station | None = None


@worker_process_init.connect
def _open(**_: Any) -> None:
    global _station
    _station = Station(settings)


@worker_process_shutdown.connect
def _close(**_: Any) -> None:
    if _station is not None:
        _station.close()


@app.task(name=RUN_CHUNK, bind=True)
def run_chunk(self: Any, job_id: str, chunk: int) -> None:
    if _station is None:
        raise RuntimeError("this worker's pool is not prefork: start it with --pool=prefork")
    queue: QueueName = self.request.delivery_info["routing_key"]
    _station.supervisor.do(job_id, chunk, queue)


def _start(runner_kind: RunnerKind) -> RunnerProcess:
    memory = CARD_MEMORY_BYTES if runner_kind == "card" else MEMORY_BYTES
    return RunnerProcess(memory_bytes=memory, kind=runner_kind, isolation=confined.level)


def _chunks_at_once(runner_kind: RunnerKind) -> int:
    """A chunk keeps two cores busy: more of them do more at a time, and a card as much as sixteen and more."""
    if runner_kind == "probe":
        return 1
    return ON_CARD if runner_kind == "card" else max(1, len(os.sched_getaffinity(0)) // 2)


def _runner_kind(device: str) -> RunnerKind:
    if kind() == "probe":
        return "probe"
    return "card" if device != "cpu" and any(Path(driver).exists() for driver in CARD_DRIVERS) else "compute"
