"""The job machine against a model of it that fits a screen, under every order of events that hypothesis thinks of."""

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
from hypothesis.strategies import booleans, integers

from jobs.lease import Commit, Lease
from jobs.record import Progress
from jobs.settings import Settings
from jobs.states import TERMINAL, JobState
from jobs.store.store import Store
from tests.jobs_for_tests import NotedLibrary, NotedQueue, Upload, result

CHUNKS = 3
ATTEMPTS = 3
chunks = integers(0, CHUNKS - 1)
ages = integers(0, 5)


@dataclass
class Expected:
    """One job as it should be. `held` is the fence of a chunk's standing lease."""

    state: JobState = JobState.QUEUED
    cancelled: bool = False
    done: set[int] = field(default_factory=set)
    held: dict[int, int] = field(default_factory=dict)
    fences: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(CHUNKS), 0))
    attempts: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(CHUNKS), 0))
    faults: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(CHUNKS), 0))

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
        del self.held[chunk]
        self.done.add(chunk)
        if self.cancelled:
            self.end_if_idle()
        elif len(self.done) == CHUNKS:
            self.end(JobState.SUCCEEDED)

    def put_back(self, chunk: int, *, is_spent: bool) -> None:
        del self.held[chunk]
        if self.cancelled:
            self.end_if_idle()
        elif is_spent:
            self.end(JobState.FAILED)

    def end_if_idle(self) -> None:
        if not self.held:
            self.end(JobState.CANCELLED)


class JobMachine(RuleBasedStateMachine):
    url: str  # set by the test, as is
    library: NotedLibrary

    @initialize()
    def start(self) -> None:
        self.server = redis.Redis.from_url(self.url)
        self.server.flushall()
        self.queue = NotedQueue(self.url)
        settings = Settings(redis_url=self.url, max_attempts=ATTEMPTS)
        self.store = Store(settings, self.queue, self.library)
        self.upload = Upload(self.store)
        self.job_id = self.upload.job(chunk_size=4)
        self.expected = Expected()
        self.leases: list[Lease] = []

    def teardown(self) -> None:
        if hasattr(self, "server"):
            self.server.close()

    def lease(self, age: int) -> Lease:
        """Any lease ever given, recent ones first."""
        return self.leases[-1 - age % len(self.leases)]

    @rule(chunk=chunks)
    def a_message_arrives(self, chunk: int) -> None:
        lease = self.store.leases.acquire(self.job_id, chunk)
        assert (lease is not None) == self.expected.may_take(chunk)
        if lease is not None:
            self.expected.take(chunk)
            self.leases.append(lease)
            assert lease.fence == self.expected.fences[chunk]

    @rule()
    def all_messages_arrive(self) -> None:
        for chunk in range(CHUNKS):
            self.a_message_arrives(chunk)

    @precondition(lambda self: self.leases)
    @rule(age=ages)
    def a_worker_beats(self, age: int) -> None:
        lease = self.lease(age)
        word = "lost" if not self.expected.stands(lease) else "cancel" if self.expected.cancelled else "go"
        assert self.store.leases.beat(lease, Progress()) == word

    @precondition(lambda self: self.leases)
    @rule(age=ages)
    def a_worker_commits(self, age: int) -> None:
        lease = self.lease(age)
        accepted = self.store.leases.commit(lease, Commit(result=result(lease.indices)))
        assert accepted == self.expected.stands(lease)
        if accepted:
            self.expected.commit(lease.chunk)

    @precondition(lambda self: self.leases)
    @rule(age=ages, of_model=booleans())
    def a_worker_fails(self, age: int, of_model: bool) -> None:
        lease = self.lease(age)
        stood = self.expected.stands(lease)
        self.store.leases.fail(lease, "model_fault" if of_model else "internal", "It failed.", retry=True)
        if stood:
            self.expected.faults[lease.chunk] += of_model
            is_spent = self.expected.attempts[lease.chunk] >= ATTEMPTS or (
                of_model and self.expected.faults[lease.chunk] > 1
            )
            self.expected.put_back(lease.chunk, is_spent=is_spent)

    @precondition(lambda self: self.leases)
    @rule(age=ages)
    def a_worker_drains(self, age: int) -> None:
        lease = self.lease(age)
        stood = self.expected.stands(lease)
        self.store.leases.release(lease)
        if stood:
            self.expected.attempts[lease.chunk] -= 1
            self.expected.put_back(lease.chunk, is_spent=False)

    @precondition(lambda self: self.expected.held)
    @rule(which=integers(0, CHUNKS))
    def a_worker_is_killed(self, which: int) -> None:
        chunk = sorted(self.expected.held)[which % len(self.expected.held)]
        self.server.zadd("{brinell}:leases", {f"{self.job_id}/{chunk}": 1})  # its lease died long ago
        self.store.moves.reap()
        self.expected.put_back(chunk, is_spent=self.expected.attempts[chunk] >= ATTEMPTS)

    @rule()
    def messages_are_lost(self) -> None:
        waiting = self.server.zrange("{brinell}:sent", 0, -1)
        if waiting:
            self.server.zadd("{brinell}:sent", dict.fromkeys(waiting, 1))
        self.queue.sent()
        self.store.moves.reap()
        assert len(self.queue.sent()) == len(waiting)

    @rule()
    def the_caller_cancels(self) -> None:
        self.store.jobs.cancel("lab", self.job_id)
        if not self.expected.is_over:
            self.expected.cancelled = True
            self.expected.end_if_idle()

    @invariant()
    def the_store_agrees(self) -> None:
        if not hasattr(self, "expected"):
            return
        job = self.store.jobs.get("lab", self.job_id)
        assert job.state == self.expected.state
        assert (job.summary is not None) == (self.expected.state == JobState.SUCCEEDED)
        assert (job.finished_at is not None) == self.expected.is_over
        found = {finding.index // 4 for finding in self.store.findings.page("lab", self.job_id).items}
        assert found == self.expected.done

    @invariant()
    def nothing_that_can_be_done_is_forgotten(self) -> None:
        """Every chunk that waits is either held or has a message that will be sent again."""
        if not hasattr(self, "expected"):
            return
        held, sent = (self.server.zcard(f"{{brinell}}:{name}") for name in ("leases", "sent"))
        open_chunks = 0 if self.expected.is_over else CHUNKS - len(self.expected.done)
        assert held == len(self.expected.held)
        if not self.expected.cancelled:
            assert held + sent == open_chunks


@pytest.fixture
def machine(valkey_url: str, library: NotedLibrary) -> type[JobMachine]:
    JobMachine.url, JobMachine.library = valkey_url, library
    return JobMachine


def test_the_job_machine_follows_its_model(machine: type[JobMachine]) -> None:
    calm = settings(
        max_examples=40,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=calm)
