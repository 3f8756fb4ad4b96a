"""The runner at work and the one that waits: start-up is hidden, and no two tenants ever share a process."""

from collections.abc import Callable

from workers.supervisor.runner_process import RunnerProcess

Key = tuple[str, str]  # tenant, model (or the job, where its runner holds what only this job may use)


class Runners:
    """One runner with the model at hand, and one spare that has imported everything and seen no model."""

    def __init__(self, start: Callable[[], RunnerProcess]) -> None:
        self._start = start
        self._spare = start()
        self._current: RunnerProcess | None = None
        self._key: Key | None = None

    def holding(self, key: Key) -> RunnerProcess:
        """The runner of this model; a new one has not opened it yet."""
        if self._current is not None and self._key == key and self._current.is_alive:
            return self._current
        self.discard()
        spare = self._spare
        if not spare.is_alive:
            spare.close()
            spare = self._start()
        self._current, self._key = spare, key
        self._spare = self._start()
        return self._current

    def discard(self) -> None:
        """End the runner at hand: another model is wanted, or it cannot be trusted any more."""
        if self._current is not None:
            self._current.close()
        self._current = self._key = None

    def close(self) -> None:
        self.discard()
        self._spare.close()
