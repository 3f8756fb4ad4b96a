"""Does one unit of work: claim it, have a runner compute it, write down how it ended. Never loads a model itself."""

import os
import signal
from collections.abc import Callable
from time import monotonic, sleep

import structlog

from algorithms.errors import NotFound, Unavailable
from jobs.installation.settings import Settings
from jobs.spec import QueueName
from jobs.store.store import Store
from jobs.work.lease import AuditLease, JobLease, Lease, ModelLease, PropertyLease
from models.cards import Endpoint
from models.kinds import KINDS
from models.library import Library
from workers import drain
from workers.endings import Done, Ending, Failed, HandedBack, Lost, ModelRefused
from workers.frames import FrameError
from workers.kinds import KINDS_OF_WORK
from workers.supervisor import deaths
from workers.supervisor.desk import SupervisorDesk, Unanswered
from workers.supervisor.permits import NotPermitted, Permits
from workers.supervisor.runner_process import RunnerDied, RunnerProcess
from workers.supervisor.spare import Key, Runners
from workers.supervisor.turn import Turn
from workers.supervisor.watch import Watch

START_SECONDS = 120.0  # until a runner has imported its libraries: no model is to blame for a cold disk
RETRY_SECONDS = 0.5
CPU_GRACE_SECONDS = 5.0  # the clock's limit comes before the processor's: it explains itself better

_log = structlog.get_logger(__name__)


class Supervisor:
    """A supervisor lives in a pool child of the worker, and does one chunk at a time."""

    def __init__(
        self, settings: Settings, *, store: Store, library: Library, runners: Runners, chunks: int = 1
    ) -> None:
        """`chunks`: of a job, that its runners can compute at a time."""
        self._settings, self._chunks = settings, chunks
        self._store, self._library = store, library
        self._runners = runners
        self._permits = Permits(settings)
        self._turn = Turn()

    def do(self, subject_id: str, chunk: int, queue: QueueName) -> None:
        """What a message names, or what has its turn before it in the message's queue.

        A message may come twice or too late: then there may be no lease to be had, and nothing to do.
        """
        if (lease := self._claimed(subject_id, chunk, queue)) is None:
            return
        about = {"job_id": lease.subject_id, "chunk": lease.chunk, "chunks": lease.width, "attempt": lease.attempt}
        with structlog.contextvars.bound_contextvars(**about):
            ending = self._hold(lease)
            _log.info("chunk_ended", work=lease.work, ending=type(ending).__name__, code=getattr(ending, "code", None))
            self._write(ending, lease)

    def _claimed(self, subject_id: str, chunk: int, queue: QueueName) -> Lease | None:
        """Where Redis is away or full, nothing else can be done either: waits until it is back, or this worker goes."""
        while not drain.is_on():
            try:
                lease = self._acquired(subject_id, chunk, queue)
            except Unavailable:
                sleep(RETRY_SECONDS)
                continue
            if lease is not None:
                self._turn.take(lease.tenant)
            return lease
        return None

    def _acquired(self, subject_id: str, chunk: int, queue: QueueName) -> Lease | None:
        """Inspections have no turns of several: each may take minutes."""
        again = self._turn.again if queue == "compute" else None
        acquire, runners = self._store.leases.acquire, self._runners.tenants
        return acquire(subject_id, chunk, queue, self._chunks, again=again, runners=runners)

    def _write(self, ending: Ending, lease: Lease) -> None:
        """A Redis that is starting again must not cost a computed chunk: try for as long as the lease may last."""
        end = monotonic() + self._settings.lease_seconds
        while True:
            try:
                return _write(ending, self._store, lease)
            except Unavailable:
                if monotonic() > end:
                    raise
                sleep(RETRY_SECONDS)

    def _hold(self, lease: Lease) -> Ending:
        """The edge of a unit of work: whatever happens in it, it has an ending."""
        try:
            permission = self._permits.of(lease)
        except NotPermitted as denied:
            return _unavailable(lease, denied.detail)
        kind, seconds = KINDS_OF_WORK[lease.work], self._patience(lease)
        desk = SupervisorDesk(
            lease,
            store=self._store,
            library=self._library,
            runner=lambda: self._runner(lease, watch, seconds),
            permission=permission,
            reserve=self._reserve,
            keep=lambda data: self._store.holdings.put(lease.tenant, lease.subject_id, data),
            device=self._settings.device,
        )
        watch = Watch(
            lambda: self._store.leases.beat(lease, desk.progress),
            heard=lambda: desk.heard,
            lease_seconds=self._settings.lease_seconds,
            draining=drain.is_on,
        )
        try:
            with watch:
                ending = kind.work_on(lease, desk)
        except (RunnerDied, FrameError) as error:
            ending = self._beyond_limit(error, watch, lease) or _after_death(error, watch, lease, seconds)
        except Unanswered as unanswered:
            ending = unanswered.ending
        except Unavailable as away:  # Redis or the library: nobody is at fault, so nothing is charged
            _log.warning("work_interrupted", work=lease.work, reason=away.detail)
            sleep(self._settings.lease_seconds / 3)  # or it would be begun again at once
            ending = HandedBack()
        except NotFound as lost:  # what was uploaded is gone from the library, and will not come back by itself
            _log.exception("bytes_lost", work=lease.work)
            ending = Failed("internal", lost.detail, retry=False)
        except Exception:
            _log.exception("work_failed", work=lease.work)
            ending = Failed("internal", kind.apology, retry=True)
        # After a fault nobody knows the runner's state; after a cancel it may not have read that request yet, and the
        # next job is not meant.
        if watch.asked_to_cancel or not isinstance(ending, Done | ModelRefused):
            self._runners.discard()
        else:
            self._runners.rest()
        return ending

    def _patience(self, lease: Lease) -> float:
        """Seconds that a runner may be silent. Where it waits for an endpoint, the slowest one allowed comes on top."""
        seconds = float(self._settings.answer_seconds)
        if (endpoint := lease.endpoint) is not None:
            return seconds + endpoint.limits.longest_request_seconds
        limit = KINDS_OF_WORK[lease.work].limit
        return seconds if limit is None else min(seconds, limit.idle_seconds(self._settings))

    def _runner(self, lease: Lease, watch: Watch, seconds: float) -> RunnerProcess:
        """Ready, with its patience and the processor time of a job, or of work on a model."""
        if isinstance(lease, AuditLease):
            raise TypeError("a report needs no runner")
        runner = self._runners.holding(_key(lease))
        watch.guard(runner, seconds=START_SECONDS)
        runner.wait_until_ready()
        watch.guard(runner, seconds=seconds, excused=_excuse(lease, runner))
        runner.allow_cpu(self._processor_seconds(lease, seconds))
        return runner

    def _processor_seconds(self, lease: JobLease | PropertyLease | ModelLease, patience: float) -> float:
        """What the kind of work allows itself, or all processors until the end that the clock sets."""
        if limit := KINDS_OF_WORK[lease.work].limit:
            return limit.seconds(self._settings)
        left = lease.seconds_left
        return ((patience if left is None else left) + CPU_GRACE_SECONDS) * (os.cpu_count() or 1)

    def _beyond_limit(self, error: RunnerDied | FrameError, watch: Watch, lease: Lease) -> Ending | None:
        """The ending of work that passed a limit of its own kind; None: that is not what happened."""
        limit = KINDS_OF_WORK[lease.work].limit
        if limit is None or not isinstance(error, RunnerDied):
            return None
        if error.returncode == -signal.SIGXCPU:
            return limit.passed(limit.seconds(self._settings))
        if watch.reason == "timeout" and error.was_ready and lease.endpoint is None:
            return limit.idled(self._patience(lease))
        return None

    def _reserve(self, endpoint: Endpoint, calls: int, hold: float) -> float:
        """Where Redis is away, this job keeps to the rate by itself."""
        try:
            return self._store.turns.reserve(endpoint.origin, endpoint.limits, calls=calls, hold=hold)
        except Unavailable:
            return hold + calls / endpoint.limits.requests_per_second


