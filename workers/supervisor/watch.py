"""Watches over one chunk from a thread of its own: renews the lease, passes on progress, and ends the runner in time.

The thread goes on while the runner is silent, hangs, or computes for minutes without a beat.
"""

import threading
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Literal, Self

import structlog

from workers.supervisor.runner_process import RunnerProcess

BEAT_SECONDS = 1.0  # progress is at most one write a second
CANCEL_SECONDS = 2.0  # a runner that was asked to stop has this long to hand over what it found

BeatAnswer = Literal["go", "cancel", "lost"]
Reason = Literal["cancelled", "lost", "timeout", "drain"]

_log = structlog.get_logger(__name__)


class Watch:
    """`with Watch(...) as watch:`; afterwards `watch.reason` says why the runner was killed, None if it was not."""

    def __init__(
        self,
        beat: Callable[[], BeatAnswer],
        *,
        heard: Callable[[], float],
        lease_seconds: float,
        draining: Callable[[], bool],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`heard` tells when, by `clock`, the runner last said anything."""
        self.reason: Reason | None = None
        self._beat = beat
        self._heard = heard
        self._lease_seconds = lease_seconds
        self._draining = draining
        self._clock = clock
        self._guarded, self._silence = clock(), inf
        self._excused: Callable[[], float] = lambda: 0.0
        self._renewed = clock()
        self._asked: float | None = None
        self._runner: RunnerProcess | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        self._thread.join()

    def guard(self, runner: RunnerProcess, *, seconds: float, excused: Callable[[], float] = lambda: 0.0) -> None:
        """Makes this the process that ends when the chunk must, and after so many seconds of silence.

        `excused` tells for how many seconds until now it was not the process's fault.
        """
        self._guarded, self._silence, self._excused = self._clock(), seconds, excused
        self._runner = runner
        if self.reason is not None:
            runner.kill()

    @property
    def asked_to_cancel(self) -> bool:
        """The runner was told to stop, whether or not it has heard."""
        return self._asked is not None

    def _loop(self) -> None:
        while not self._over.wait(BEAT_SECONDS) and self.reason is None:
            self.look()

    def look(self) -> None:
        """Looks, once a beat, for a reason to end the runner, and ends it."""
        self.reason = self._reason_to_end(self._clock())
        if self.reason is not None and self._runner is not None:
            self._runner.kill()

    def _reason_to_end(self, now: float) -> Reason | None:
        if self._draining():
            return "drain"
        late = now - max(self._guarded, self._heard()) - self._silence
        if late > 0 and late > self._excused():
            return "timeout"
        answer = self._renew(now)
        if answer == "cancel":
            return self._cancel(now)
        return "lost" if answer == "lost" else None

    def _renew(self, now: float) -> BeatAnswer:
        """A store that cannot be reached is forgiven for as long as the lease is certainly ours."""
        try:
            answer = self._beat()
        except Exception as error:  # whatever the store's client raises: the lease decides
            _log.warning("beat_failed", error=type(error).__name__)
            return "lost" if now - self._renewed > self._lease_seconds else "go"
        self._renewed = now
        return answer

    def _cancel(self, now: float) -> Reason | None:
        if self._asked is None:
            self._asked = now
            if self._runner is not None:
                self._runner.ask_to_cancel()
        return "cancelled" if now - self._asked > CANCEL_SECONDS else None
