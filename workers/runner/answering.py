"""What a runner does with each frame: it knows models, methods and kinds of work, and nothing of stores or queues."""

import time
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO

from algorithms.driver.progress import Checkpoint, RunProgress, Stop
from algorithms.errors import BrinellError, Contradiction, Refused
from models.cards import Inspection
from models.device import Device, choose, look_at_processor, warm_up
from models.opening import OpenedModel, inspect_model, load_libraries, open_model
from workers import frames, messages
from workers.confinement.levels import Confined, RunnerKind
from workers.frames import Frame
from workers.kinds import ANSWERS
from workers.messages import (
    AboutModel,
    Fault,
    Message,
    ModelOpened,
    OpenModel,
    Progressed,
    Ready,
    TurnsAsked,
    TurnsGranted,
)
from workers.runner.allowance import Allowance
from workers.runner.inbox import Inbox

if TYPE_CHECKING:
    from models.endpoints._permit import Permit

PROGRESS_SECONDS = 1.0


class Answering:
    """The bench of one model at a time, and the answers to what is asked about it."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO, *, kind: RunnerKind) -> None:
        self.begun: Message | None = None
        self.device: Device = "cpu"
        self._inbox = Inbox(requests)
        self._answers = answers
        self._model: OpenedModel | None = None
        self._permit: Permit | None = None
        self._said = -PROGRESS_SECONDS
        load_libraries(remote=kind == "probe")
        if kind != "probe":
            look_at_processor()
        if kind == "card":
            warm_up()
        import highspy  # noqa: F401, TID251  # programs of bounds: a runner that is shut in could not load it any more
        import scipy.optimize  # noqa: F401  # the fits and intervals of methods: a second that no job should wait for

    def serve(self, confined: Confined) -> None:
        """Never returns: the inbox ends the process with its pipe."""
        self._say(Ready(isolation=confined.level, denied=confined.denied))
        while True:
            self._say(answered(self._answer, self._inbox.next()))

    def _say(self, message: Message) -> None:
        frames.write(self._answers, message.frame())

    def _answer(self, frame: Frame) -> Message:
        if frame.kind == OpenModel.kind:
            return self._open(OpenModel.read(frame))
        answer = ANSWERS[frame.kind]
        return answer.give(answer.asked.read(frame), self)

    def _open(self, asked: OpenModel) -> ModelOpened:
        self.device, self._permit, self.begun = choose(asked.device), self._permit_of(asked), None
        self._model = open_model(asked.card, asked.model, device=self.device, permit=self._permit)
        return ModelOpened()

    def inspect(self, about: AboutModel) -> Inspection:
        permit = self._permit_of(about)
        return inspect_model(about.card, about.model, device=choose(about.device), permit=permit)

    @property
    def model(self) -> OpenedModel:
        assert self._model is not None  # the supervisor opens a model before it asks about one
        return self._model

    @property
    def computed_with(self) -> Mapping[str, str]:
        return self.model.computed_with()

    @property
    def http_calls(self) -> int:
        return 0 if self._permit is None else self._permit.pace.calls

    def tell(self, fraction: float) -> None:
        self._tell(time.monotonic(), lambda: Progressed(samples_done=0, fraction=fraction, queries=0, gradients=0))

    def pause(self, fraction: float, ends: float) -> Stop | None:
        self.tell(fraction)
        if self._inbox.cancelled.is_set():
            return "cancelled"
        return "budget" if time.monotonic() >= ends else None

    def checkpoint(self, ends: float) -> Checkpoint:
        allowance = Allowance(ends)

        def checkpoint(progress: RunProgress) -> Stop | None:
            now = time.monotonic()
            self._tell(now, lambda: _progressed(progress))
            if self._inbox.cancelled.is_set():
                return "cancelled"
            return "budget" if allowance.is_spent(now) else None

        return checkpoint

    def _tell(self, now: float, progressed: Callable[[], Progressed]) -> None:
        """At most once a second, and only then counted."""
        if now - self._said >= PROGRESS_SECONDS:
            self._said = now
            self._say(progressed())

    def _permit_of(self, about: AboutModel) -> "Permit | None":
        """None: the model is no endpoint. A runner of uploaded models never gets to what is imported here."""
        given, endpoint = about.permission, about.card.endpoint
        if given is None or endpoint is None:
            return None
        from models.credential import Credential
        from models.endpoints._pace import Pace
        from models.endpoints._permit import Permit

        secret, limits = given.credential, endpoint.limits
        pace = Pace(self._reserve, per_second=limits.requests_per_second, burst=limits.burst)
        credential = None if secret is None else Credential(*secret)
        return Permit(given.trusted, credential, pace, self._inbox.is_overdue)

    def _reserve(self, calls: int, hold: float) -> float:
        """TurnsAsked come from the supervisor, who asks the bucket that all jobs on an origin share."""
        self._say(TurnsAsked(calls=calls, hold=hold))
        return TurnsGranted.read(self._inbox.next()).seconds


def answered(answer: Callable[[Frame], Message], frame: Frame) -> Message:
    """Ask, at the edge of the runner: whatever goes wrong becomes a message, and only the log hears the particulars."""
    try:
        return answer(frame)
    except Refused as refused:
        return messages.NotAccepted(code=refused.code, detail=_readable(refused.detail))
    except Contradiction as error:
        return Fault(code="contradiction", detail=_readable(error.detail))
    except BrinellError as error:
        return _fault(error.detail)
    except MemoryError:
        traceback.print_exc()
        return _fault("The model ran out of memory while it was asked; use a smaller model.")
    except Exception:
        traceback.print_exc()
        return _fault("The model failed while it was asked, in a way that is not known here; export it again.")


def _fault(detail: str) -> Fault:
    return Fault(code="model_fault", detail=_readable(detail))


def _readable(detail: str) -> str:
    return detail[: messages.MAX_TEXT]


def _progressed(progress: RunProgress) -> Progressed:
    return Progressed(
        samples_done=progress.samples_done,
        fraction=progress.fraction,
        queries=progress.queries,
        gradients=progress.gradients,
    )
