"""What was found of a chunk's rows, as it crosses the pipe: packed by a runner, believed by its supervisor."""

import io
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from algorithms.seam.claims import Finding, Outcome
from jobs.work.lease import JobLease
from workers import curve_seconds
from workers.frames import FrameError
from workers.messages import Fault, Floats, Integers, Message, Natural, Seconds, ShortText

FINDING_BYTES = 256 << 10  # more than the details of any method that does not count by class
CLASS_BYTES = 64  # in details that do: two numbers of votes, each with its label

_FINDINGS = TypeAdapter(tuple[Finding, ...])


CardFact = Literal["card", "cuda", "cudnn", "provider", "batch"]
"""What a runner may add to the versions of a result: of what it computed on, where that is a card."""


class ChunkDone(Message):
    """What was found. index (m,), x (m, *shape) and label (m,) are the adversarial points of those that have one."""

    kind = "run.done"

    findings: bytes  # JSON
    index: Integers
    x: Floats
    label: Integers
    curve_seconds: dict[int, tuple[Seconds, ...]] = {}  # of the findings that have a curve, by index
    seconds: Seconds
    http_calls: Natural
    device: ShortText
    computed_with: dict[CardFact, ShortText] = {}


class ChunkBroken(ChunkDone, Fault):
    """What was found before the model failed, and how it failed."""

    kind = "run.broken"


def packed(outcomes: Sequence[Outcome], shape: tuple[int, ...]) -> dict[str, Any]:
    """Makes of outcomes what `ChunkDone` says of them, samples being of this shape."""
    shown = [outcome for outcome in outcomes if outcome.x_adv is not None]
    return {
        "findings": _FINDINGS.dump_json(tuple(outcome.finding for outcome in outcomes)),
        "index": np.array([outcome.finding.index for outcome in shown], np.int64),
        "x": np.array([outcome.x_adv for outcome in shown], np.float32).reshape(len(shown), *shape),
        "label": np.array([outcome.finding.label for outcome in shown], np.int64),
    }


def answer_bytes(lease: JobLease) -> int:
    """The most that the answer about these rows may weigh."""
    row = 4 * int(np.prod(lease.spec.shape)) + 16
    output = lease.model.output
    return len(lease.indices) * (row + FINDING_BYTES + CLASS_BYTES * (output.classes if output else 0))


def findings(answer: ChunkDone, lease: JobLease) -> tuple[Finding, ...]:
    """Returns one finding for every row asked about, in their order; after a fault, for some. Raises FrameError."""
    try:
        found = _FINDINGS.validate_json(answer.findings)
    except ValidationError as error:
        raise FrameError("the findings cannot be read") from error
    about = tuple(finding.index for finding in found)
    broken = isinstance(answer, ChunkBroken)
    if about != (tuple(i for i in lease.indices if i in about) if broken else lease.indices):
        raise FrameError("the findings are not about the rows that were asked about")
    if not curve_seconds.fit(answer.curve_seconds, found):
        raise FrameError("the seconds are not those of the curves' points")
    return found


def adversarials(answer: ChunkDone, lease: JobLease) -> bytes | None:
    """Returns an npz {index (m,), x (m, *shape), label (m,)}; None where m = 0. The same arrays give the same bytes."""
    index, x, label = answer.index, answer.x, answer.label
    if index.ndim != 1 or x.shape != (len(index), *lease.spec.shape) or label.shape != index.shape:
        raise FrameError("the adversarial points have an unknown shape")
    if not set(index.tolist()) <= set(lease.indices):
        raise FrameError("the adversarial points are not about the rows that were asked about")
    return points_file(index, x, label) if len(index) else None


def points_file(index: NDArray[np.int64], x: NDArray[np.float32], label: NDArray[np.int64]) -> bytes:
    """Writes points (m, *shape) of rows (m,) as an npz, as all points of jobs are kept."""
    file = io.BytesIO()
    np.savez(file, index=index, x=x, label=label)
    return file.getvalue()
