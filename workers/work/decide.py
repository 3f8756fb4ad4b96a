"""decide: a property of a model, on the graph as it was uploaded: its bytes alone, without preprocessing or reading."""

import json
import math
from time import monotonic
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from algorithms.driver.progress import Stop
from algorithms.seam.claims import NO_NORM, Ended, Finding, Kind
from algorithms.seam.labeling import NO_CLASS
from jobs.result import ChunkResult
from jobs.work.lease import Commit, PropertyLease
from workers import outcomes
from workers.endings import Done, Ending, Failed
from workers.frames import FrameError
from workers.kind import Bench, Desk, RunnerAnswer, WorkKind
from workers.messages import MAX_TEXT, AboutModel, Floats, Message, Natural, NotAccepted, Seconds, ShortText
from workers.versions import versions

BACK_SECONDS = 3.0  # of a job's time, kept to hand over what there is

Answer = Literal["sat", "unsat", "unknown", "timeout"]
LINE, LABEL = np.zeros(1, np.int64), np.full(1, NO_CLASS, np.int64)  # of the witness among a job's points
KINDS: dict[Answer, Kind] = {"sat": Kind.UPPER_BOUND, "unsat": Kind.LOWER_BOUND}  # what else there is claims nothing


class DecideProperty(AboutModel):
    """Decide this property until the clock that both share says `ends`."""

    kind = "decide"

    text: bytes
    seconds: Seconds
    ends: float


class PropertyDecided(Message):
    """The answer; of a sat the witness, one row, and what onnxruntime made of it, which are empty else."""

    kind = "decide.done"

    answer: Answer
    reason: ShortText | None
    domains: Natural
    inputs: Floats
    outputs: Floats
    was_cancelled: bool
    seconds: Seconds


# In the supervisor


def supervise(lease: PropertyLease, desk: Desk) -> Ending:
    asked = lease.spec.request
    text = desk.library.get(asked.property.sha256)
    about = dict(desk.about_model(AboutModel))
    ends = lease.deadline - BACK_SECONDS
    numbers = math.prod(lease.spec.shape) + lease.spec.outputs
    question = DecideProperty(**about, text=text, seconds=asked.seconds, ends=ends)
    answer = desk.ask(question, PropertyDecided, NotAccepted, limit=4 * numbers)
    if isinstance(answer, NotAccepted):
        return Failed("model_fault", answer.detail, retry=False)
    assert isinstance(answer, PropertyDecided)
    point = witness(answer, lease)
    result = ChunkResult(
        findings=(finding(answer),),
        adversarials=None if point is None else desk.keep(outcomes.points_file(LINE, point[None], LABEL)),
        seconds=answer.seconds,
        device="cpu",
        isolation=desk.confined.level,
        isolation_denied=desk.confined.denied,
        versions=versions(),
    )
    return Done(Commit(fields={"details": told(answer)}, result=result))


def witness(answer: PropertyDecided, lease: PropertyLease) -> NDArray[np.float32] | None:
    """Returns the input of a sat, in the model's shape. Raises FrameError where the numbers are not as many."""
    is_sat = answer.answer == "sat"
    inputs, outputs = (math.prod(lease.spec.shape), lease.spec.outputs) if is_sat else (0, 0)
    if answer.inputs.shape != (inputs,) or answer.outputs.shape != (outputs,):
        raise FrameError("a witness has other numbers than the model")
    return answer.inputs.reshape(lease.spec.shape) if is_sat else None


def finding(answer: PropertyDecided) -> Finding:
    """Tells the answer as the one line of a job: sat as what a point shows, unsat as what is proven."""
    numbers = {"inputs": answer.inputs.tolist(), "outputs": answer.outputs.tolist()} if answer.answer == "sat" else {}
    stopped: Ended = "budget" if answer.answer == "timeout" else "finished"
    return Finding(
        index=0,
        label=NO_CLASS,
        predicted=NO_CLASS,
        kind=KINDS.get(answer.answer, Kind.ABSTAINED),
        norm=NO_NORM,
        value=None,
        queries=0,
        gradients=0,
        ended="cancelled" if answer.was_cancelled else stopped,
        details=_told(answer) | numbers,
    )


def _told(answer: PropertyDecided) -> dict[str, Any]:
    reason = {} if answer.reason is None else {"reason": answer.reason}
    return {"answer": answer.answer, "domains": answer.domains, **reason}


def told(answer: PropertyDecided) -> str:
    """Writes what the job itself tells of the answer."""
    return json.dumps(_told(answer))


# In the runner


def decide(asked: DecideProperty, bench: Bench) -> PropertyDecided:
    """Decides the property, in the runner. Raises Refused, ModelFault."""
    from models.onnx.gate.check import check
    from models.onnx.properties import deciding

    began = monotonic()
    ends = min(began + asked.seconds, asked.ends)
    stops: list[Stop] = []

    def is_over() -> bool:
        now = monotonic()
        stop = bench.pause((now - began) / max(ends - began, 1e-9), ends)
        stops.extend([stop] if stop else [])
        return stop is not None

    found = deciding.decide(check(asked.model, is_classifier=False), asked.text.decode(), is_over)
    nothing = np.zeros(0, np.float32)
    was_cancelled = found.answer == "timeout" and "cancelled" in stops
    return PropertyDecided(
        answer="unknown" if was_cancelled else found.answer,
        reason=None if found.reason is None else found.reason[:MAX_TEXT],
        domains=found.domains,
        inputs=nothing if found.inputs is None else found.inputs,
        outputs=nothing if found.outputs is None else found.outputs,
        was_cancelled=was_cancelled,
        seconds=monotonic() - began,
    )


KIND = WorkKind(
    lease=PropertyLease,
    supervise=supervise,
    apology="The service failed to decide the property; try again.",
    answers=(RunnerAnswer(DecideProperty, decide),),
)
