"""The runner at work and the one that waits: start-up is hidden, and no two tenants ever share a process.

Tenants take turns, chunk by chunk. So the runner of the tenant before is kept, stopped, with its model at hand: a new
one for every turn would cost three seconds of processor time and another reading of the model.
"""

from collections.abc import Callable

from workers.supervisor.runner_process import RunnerProcess

Key = tuple[str, str]  # tenant, model (or the job, where its runner holds what only this job may use)


class Runners:
    """One runner with the model at hand, those of other tenants set aside, and a spare that has seen no model."""

    def __init__(self, start: Callable[[], RunnerProcess], *, tenants: int) -> None:
        """`tenants`: how many may have a runner; 1 where what one holds is too precious to lie idle."""
        self._start, self._tenants = start, tenants
        self._spare = start()
        self._kept: dict[str, tuple[Key, RunnerProcess]] = {}  # by tenant; the one at hand is the last
        self._is_at_hand = False

    def holding(self, key: Key) -> RunnerProcess:
        """The runner of this model; a new one has not opened it yet."""
        tenant = key[0]
        if self._is_at_hand and next(reversed(self._kept)) != tenant:
            self._last.set_aside()
        held = self._kept.pop(tenant, None)
        if held is None or held[0] != key or not held[1].is_alive:
            if held is not None:
                held[1].close()
            held = key, self._new()
        else:
            held[1].take_up()
        self._kept[tenant], self._is_at_hand = held, True
        while len(self._kept) > self._tenants:
            self._kept.pop(next(iter(self._kept)))[1].close()
        return held[1]

    def discard(self) -> None:
        """End the runner at hand: it cannot be trusted any more."""
        if self._is_at_hand:
            self._kept.popitem()[1][1].close()
        self._is_at_hand = False

    def close(self) -> None:
        for _, runner in self._kept.values():
            runner.close()
        self._kept.clear()
        self._is_at_hand = False
        self._spare.close()

    @property
    def _last(self) -> RunnerProcess:
        return next(reversed(self._kept.values()))[1]

    def _new(self) -> RunnerProcess:
        spare = self._spare
        if not spare.is_alive:
            spare.close()
            spare = self._start()
        self._spare = self._start()
        return spare
