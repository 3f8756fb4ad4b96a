"""Between the records of a job and the frames of a runner. What a runner says is checked here before it is believed."""

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from algorithms.seam.claims import Finding
from jobs.lease import Lease
from jobs.record import Progress
from jobs.spec import JobSpec
from models.cards import Inspection, Limits, ModelCard
from workers import frames
from workers.frames import Frame, FrameError
from workers.supervisor.permits import Permit

FINDING_BYTES = 256 << 10  # more than the details of any method
HAND_OVER_SECONDS = 3.0
CHUNK_SECONDS = 0.1  # to take a chunk whose time is up, ask its clean rows and write it down
MOST_HOLD_SECONDS = 3600.0
FAULTS = ("model_fault", "endpoint_unavailable", "endpoint_bad_response")
MAX_TEXT = 2000  # characters of a code or a sentence

_FINDINGS = TypeAdapter(tuple[Finding, ...])


def model_request(
    kind: Literal["inspect", "open"], card: ModelCard, data: bytes, *, device: str, permit: Permit | None
) -> Frame:
    fields = {"card": card.model_dump(mode="json"), "device": device, "permit": permit and permit.fields}
    return Frame(kind, fields, {"model": data})


def prepare_request(x: NDArray[np.float32]) -> Frame:
    """x (n, *shape): auxiliary samples."""
    return frames.with_arrays("prepare", {"x": x})


def basis(frame: Frame, *, n: int, d: int) -> NDArray[np.float32]:
    """(r, d) of n samples with d features. Raises FrameError."""
    found = frame.array("basis")
    if found is None or found.dtype != np.float32 or found.ndim != 2:
        raise FrameError("there is no basis in an answer that should have one")
    if not 1 <= len(found) <= min(n, d) or found.shape[1] != d or not np.isfinite(found).all():
        raise FrameError("a basis cannot be one of these samples")
    return found


def run_request(
    lease: Lease,
    spec: JobSpec,
    x: NDArray[np.float32],
    y: NDArray[np.int64] | None,
    *,
    pool: NDArray[np.float32] | None = None,
    basis: NDArray[np.float32] | None = None,
) -> Frame:
    """x (m, *shape) and y (m,) are this chunk's rows of the upload; pool and basis those of the whole job."""
    threat, asked = spec.threat.threat(spec.samples.shape), spec.request
    targets = spec.targets_of(lease.chunk)
    return frames.with_arrays(
        "run",
        {
            "x": x,
            "y": y,
            "targets": None if targets is None else np.array(targets, np.int64),
            "lower": threat.box.lower,
            "upper": threat.box.upper,
            "pool": pool,
            "basis": basis,
        },
        method=asked.method.name,
        params=asked.method.model_dump(mode="json"),
        threat={"norm": threat.norm.value, "epsilon": threat.epsilon, "targeted": threat.targeted},
        budget={"queries": asked.budget.queries_per_sample, "gradients": asked.budget.gradients_per_sample},
        seed=asked.seed,
        ends=lease.deadline
        - _hand_over_seconds(lease.chunk, spec),  # absolute: the frame may wait for a runner that is opening
        indices=list(lease.indices),
    )


def _hand_over_seconds(chunk: int, spec: JobSpec) -> float:
    """Kept back of a job's time: this chunk is written down, and those behind it end with their clean rows at least."""
    wanted, seconds = HAND_OVER_SECONDS + CHUNK_SECONDS * (spec.chunks - 1 - chunk), spec.request.budget.seconds
    return wanted if seconds is None else min(wanted, 0.2 * seconds)


def answer_bytes(lease: Lease, spec: JobSpec) -> int:
    """The most that the answer about these rows may weigh."""
    row = 4 * int(np.prod(spec.samples.shape)) + 16
    return len(lease.indices) * (row + FINDING_BYTES)


def refusal(frame: Frame) -> tuple[str, str]:
    """Code and sentence. Raises FrameError."""
    return _text(frame, "code"), _text(frame, "detail")


def fault(frame: Frame) -> tuple[str, str]:
    """Code and sentence; for any other frame, one that came out of turn, raises FrameError."""
    if frame.kind != "fault":
        raise FrameError(f"an answer came out of turn: {frame.kind[:32]!r}")
    code = _text(frame, "code")
    if code not in FAULTS:
        raise FrameError("a fault has no code of ours")
    return code, _text(frame, "detail")


def turns(frame: Frame, limits: Limits) -> tuple[int, float]:
    """How many calls a runner wants to make, and how long it was asked to hold back first. Raises FrameError."""
    calls, hold = frame.fields.get("calls"), frame.fields.get("hold")
    if not isinstance(calls, int) or not 1 <= calls <= limits.burst:
        raise FrameError("a wish for turns does not say how many")
    if not isinstance(hold, float) or not 0 <= hold <= MOST_HOLD_SECONDS:
        raise FrameError("a wish for turns does not say after what")
    return calls, hold


def device(frame: Frame) -> str:
    """Raises FrameError."""
    return _text(frame, "device")


def http_calls(frame: Frame) -> int:
    """Raises FrameError."""
    value = frame.fields.get("http_calls")
    if not isinstance(value, int) or value < 0:
        raise FrameError("an answer does not say how many requests were sent")
    return value


def seconds(frame: Frame) -> float:
    """Raises FrameError."""
    value = frame.fields.get("seconds")
    if not isinstance(value, float) or not 0 <= value < float("inf"):
        raise FrameError("an answer does not say how long it took")
    return value


def _text(frame: Frame, name: str) -> str:
    value = frame.fields.get(name)
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise FrameError(f"an answer has no readable {name}")
    return value


def progress(frame: Frame, *, samples_total: int) -> Progress:
    """Raises FrameError."""
    try:
        return Progress(samples_total=samples_total, **frame.fields)
    except (TypeError, ValidationError) as error:
        raise FrameError("progress cannot be read") from error


def inspection(frame: Frame) -> Inspection:
    """Raises FrameError."""
    try:
        return Inspection.model_validate(frame.fields["inspection"])
    except (KeyError, ValidationError) as error:
        raise FrameError("the inspection cannot be read") from error


def findings(frame: Frame, lease: Lease) -> tuple[Finding, ...]:
    """One finding for every row asked about, in the same order; of a fault, for some of them. Raises FrameError."""
    try:
        found = _FINDINGS.validate_json(frame.blobs["findings"])
    except (KeyError, ValidationError) as error:
        raise FrameError("the findings cannot be read") from error
    about = tuple(finding.index for finding in found)
    expected = tuple(i for i in lease.indices if i in about) if frame.kind == "fault" else lease.indices
    if about != expected:
        raise FrameError("the findings are not about the rows that were asked about")
    return found


def adversarials(frame: Frame, lease: Lease, spec: JobSpec) -> bytes | None:
    """An npz {index (m,), x (m, *shape), label (m,)}; None where m = 0. The same arrays give the same bytes."""
    index, x, label = frame.array("index"), frame.array("x"), frame.array("label")
    if index is None or x is None or label is None:
        raise FrameError("the adversarial points are incomplete")
    if x.shape != (len(index), *spec.samples.shape) or label.shape != index.shape or index.ndim != 1:
        raise FrameError("the adversarial points have an unknown shape")
    if not set(index.tolist()) <= set(lease.indices):
        raise FrameError("the adversarial points are not about the rows that were asked about")
    if len(index) == 0:
        return None
    file = io.BytesIO()
    np.savez(file, index=index, x=x, label=label)
    return file.getvalue()
