"""The store against a model of it that fits a screen, under every order of events that hypothesis thinks of.

A few hundred steps in `make test`; `make machine` takes tens of thousands. Every assertion compares the store with the
model: nothing acknowledged is lost, nothing is doubled, no fence goes back, each job ends once.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import integers, sampled_from

from algorithms.errors import NotFound, OutOfRoom
from jobs.idempotency import Idempotency
from jobs.installation.settings import Settings
from jobs.record import Progress
from jobs.states import TERMINAL, JobState
from jobs.store.store import Store
from jobs.work.lease import Commit, Lease
from tests.contract.store.passing import pass_time
from tests.jobs_for_tests import NotedLibrary, NotedQueue, Upload, result

CHUNKS, JOBS = 3, 2
ATTEMPTS, FAULTS, TAKEN = 3, 2, 10
HOUR = 3600.0
RARE = (
    *("a_caller_cancels", "a_caller_deletes", "its_time_runs_out", "its_life_ends"),
    *("the_clock_is_set_back", "memory_is_full"),
)
chunks, slots, ages = integers(0, CHUNKS - 1), integers(0, JOBS - 1), integers(0, 5)


@dataclass
class Expected:
    """One job as it should be. `held` is the fence of a chunk's standing lease."""

    state: JobState = JobState.QUEUED
    cancelled: bool = False
    gone: bool = False
    done: set[int] = field(default_factory=set)
    held: dict[int, int] = field(default_factory=dict)
    fences: Counter[int] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)
    faults: Counter[int] = field(default_factory=Counter)
    taken: Counter[int] = field(default_factory=Counter)

    @property
    def is_over(self) -> bool:
        return self.state in TERMINAL

    def end(self, state: JobState) -> None:
        self.state = state
        self.held.clear()

    def may_take(self, chunk: int) -> bool:
        return not (self.is_over or self.cancelled or chunk in self.done or chunk in self.held)

    def take(self, chunk: int) -> None:
        self.state = JobState.RUNNING
        self.fences[chunk] += 1
        self.attempts[chunk] += 1
        self.held[chunk] = self.fences[chunk]

    def stands(self, lease: Lease) -> bool:
        return self.held.get(lease.chunk) == lease.fence

    def commit(self, chunk: int) -> None:
        self.done.add(chunk)
        self.give_back(chunk)
        if len(self.done) == CHUNKS and not self.is_over:
            self.end(JobState.SUCCEEDED)

    def fail(self, chunk: int, code: str) -> None:
        self.faults[chunk] += code == "model_fault"
        self.taken[chunk] += code == "worker_lost"
        self.attempts[chunk] -= code == "worker_lost"
        spent = {"worker_lost": self.taken[chunk] >= TAKEN, "model_fault": self.faults[chunk] >= FAULTS}
        charged = code != "worker_lost" and self.attempts[chunk] >= ATTEMPTS
        self.give_back(chunk, is_spent=charged or spent.get(code, False))

    def give_back(self, chunk: int, *, is_spent: bool = False) -> None:
        del self.held[chunk]
        if self.cancelled and not self.held:
            self.end(JobState.CANCELLED)
        elif is_spent and not self.cancelled:
            self.end(JobState.FAILED)

    def run_out(self) -> None:
        """Of its time to wait, to run, or to hear of a cancel."""
        word = {JobState.QUEUED: JobState.EXPIRED, JobState.RUNNING: JobState.FAILED}[self.state]
        self.end(JobState.CANCELLED if self.cancelled else word)


