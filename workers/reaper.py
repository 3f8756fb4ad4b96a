"""Sweeps what died: expired leases, lost messages, passed deadlines, bytes that nobody holds.

A thread of the pool child, not of the worker's main process: that one forks, and a thread that talks to Redis and to
the library while it does would leave its locks taken in the child. Any number of reapers may run; the store's moves
are atomic, so each thing is swept once.
"""

import threading
from collections.abc import Callable

import structlog

SWEEP_SECONDS = 2.0

_log = structlog.get_logger(__name__)


class Reaper:
    def __init__(self, sweep: Callable[[], None]) -> None:
        self._sweep = sweep
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._over.wait(SWEEP_SECONDS):
            try:
                self._sweep()
            except Exception as error:  # Redis or the library may be away; the next sweep tries again
                _log.warning("sweep_failed", error=type(error).__name__)
