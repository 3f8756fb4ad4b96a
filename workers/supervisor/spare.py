"""The runner at work and the one that waits: start-up is hidden, and no two tenants ever share a process.

Tenants take turns, one chunk or a few at a time. So the runner of the tenant before is kept with its model at hand: a
new one for every turn would cost three seconds of processor time and another reading of the model. Between its turns it
is stopped, also where nobody else has one: what a model leaves running costs no time that nobody counts.
"""

from collections.abc import Callable

from workers.supervisor.runner_process import RunnerProcess

Key = tuple[str, str]  # tenant, model (or the job, where its runner holds what only this job may use)


class Runners:
    """Runners with their models, at most one of them at work, and a spare that has seen no model."""

    def __init__(self, start: Callable[[], RunnerProcess], *, tenants: int) -> None:
        """`tenants`: how many may have a runner; 1 where what one holds is too precious to lie idle."""
        self._start, self.tenants = start, tenants
        self._spare = start()
        self._kept: dict[str, tuple[Key, RunnerProcess]] = {}  # by tenant; the one at work is the last
        self._is_at_work = False

    def holding(self, key: Key) -> RunnerProcess:
        """The runner of this model, at work until `rest` or `discard`; a new one has not opened the model yet."""
        tenant = key[0]
        held = self._kept.pop(tenant, None)
        if held is None or held[0] != key or not held[1].is_alive:
            if held is not None:
                held[1].close()
            held = key, self._new()
        else:
            held[1].take_up()
        self._kept[tenant], self._is_at_work = held, True
        while len(self._kept) > self.tenants:
            self._kept.pop(next(iter(self._kept)))[1].close()
        return held[1]

    def rest(self) -> None:
        """Sets the runner at work aside until its next turn."""
        if self._is_at_work:
            next(reversed(self._kept.values()))[1].set_aside()
        self._is_at_work = False

    def discard(self) -> None:
        """Ends the runner at work: it cannot be trusted any more."""
        if self._is_at_work:
            self._kept.popitem()[1][1].close()
        self._is_at_work = False

    def close(self) -> None:
        for _, runner in self._kept.values():
            runner.close()
        self._kept.clear()
        self._is_at_work = False
        self._spare.close()

    def _new(self) -> RunnerProcess:
        spare = self._spare
        if not spare.is_alive:
            spare.close()
            spare = self._start()
        self._spare = self._start()
        return spare
