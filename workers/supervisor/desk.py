"""A supervisor's side of the work on one lease: what it has at hand, and its conversation with a runner."""

from collections.abc import Callable
from functools import cached_property
from time import monotonic

from jobs.record import Progress
from jobs.store.store import Store
from jobs.work.lease import AuditLease, JobLease, Lease, PropertyLease
from models.cards import Endpoint, ModelCard
from models.kinds import KINDS
from models.library import Library
from workers.confinement.levels import Confined
from workers.endings import Failed
from workers.frames import FrameError
from workers.kind import About, M
from workers.messages import (
    CallPermission,
    Fault,
    Message,
    ModelOpened,
    NotAccepted,
    OpenModel,
    Progressed,
    TurnsAsked,
    TurnsGranted,
)
from workers.supervisor.runner_process import RunnerProcess

Reserve = Callable[[Endpoint, int, float], float]
"""(endpoint, calls, hold) -> seconds until so many calls may go out to it, after a pause of `hold` seconds if any."""


class Unanswered(Exception):
    """The runner lives and gave no answer to what it was asked; how the work ends by that."""

    def __init__(self, ending: Failed) -> None:
        super().__init__(ending.code)
        self.ending = ending


class SupervisorDesk:
    """What one lease is worked on with. Another thread may read `progress`, where it stands, and `heard`, since when.

    `ask` and what calls it raise Unanswered, RunnerDied and FrameError.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        store: Store,
        library: Library,
        runner: Callable[[], RunnerProcess],
        permission: CallPermission | None,
        reserve: Reserve,
        keep: Callable[[bytes], str],
        device: str,
    ) -> None:
        """`runner` gets one ready, when it is first spoken to."""
        # What is made before a job's samples are worked on is no progress of theirs.
        job = lease if isinstance(lease, JobLease | PropertyLease) else None
        self._is_before = job is not None and not job.is_last_stage
        self._samples_total = 0 if job is None or self._is_before else len(job.indices)
        self.progress = Progress(samples_total=self._samples_total)
        self.heard = monotonic()
        self.store, self.library = store, library
        self.keep = keep
        self._lease = lease
        self._start = runner
        self._permission = permission
        self._reserve = reserve
        self._device = device

    @cached_property
    def _runner(self) -> RunnerProcess:
        return self._start()

    @property
    def confined(self) -> Confined:
        return self._runner.wait_until_ready()

    def about_model(self, message: type[About]) -> About:
        card = self._card
        device = "cpu" if KINDS[card.kind].is_remote else self._device  # nothing is computed here
        return message(card=card, device=device, permission=self._permission, model=self.library.get(card.sha256))

    def open(self) -> None:
        """A model that was accepted once, and is refused now, is nobody's mistake but ours."""
        runner = self._runner
        if not runner.is_open:
            self.ask(self.about_model(OpenModel), ModelOpened)
            runner.is_open = True

    def begin(self, facts: Callable[[], Message], begun: type[Message]) -> None:
        runner = self._runner
        stage = self._lease.subject_id, self._lease.work
        if runner.begun != stage:
            self.ask(facts(), begun)
            runner.begun = stage

    def ask(self, message: Message, *answers: type[M], limit: int = 0) -> M:
        runner = self._runner
        runner.send(message.frame())
        while (frame := runner.receive(limit=limit)).kind in (Progressed.kind, TurnsAsked.kind):
            if frame.kind == TurnsAsked.kind:
                runner.send(self._turns(TurnsAsked.read(frame)).frame())
            else:
                self._note(Progressed.read(frame))
        for answer in answers:
            if frame.kind == answer.kind:
                return answer.read(frame)
        if frame.kind == NotAccepted.kind:
            raise Unanswered(Failed("internal", NotAccepted.read(frame).detail, retry=False))
        fault = Fault.read(frame)
        raise Unanswered(Failed(fault.code, fault.detail, retry=False))

    def _note(self, told: Progressed) -> None:
        """Takes it for a sign of life only where the work has an end by the clock, too: what a model took over can say
        it for ever.
        """
        if self._is_before:
            self.progress = Progress(preparing=told.fraction)
        else:
            self.progress = Progress(samples_total=self._samples_total, **dict(told))
        if not isinstance(self._lease, AuditLease) and self._lease.seconds_left is not None:
            self.heard = max(self.heard, monotonic())

    def _turns(self, wish: TurnsAsked) -> TurnsGranted:
        endpoint = self._card.endpoint
        if endpoint is None:
            raise FrameError("turns were asked for where nothing is called")
        if wish.calls > endpoint.limits.burst:
            raise FrameError("more turns were asked for than come at once")
        seconds = self._reserve(endpoint, wish.calls, wish.hold)
        self.heard = monotonic() + seconds  # so long it will be silent because it was told to wait
        return TurnsGranted(seconds=seconds)

    @property
    def _card(self) -> ModelCard:
        if isinstance(self._lease, AuditLease):
            raise TypeError("an audit has no model of its own")
        return self._lease.model