class StoreMachine(RuleBasedStateMachine):
    url: str  # set by the test, as is
    library: NotedLibrary

    @initialize()
    def start(self) -> None:
        self.server = redis.Redis.from_url(self.url)
        self.server.flushall()
        self.queue = NotedQueue(self.url)
        self.store = Store(Settings(redis_url=self.url, max_attempts=ATTEMPTS), self.queue, self.library)
        self.upload = Upload(self.store)
        self.ids: list[str] = []
        self.jobs: dict[str, Expected] = {}
        self.leases: list[Lease] = []
        self.keys: Counter[int] = Counter()
        for slot in range(JOBS):
            self.ids.append("")
            self.a_caller_asks_again(slot)

    def teardown(self) -> None:
        with suppress(AttributeError):  # never started
            self.server.config_set("maxmemory", "0")
            self.server.close()

    def due(self, times: str, member: str) -> None:
        """Lets one time come, as if it had long passed: it is moved by a command that no full server refuses."""
        self.make_due(times, [member])
        self.store.moves.reap()

    def make_due(self, times: str, members: list[str]) -> None:
        script = (
            "redis.call('DEL', 'nothing') for _, it in ipairs(ARGV) do redis.call('ZADD', KEYS[1], 'XX', 1, it) end"
        )
        self.server.eval(script, 1, f"{{brinell}}:{times}", *members)

    def live(self, slot: int) -> Expected:
        return self.jobs[self.ids[slot]]

    # What callers do.

    @rule(slot=slots)
    def a_caller_asks_again(self, slot: int) -> None:
        """With the same key while the job lives, as after an answer that got lost; then with a new one."""
        before = self.jobs.get(self.ids[slot])
        self.keys[slot] += before is not None and before.is_over and not before.gone
        once = Idempotency(key=f"key {slot} {self.keys[slot]}", fingerprint="f")
        job = self.store.jobs.create("lab", self.upload.spec(), once)
        assert (job.id == self.ids[slot]) == (before is not None and not before.is_over)
        self.ids[slot] = job.id
        self.jobs.setdefault(job.id, Expected())

    def a_caller_cancels(self, slot: int) -> None:
        expected = self.live(slot)
        if expected.gone:
            with pytest.raises(NotFound):
                self.store.jobs.cancel("lab", self.ids[slot])
            return
        self.store.jobs.cancel("lab", self.ids[slot])
        if not expected.is_over:
            expected.cancelled = True
            if not expected.held:
                expected.end(JobState.CANCELLED)

    def a_caller_deletes(self, slot: int) -> None:
        expected = self.live(slot)
        if expected.gone:
            return
        self.store.jobs.remove("lab", self.ids[slot])
        if not expected.is_over:
            expected.end(JobState.CANCELLED)
        expected.gone = True

    # What workers do.

    @rule(slot=slots, chunk=chunks)
    def a_message_arrives(self, slot: int, chunk: int) -> None:
        """For the first time, once more, or late."""
        expected, job_id = self.live(slot), self.ids[slot]
        lease = self.store.leases.acquire(job_id, chunk)
        assert (lease is not None) == expected.may_take(chunk)
        if lease is not None:
            expected.take(chunk)
            self.leases.append(lease)
            assert lease.fence == expected.fences[chunk]

    @rule(slot=slots, chunk=chunks)
    def a_message_gives_the_next_its_turn(self, slot: int, chunk: int) -> None:
        """Whichever chunk is next in line is leased, whatever the message names."""
        lease = self.store.leases.acquire(self.ids[slot], chunk, queue="compute")
        jobs = self.jobs.values()
        assert (lease is not None) == any(expected.may_take(chunk) for expected in jobs for chunk in range(CHUNKS))
        if lease is not None:
            expected = self.jobs[lease.subject_id]
            assert expected.may_take(lease.chunk)
            expected.take(lease.chunk)
            self.leases.append(lease)
            assert lease.fence == expected.fences[lease.chunk]

    @rule(slot=slots)
    def all_messages_arrive(self, slot: int) -> None:
        for chunk in range(CHUNKS):
            self.a_message_arrives(slot, chunk)

    def lease(self, age: int) -> tuple[Lease, Expected]:
        """Any lease ever given, recent ones first."""
        lease = self.leases[-1 - age % len(self.leases)]
        return lease, self.jobs[lease.subject_id]

    @precondition(lambda self: self.leases)
    @rule(age=ages)
    def a_worker_beats(self, age: int) -> None:
        lease, expected = self.lease(age)
        word = "lost" if not expected.stands(lease) else "cancel" if expected.cancelled else "go"
        assert self.store.leases.beat(lease, Progress()) == word

    @precondition(lambda self: self.leases)
    @rule(age=ages)
    def a_worker_commits(self, age: int) -> None:
        lease, expected = self.lease(age)
        accepted = self.store.leases.commit(lease, Commit(result=result(lease.indices)))
        assert accepted == expected.stands(lease)
        if accepted:
            expected.commit(lease.chunk)

    @precondition(lambda self: self.leases)
    @rule(age=ages, code=sampled_from(["internal", "model_fault", "worker_lost"]))
    def a_worker_fails(self, age: int, code: str) -> None:
        lease, expected = self.lease(age)
        stood = expected.stands(lease)
        self.store.leases.fail(lease, code, "It failed.", retry=True)
        if stood:
            expected.fail(lease.chunk, code)

    @precondition(lambda self: self.leases)
    @rule(age=ages)
    def a_worker_drains(self, age: int) -> None:
        lease, expected = self.lease(age)
        stood = expected.stands(lease)
        self.store.leases.release(lease)
        if stood:
            expected.attempts[lease.chunk] -= 1
            expected.give_back(lease.chunk)

    # What befalls them.

    @precondition(lambda self: any(expected.held for expected in self.jobs.values()))
    @rule(which=integers(0, CHUNKS * JOBS))
    def a_worker_is_killed(self, which: int) -> None:
        held = sorted((job_id, chunk) for job_id, expected in self.jobs.items() for chunk in expected.held)
        job_id, chunk = held[which % len(held)]
        self.due("leases", f"{job_id}/{chunk}")
        expected = self.jobs[job_id]
        expected.give_back(chunk, is_spent=expected.attempts[chunk] >= ATTEMPTS)

    @rule()
    def messages_are_lost(self) -> None:
        waiting = self.server.zrange("{brinell}:sent", 0, -1)
        self.make_due("sent", waiting)
        self.queue.sent()
        self.store.moves.reap()
        assert len(self.queue.sent()) == len(waiting)

    def its_time_runs_out(self, slot: int) -> None:
        if not self.live(slot).is_over:
            self.due("deadlines", self.ids[slot])
            self.live(slot).run_out()

    def its_life_ends(self, slot: int) -> None:
        if self.live(slot).is_over and not self.live(slot).gone:
            self.due("expiries", f"lab job {self.ids[slot]}")
            self.live(slot).gone = True

    def the_clock_is_set_back(self, _: int) -> None:
        self.store.moves.reap()
        pass_time(self.url, -HOUR)
        self.store.moves.reap()

    def memory_is_full(self, slot: int) -> None:
        """What was taken is finished, and nothing is begun."""
        self.server.config_set("maxmemory", "1")
        for chunk in range(CHUNKS):
            if self.live(slot).may_take(chunk):
                with pytest.raises(OutOfRoom):
                    self.store.leases.acquire(self.ids[slot], chunk)
        if self.leases:
            self.a_worker_beats(slot)
            self.a_worker_commits(slot)
        self.server.config_set("maxmemory", "0")

    @rule(slot=slots, rare=sampled_from(RARE))
    def something_rare_happens(self, slot: int, rare: str) -> None:
        getattr(self, rare)(slot)

    # What is always true.

    @invariant()
    def the_store_agrees(self) -> None:
        for job_id, expected in self.jobs.items():
            if expected.gone:
                with pytest.raises(NotFound):
                    self.store.jobs.get("lab", job_id)
                continue
            job = self.store.jobs.get("lab", job_id)
            assert job.state == expected.state
            assert (job.summary is not None) == (expected.state == JobState.SUCCEEDED)
            assert (job.finished_at is not None) == expected.is_over
            found = [finding.index for finding in self.store.findings.page("lab", job_id).items]
            assert found == [index for index in range(10) if index // 4 in expected.done]

    @invariant()
    def each_job_ends_once(self) -> None:
        counted = {state: count for state, count in self.store.backlog().jobs.items() if count}
        assert counted == Counter(expected.state for expected in self.jobs.values())

    @invariant()
    def nothing_that_can_be_done_is_forgotten(self) -> None:
        """Every chunk that waits is either held or has a message that will be sent again."""
        jobs = self.jobs.values()
        backlog = self.store.backlog()
        assert backlog.chunks_running == sum(len(expected.held) for expected in jobs)
        going_on = [expected for expected in jobs if not (expected.is_over or expected.cancelled)]
        waiting = sum(CHUNKS - len(expected.done) - len(expected.held) for expected in going_on)
        ending = sum(CHUNKS - len(expected.done) for expected in jobs if expected.cancelled and not expected.is_over)
        assert waiting <= backlog.chunks_waiting <= waiting + ending


@pytest.fixture
def machine(valkey_url: str, library: NotedLibrary) -> type[StoreMachine]:
    StoreMachine.url, StoreMachine.library = valkey_url, library
    return StoreMachine


def test_the_store_follows_its_model(machine: type[StoreMachine]) -> None:
    """Under the profile `long` (`make machine`) other orders each time."""
    is_long = settings.get_current_profile_name() == "long"
    calm = settings(
        max_examples=1500 if is_long else 40,
        stateful_step_count=50 if is_long else 30,
        deadline=None,
        derandomize=not is_long,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=calm)
