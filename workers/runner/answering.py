"""What a runner does with each frame: it knows models and algorithms, and nothing of jobs, queues or tenants."""

import math
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from algorithms.driver.running import Checkpoint, Progress, Samples, Stop, run
from algorithms.errors import BrinellError, ModelFault, Refused
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Model
from algorithms.seam.claims import Finding, Outcome
from algorithms.seam.threat import Box, Threat
from algorithms.searches.directions import spanning_basis
from models.cards import ModelCard
from models.device import Device, choose
from models.opening import inspect_model, load_libraries, open_model
from workers import frames
from workers.frames import Frame

if TYPE_CHECKING:
    from models.endpoints._permit import Permit

MAX_REQUEST = 8 << 30  # bytes: above every upload limit; the supervisor is trusted, this only catches a broken pipe
PROGRESS_SECONDS = 1.0
GRACE_SECONDS = 0.7  # for a beat to end by itself after a cancel; what is left of two seconds is for handing over

_FINDINGS = TypeAdapter(list[Finding])


class Inbox:
    """Reads frames in a thread, so that `cancel` and the end of the pipe are noticed while a model computes."""

    def __init__(self, requests: BinaryIO) -> None:
        self.cancelled = threading.Event()
        self._since = 0.0  # when (monotonic) it was cancelled
        self._requests = requests
        self._waiting: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> Frame:
        return self._waiting.get()

    def is_overdue(self) -> bool:
        """Whether what waits for others has to give up, so that what was found is handed over before the kill."""
        return self.cancelled.is_set() and time.monotonic() - self._since >= GRACE_SECONDS

    def _read(self) -> None:
        try:
            while frame := frames.read(self._requests, MAX_REQUEST):
                if frame.kind == "cancel":
                    self._since = time.monotonic()
                    self.cancelled.set()
                else:
                    self._waiting.put(frame)
        finally:
            os._exit(0)  # whoever asked is gone: nothing here is worth a tidy end


class Allowance:
    """The time of a run. Spent where one more beat, as long as the longest so far, would not end in it."""

    def __init__(self, ends: float) -> None:
        self._ends = ends
        self._before, self._longest = math.inf, 0.0

    def is_spent(self, now: float) -> bool:
        """To be asked once a beat."""
        self._longest, self._before = max(self._longest, now - self._before), now
        return now + self._longest >= self._ends


