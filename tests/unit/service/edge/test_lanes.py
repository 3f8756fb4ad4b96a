"""One tenant's long calls, however many, leave threads for another's; counted, never timed."""

import threading
from functools import partial

import anyio
import pytest

from service.edge.lanes import THREADS, WIDTH, Lanes
from tests.patience import PATIENCE_SECONDS


class Long:
    """A call that goes on until it is let go, and counts how many of its tenant's go on at the same time."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.under_way = self.most = self.ended = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        assert self.let_go.wait(PATIENCE_SECONDS)
        with self._lock:
            self.under_way, self.ended = self.under_way - 1, self.ended + 1


def test_another_tenants_call_is_answered_while_a_hundred_go_on() -> None:
    long, lanes = Long(), Lanes()

    async def crowd() -> int:
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(lanes.run, "many", long)
            with anyio.fail_after(PATIENCE_SECONDS):
                while long.under_way < WIDTH:
                    await anyio.sleep(0.01)
                answer = await lanes.run("few", lambda: 7)
                assert long.ended == 0
            long.let_go.set()
        return answer

    assert anyio.run(crowd) == 7
    assert (long.most, long.ended) == (WIDTH, 100)


def test_as_many_tenants_as_fit_are_worked_for_at_a_time() -> None:
    calls, lanes = [Long() for _ in range(THREADS)], Lanes()

    async def crowd() -> None:
        async with anyio.create_task_group() as tasks:
            for tenant, long in enumerate(calls):
                for _ in range(3):
                    tasks.start_soon(lanes.run, str(tenant), long)
            with anyio.fail_after(PATIENCE_SECONDS):
                while sum(long.under_way for long in calls) < THREADS:
                    await anyio.sleep(0.01)
            for long in calls:
                long.let_go.set()

    anyio.run(crowd)
    assert all(long.ended == 3 and long.most <= WIDTH for long in calls)


def test_what_a_call_raises_is_raised_and_leaves_the_lane_free() -> None:
    lanes = Lanes()

    async def fail_often() -> int:
        for _ in range(2 * WIDTH):
            with pytest.raises(ZeroDivisionError):
                await lanes.run("one", lambda: 1 // 0)
        with anyio.fail_after(PATIENCE_SECONDS):
            return await lanes.run("one", partial(int, "3"))

    assert anyio.run(fail_often) == 3
