"""What a runner does with each frame: it knows models and algorithms, and nothing of jobs, queues or tenants."""

import os
import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO, Literal

import numpy as np
from pydantic import TypeAdapter

from algorithms.errors import BrinellError, Refused
from algorithms.oracle import Model
from algorithms.parameters import Budget
from algorithms.registry import method
from algorithms.results import Finding, Outcome
from algorithms.running import Progress, Samples, run
from algorithms.threat import Box, Norm, Threat
from models.device import choose
from models.manifest import ModelCard
from models.opening import inspect_model, load_libraries, open_model
from workers import frames
from workers.frames import Frame

MAX_REQUEST = 8 << 30  # bytes: above every upload limit; the supervisor is trusted, this only catches a broken pipe
PROGRESS_SECONDS = 1.0

_FINDINGS = TypeAdapter(list[Finding])


class Inbox:
    """Reads frames in a thread, so that `cancel` and the end of the pipe are noticed while a model computes."""

    def __init__(self, requests: BinaryIO) -> None:
        self.cancelled = threading.Event()
        self._requests = requests
        self._waiting: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> Frame:
        return self._waiting.get()

    def _read(self) -> None:
        try:
            while frame := frames.read(self._requests, MAX_REQUEST):
                if frame.kind == "cancel":
                    self.cancelled.set()
                else:
                    self._waiting.put(frame)
        finally:
            os._exit(0)  # whoever asked is gone: nothing here is worth a tidy end


class Answering:
    """One model at a time, and the frames about it."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._inbox = Inbox(requests)
        self._answers = answers
        self._model: Model | None = None
        self._device = "cpu"
        self._said = -PROGRESS_SECONDS
        load_libraries()

    def serve(self) -> None:
        """Never returns: the inbox ends the process with its pipe."""
        self._say(Frame("ready"))
        answer: dict[str, Callable[[Frame], Frame]] = {"inspect": _inspect, "open": self._open, "run": self._run}
        while True:
            request = self._inbox.next()
            self._say(_answered(answer[request.kind], request))

    def _say(self, frame: Frame) -> None:
        frames.write(self._answers, frame)

    def _open(self, request: Frame) -> Frame:
        card = ModelCard.model_validate(request.fields["card"])
        self._device = choose(request.fields["device"])
        self._model = open_model(card, request.blobs["model"], device=self._device)
        return Frame("opened")

    def _run(self, request: Frame) -> Frame:
        assert self._model is not None  # the supervisor opens before it runs
        asked = request.fields
        chosen = method(asked["method"])
        started = time.monotonic()
        outcomes = run(
            self._model,
            _samples(request),
            chosen,
            chosen.params.model_validate(asked["params"]),
            _threat(request),
            Budget(**asked["budget"]),
            seed=asked["seed"],
            checkpoint=self._checkpoint(asked["seconds"]),
        )
        seconds = time.monotonic() - started
        return _done(outcomes, shape=self._model.shape, seconds=seconds, device=self._device)

    def _checkpoint(self, seconds: float | None) -> Callable[[Progress], Literal["budget", "cancelled"] | None]:
        ends = None if seconds is None else time.monotonic() + seconds

        def checkpoint(progress: Progress) -> Literal["budget", "cancelled"] | None:
            now = time.monotonic()
            if now - self._said >= PROGRESS_SECONDS:
                self._said = now
                self._say(_progress(progress))
            if self._inbox.cancelled.is_set():
                return "cancelled"
            return "budget" if ends is not None and now >= ends else None

        return checkpoint


def _answered(answer: Callable[[Frame], Frame], request: Frame) -> Frame:
    """The edge of the runner: whatever goes wrong becomes a frame, and only the log hears the particulars."""
    try:
        return answer(request)
    except Refused as refused:
        return Frame("refused", {"code": refused.code, "detail": refused.detail})
    except BrinellError as error:
        return Frame("fault", {"detail": error.detail})
    except MemoryError:
        traceback.print_exc()
        return Frame("fault", {"detail": "The model ran out of memory while it was asked; use a smaller model."})
    except Exception as error:
        traceback.print_exc()
        return Frame("fault", {"detail": f"The model failed while it was asked ({type(error).__name__})."})


def _inspect(request: Frame) -> Frame:
    card = ModelCard.model_validate(request.fields["card"])
    found = inspect_model(card, request.blobs["model"], device=choose(request.fields["device"]))
    return Frame("inspected", {"inspection": found.model_dump(mode="json")})


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


def _done(outcomes: list[Outcome], *, shape: tuple[int, ...], seconds: float, device: str) -> Frame:
    findings = [outcome.finding for outcome in outcomes]
    shown = [outcome for outcome in outcomes if outcome.x_adv is not None]
    arrays: dict[str, Any] = {
        "index": np.array([outcome.finding.index for outcome in shown], np.int64),
        "x": np.array([outcome.x_adv for outcome in shown], np.float32).reshape(len(shown), *shape),
        "label": np.array([outcome.finding.label for outcome in shown], np.int64),
    }
    frame = frames.with_arrays("done", arrays, seconds=seconds, device=device)
    return Frame(frame.kind, frame.fields, {**frame.blobs, "findings": _FINDINGS.dump_json(findings)})