class Answering:
    """One model at a time, and the frames about it."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO, *, remote: bool) -> None:
        self._inbox = Inbox(requests)
        self._answers = answers
        self._model: Model | None = None
        self._permit: Permit | None = None
        self._device: Device = "cpu"
        self._said = -PROGRESS_SECONDS
        load_libraries(remote=remote)
        import scipy.optimize  # noqa: F401  # the fits and intervals of methods: a second that no job should wait for

    def serve(self) -> None:
        """Never returns: the inbox ends the process with its pipe."""
        self._say(Frame("ready"))
        answer: dict[str, Callable[[Frame], Frame]] = {
            "inspect": self._inspect,
            "open": self._open,
            "prepare": _prepare,
            "run": self._run,
        }
        while True:
            request = self._inbox.next()
            self._say(_answered(answer[request.kind], request))

    def _say(self, frame: Frame) -> None:
        frames.write(self._answers, frame)

    def _inspect(self, request: Frame) -> Frame:
        card, device, permit = self._about(request)
        found = inspect_model(card, request.blobs["model"], device=device, permit=permit)
        return Frame("inspected", {"inspection": found.model_dump(mode="json")})

    def _open(self, request: Frame) -> Frame:
        card, self._device, self._permit = self._about(request)
        self._model = open_model(card, request.blobs["model"], device=self._device, permit=self._permit)
        return Frame("opened")

    def _about(self, request: Frame) -> tuple[ModelCard, Device, "Permit | None"]:
        card = ModelCard.model_validate(request.fields["card"])
        permit = _permit(card, request.fields.get("permit"), self._reserve, self._inbox.is_overdue)
        return card, choose(request.fields["device"]), permit

    def _reserve(self, calls: int, hold: float) -> float:
        """Turns come from the supervisor, who asks the bucket that all jobs on an origin share."""
        self._say(Frame("turns", {"calls": calls, "hold": float(hold)}))
        return float(self._inbox.next().fields["seconds"])

    def _run(self, request: Frame) -> Frame:
        assert self._model is not None  # the supervisor opens before it runs
        began, calls = time.monotonic(), self._http_calls
        ended, outcomes = self._ended(request, self._model)
        frame = frames.with_arrays(
            ended.kind,
            _points(outcomes, self._model.shape),
            seconds=time.monotonic() - began,
            http_calls=self._http_calls - calls,
            device=self._device,
            **ended.fields,
        )
        findings = _FINDINGS.dump_json([outcome.finding for outcome in outcomes])
        return Frame(frame.kind, frame.fields, {**frame.blobs, "findings": findings})

    def _ended(self, request: Frame, model: Model) -> tuple[Frame, Sequence[Outcome]]:
        """How a run ended, and what it had found by then."""
        asked = request.fields
        chosen = method(asked["method"])
        try:
            return Frame("done"), run(
                model,
                _samples(request),
                chosen,
                chosen.params.model_validate(asked["params"]),
                _threat(request),
                Budget(**asked["budget"]),
                seed=asked["seed"],
                pool=request.array("pool"),
                basis=request.array("basis"),
                checkpoint=self._checkpoint(asked["ends"]),
            )
        except ModelFault as fault:
            return _fault(fault.detail, code=fault.code), fault.found

    @property
    def _http_calls(self) -> int:
        return 0 if self._permit is None else self._permit.pace.calls

    def _checkpoint(self, ends: float) -> Checkpoint:
        """`ends` on the monotonic clock, which the supervisor shares."""
        allowance = Allowance(ends)

        def checkpoint(progress: Progress) -> Stop | None:
            now = time.monotonic()
            if now - self._said >= PROGRESS_SECONDS:
                self._said = now
                self._say(_progress(progress))
            if self._inbox.cancelled.is_set():
                return "cancelled"
            return "budget" if allowance.is_spent(now) else None

        return checkpoint


def _answered(answer: Callable[[Frame], Frame], request: Frame) -> Frame:
    """The edge of the runner: whatever goes wrong becomes a frame, and only the log hears the particulars."""
    try:
        return answer(request)
    except Refused as refused:
        return Frame("refused", {"code": refused.code, "detail": refused.detail})
    except BrinellError as error:
        return _fault(error.detail)
    except MemoryError:
        traceback.print_exc()
        return _fault("The model ran out of memory while it was asked; use a smaller model.")
    except Exception as error:
        traceback.print_exc()
        return _fault(f"The model failed while it was asked ({type(error).__name__}).")


def _fault(detail: str, *, code: str = ModelFault.code) -> Frame:
    return Frame("fault", {"code": code, "detail": detail})


def _permit(
    card: ModelCard,
    given: dict[str, Any] | None,
    reserve: Callable[[int, float], float],
    is_withdrawn: Callable[[], bool],
) -> "Permit | None":
    """None: the model is no endpoint. A runner of uploaded models never gets here, nor to what is imported here."""
    if given is None or card.endpoint is None:
        return None
    from models.endpoints._pace import Pace
    from models.endpoints._permit import Credential, Permit

    secret, limits = given["credential"], card.endpoint.limits
    pace = Pace(reserve, per_second=limits.requests_per_second, burst=limits.burst)
    return Permit(given["trusted"], None if secret is None else Credential(*secret), pace, is_withdrawn)


def _prepare(request: Frame) -> Frame:
    began = time.monotonic()
    x = request.array("x")
    assert x is not None
    return frames.with_arrays("prepared", {"basis": spanning_basis(x)}, seconds=time.monotonic() - began)


def _samples(request: Frame) -> Samples:
    x = request.array("x")
    assert x is not None
    return Samples(x, tuple(request.fields["indices"]), request.array("y"), request.array("targets"))


def _threat(request: Frame) -> Threat:
    asked = request.fields["threat"]
    lower, upper = request.array("lower"), request.array("upper")
    box = Box.unbounded() if lower is None or upper is None else Box(lower, upper)
    return Threat(Norm(asked["norm"]), box, asked["epsilon"], asked["targeted"])


def _progress(progress: Progress) -> Frame:
    return Frame(
        "progress",
        {
            "samples_done": progress.samples_done,
            "fraction": progress.fraction,
            "queries": progress.queries,
            "gradients": progress.gradients,
        },
    )


def _points(outcomes: Sequence[Outcome], shape: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """The adversarial points of those that have one: index (m,), x (m, *shape), label (m,)."""
    shown = [outcome for outcome in outcomes if outcome.x_adv is not None]
    return {
        "index": np.array([outcome.finding.index for outcome in shown], np.int64),
        "x": np.array([outcome.x_adv for outcome in shown], np.float32).reshape(len(shown), *shape),
        "label": np.array([outcome.finding.label for outcome in shown], np.int64),
    }
