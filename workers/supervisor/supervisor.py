"""Does one unit of work: claim it, have a runner compute it, write down how it ended. Never loads a model itself."""

import os
from time import monotonic, sleep

import structlog

from algorithms.errors import Unavailable
from audits.store import Audits
from jobs.lease import Lease
from jobs.settings import Settings
from jobs.store.store import Store
from models.cards import Endpoint
from models.kinds import KINDS
from models.library import Library
from workers import drain, limits
from workers.frames import FrameError
from workers.supervisor import deaths, endings
from workers.supervisor.endings import Computed, Ending, Failed, HandedBack, Inspected, Lost, ModelRefused, Prepared
from workers.supervisor.permits import NotPermitted, Permits
from workers.supervisor.reporting import Reporting
from workers.supervisor.runner_process import RunnerDied, RunnerProcess
from workers.supervisor.spare import Key, Runners
from workers.supervisor.watch import Watch
from workers.supervisor.work import Work

START_SECONDS = 120.0  # until a runner has imported its libraries: no model is to blame for a cold disk
INSPECTION_SECONDS = 60.0  # as long as a client can wait for it; a file that takes longer is refused
RETRY_SECONDS = 0.5
CPU_GRACE_SECONDS = 5.0  # the clock's limit comes before the processor's: it explains itself better

_log = structlog.get_logger(__name__)


class Supervisor:
    """Lives in a pool child of the worker; one chunk at a time."""

    def __init__(self, settings: Settings, *, store: Store, library: Library, runners: Runners, worker_id: str) -> None:
        self._settings = settings
        self._store, self._library = store, library
        self._runners = runners
        self._worker_id = worker_id
        self._permits = Permits(settings)
        self._reporting = Reporting(store, Audits(store), library, lease_seconds=settings.lease_seconds)
        self._isolation = limits.available(settings.sandbox)

    def do(self, job_id: str, chunk: int) -> None:
        """A message may come twice or too late: then there is no lease to be had, and nothing to do."""
        lease = self._store.leases.acquire(job_id, chunk, self._worker_id)
        if lease is None:
            return
        with structlog.contextvars.bound_contextvars(job_id=job_id, chunk=chunk, attempt=lease.attempt):
            ending = self._reporting.do(lease) if lease.work == "report" else self._hold(lease)
            _log.info("chunk_ended", ending=type(ending).__name__, code=getattr(ending, "code", None))
            self._write(ending, lease)

    def _write(self, ending: Ending, lease: Lease) -> None:
        """A Redis that is starting again must not cost a computed chunk: try for as long as the lease may last."""
        end = monotonic() + self._settings.lease_seconds
        while True:
            try:
                return endings.write(ending, self._store, lease)
            except Unavailable:
                if monotonic() > end:
                    raise
                sleep(RETRY_SECONDS)

    def _hold(self, lease: Lease) -> Ending:
        """The edge of a chunk: whatever happens in it, it has an ending."""
        try:
            permit = self._permits.of(lease)
        except NotPermitted as denied:
            return _unavailable(lease, denied.detail)
        work = Work(
            lease,
            self._library,
            permit=permit,
            reserve=self._reserve,
            keep=lambda data: self._store.holdings.put(lease.tenant, lease.job_id, data),
            device=self._settings.device,
            isolation=self._isolation,
        )
        seconds = self._patience(lease)
        watch = Watch(
            lambda: self._store.leases.beat(lease, work.progress),
            heard=lambda: work.heard,
            lease_seconds=self._settings.lease_seconds,
            draining=drain.is_on,
        )
        try:
            with watch:
                runner, is_new = self._runner(lease, watch, seconds)
                ending = self._ending(work, lease, runner, is_new)
            if watch.asked_to_cancel:
                self._runners.discard()  # it may not have read the request yet, and the next job is not meant
            return ending
        except (RunnerDied, FrameError) as error:
            self._runners.discard()
            return _after_death(error, watch, lease, seconds)
        except Exception:
            _log.exception("chunk_failed")
            self._runners.discard()
            return Failed("internal", "The service failed on a chunk of samples; try again.", retry=True)

    def _patience(self, lease: Lease) -> float:
        """Seconds that a runner may be silent. Where it waits for an endpoint, the slowest one allowed comes on top."""
        seconds = INSPECTION_SECONDS if lease.work == "inspect" else float(self._settings.answer_seconds)
        endpoint = _endpoint(lease)
        return seconds if endpoint is None else seconds + endpoint.limits.longest_request_seconds

    def _runner(self, lease: Lease, watch: Watch, seconds: float) -> tuple[RunnerProcess, bool]:
        """Ready, with its patience and the job's processor time; and whether the model must be opened in it first."""
        runner, is_new = self._runners.holding(_key(lease))
        watch.guard(runner, seconds=START_SECONDS)
        runner.wait_until_ready()
        watch.guard(runner, seconds=seconds)
        left = seconds if lease.work == "inspect" else lease.seconds_left
        runner.allow_cpu((left + CPU_GRACE_SECONDS) * (os.cpu_count() or 1))
        return runner, is_new

    def _ending(self, work: Work, lease: Lease, runner: RunnerProcess, is_new: bool) -> Ending:
        if lease.work == "inspect":
            ending = work.inspect(runner)
            if not isinstance(ending, Inspected | ModelRefused):
                self._runners.discard()
            return ending
        unopened = work.open(runner) if is_new else None
        ending = unopened or (work.prepare(runner) if lease.work == "prepare" else work.run(runner))
        if not isinstance(ending, Computed | Prepared):
            self._runners.discard()  # whatever state it is in, no other chunk gets it
        return ending

    def _reserve(self, endpoint: Endpoint, calls: int, hold: float) -> float:
        """Where Redis is away, this job keeps to the rate by itself."""
        try:
            return self._store.turns.reserve(endpoint.origin, endpoint.limits, calls=calls, hold=hold)
        except Unavailable:
            return hold + calls / endpoint.limits.requests_per_second


def _key(lease: Lease) -> Key:
    """Jobs of one tenant on one model follow each other in one runner, and so do a tenant's inspections.

    Not so where an endpoint is called: that runner holds the permit, and the count of calls, of its job.
    """
    model = lease.model
    if model is None or KINDS[model.kind].is_remote:
        return lease.tenant, lease.job_id
    return lease.tenant, "inspections" if lease.work == "inspect" else model.id


def _endpoint(lease: Lease) -> Endpoint | None:
    return None if lease.model is None else lease.model.endpoint


def _unavailable(lease: Lease, detail: str) -> Ending:
    if lease.work == "inspect":
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
    if not error.was_ready:
        return deaths.before_ready()
    if watch.reason == "timeout":
        slow = _endpoint(lease) is not None
        return _unavailable(lease, deaths.of_slow_endpoint(seconds)) if slow else deaths.by_timeout(seconds)
    return deaths.by_exit(error.returncode)