def _write(ending: Ending, store: Store, lease: Lease) -> None:
    """Makes the one move of the store that this ending is; none of it is written where the lease stood no more."""
    match ending:
        case Done(commit):
            store.leases.commit(lease, commit)
        case ModelRefused(code, detail):
            store.leases.fail(lease, code, detail, retry=False)
        case Failed(code, detail, retry, partial):
            store.leases.fail(lease, code, detail, retry=retry, partial=partial)
        case HandedBack():
            store.leases.release(lease)
        case Lost():
            pass


def _key(lease: JobLease | PropertyLease | ModelLease) -> Key:
    """Jobs of one tenant on one model follow each other in one runner, and so does work on models not ready yet.

    Not so where an endpoint is called: that runner holds the permit, and the count of calls, of its job.
    """
    if KINDS[lease.model.kind].is_remote:
        return lease.tenant, lease.subject_id
    return lease.tenant, "models" if isinstance(lease, ModelLease) else lease.model.id


def _excuse(lease: Lease, runner: RunnerProcess) -> Callable[[], float]:
    """How long no processor was free for it from now on, where that counts: not between a job's signs of life."""
    if KINDS_OF_WORK[lease.work].limit is None:
        return lambda: 0.0
    before = runner.seconds_in_line()
    return lambda: runner.seconds_in_line() - before


def _unavailable(lease: Lease, detail: str) -> Ending:
    if isinstance(lease, ModelLease):
        return ModelRefused("endpoint_unavailable", detail)
    return Failed("endpoint_unavailable", detail, retry=False)


def _after_death(error: RunnerDied | FrameError, watch: Watch, lease: Lease, seconds: float) -> Ending:
    """A runner dies because the watch killed it, or for reasons of its own."""
    _log.warning("runner_died", reason=watch.reason, error=str(error), last_words=getattr(error, "log", ""))
    match watch.reason:
        case "lost":
            return Lost()
        case "drain" | "cancelled":
            return HandedBack()
    if isinstance(error, FrameError):
        return deaths.by_nonsense()
    if error.was_taken:
        return deaths.from_outside()
    if not error.was_ready:
        return deaths.before_ready()
    if watch.reason == "timeout":
        slow = lease.endpoint is not None
        return _unavailable(lease, deaths.of_slow_endpoint(seconds)) if slow else deaths.by_timeout(seconds)
    return deaths.by_exit(error.returncode)
