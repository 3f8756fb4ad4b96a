"""warm_up: a job's method works on a few of its rows before all chunks, and what it found shows the others the way.

It runs as on a job of those rows, chunk by chunk, each a unit of work that leaves what is known so far to the next.
What they asked is charged to all samples of the job in equal parts (`algorithms/artifacts/warm_up.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from algorithms.artifacts import warm_up
from algorithms.artifacts.warm_up import CLASSES, EARNED, MOST_MOVES, SHARE, WAYS
from algorithms.artifacts.wish import Arrays, check
from algorithms.seam.claims import Finding
from jobs.spec import JobSpec
from jobs.summary import Preparation
from jobs.work.lease import Commit, JobLease
from models.named_arrays import packed
from models.samples import load_rows
from workers import shared_rows
from workers.endings import Done, Ending, Failed
from workers.frames import FrameError
from workers.kind import Desk, WorkKind
from workers.outcomes import ChunkBroken, ChunkDone, adversarials, answer_bytes, findings
from workers.work import run
from workers.work.run import JobBegun

_RATES = TypeAdapter(
    Annotated[dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)] | None], Field(max_length=MOST_MOVES)]
)
BEGUN = "samples"  # in a preparation's details: how many rows have been worked on
NOTHING = Preparation(artifact="", seconds=0.0, details={BEGUN: 0.0})


def supervise(lease: JobLease, desk: Desk) -> Ending:
    """Works on the next few rows, and adds what they show to what is known."""
    spec, before = lease.spec.warming(), lease.prepared or NOTHING
    assert lease.spec.samples is not None  # no method about classes warms up
    samples = desk.library.get(lease.spec.samples.sha256)
    chunk = int(before.details[BEGUN]) // spec.chunk_size
    part = lease.model_copy(update={"spec": spec, "work": "run", "chunk": chunk, "width": 1, "prepared": None})
    desk.open()
    desk.begin(lambda: run.facts(part, samples, desk), JobBegun)
    x, labels = load_rows(samples, part.indices)
    y = None if labels is None else spec.model.classes.columns(labels)
    answer = desk.ask(
        run.request(part, x, y, behind=len(lease.spec.indices)), ChunkDone, ChunkBroken, limit=answer_bytes(part)
    )
    if isinstance(answer, ChunkBroken):
        return Failed(answer.code, answer.detail, retry=False)
    found = findings(answer, part)
    adversarials(answer, part)  # they are about these rows
    queries = before.queries + sum(finding.queries for finding in found)
    known = (
        _nothing(spec)
        if lease.prepared is None
        else shared_rows.prepared(lease.spec, desk.library.get(before.artifact))
    )
    try:
        _check_charged(found, spec)
        made = {
            **_with(known, found, dict(zip(part.indices, x, strict=True)), answer),
            SHARE: np.array([warm_up.share(queries, len(lease.spec.indices))]),
        }
        check(made, warm_up.declared(spec.shape, len(spec.indices)))
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise FrameError("what was found shows no way") from error
    done = chunk * spec.chunk_size + len(found)
    kept = Preparation(
        artifact=desk.keep(packed(made)),
        queries=queries,
        gradients=before.gradients + sum(finding.gradients for finding in found),
        seconds=before.seconds + answer.seconds,
        details={BEGUN: float(done)},
    )
    return Done(
        Commit(
            fields={"prepared": kept.model_dump_json()},
            digests=(kept.artifact,),
            goes_on=done < len(spec.indices),
            given_up=() if lease.prepared is None or before.artifact == kept.artifact else (before.artifact,),
        )
    )


def _check_charged(found: Sequence[Finding], spec: JobSpec) -> None:
    """Raises ValueError where a sample was charged what it was not allowed: all others would pay for it."""
    allowed = spec.request.budget.queries_per_sample
    assert allowed is not None  # a warm-up has its own
    if not all(0 <= finding.queries <= allowed for finding in found):
        raise ValueError("a sample has more queries than its budget, or fewer than none")


def _nothing(spec: JobSpec) -> Arrays:
    return {
        WAYS: np.zeros((0, *spec.shape), np.float32),
        CLASSES: np.zeros((0, 2), np.int64),
        EARNED: np.zeros((0, MOST_MOVES), np.float32),
    }


def _with(
    known: Arrays, found: Sequence[Finding], rows: Mapping[int, NDArray[np.float32]], answer: ChunkDone
) -> Arrays:
    """Adds the ways to the points that were found, the classes that they led from and to, and what moves earned."""
    told = {finding.index: finding for finding in found}
    shown = answer.index.tolist()
    ways = [point - rows[index] for index, point in zip(shown, answer.x, strict=True)]
    reached = [(told[index].label, told[index].details["read_as"]) for index in shown]
    more: Arrays = {
        WAYS: np.array(ways, np.float32).reshape(-1, *known[WAYS].shape[1:]),
        CLASSES: np.array(reached, np.int64).reshape(-1, 2),
        EARNED: np.array([_earned(told[index]) for index in shown], np.float32).reshape(-1, MOST_MOVES),
    }
    return {name: np.concatenate([known[name], more[name]]) for name in more}


def _earned(finding: Finding) -> tuple[float, ...]:
    """What each move earned there. Raises ValidationError: details are a runner's words."""
    rates = [rate or 0.0 for rate in _RATES.validate_python(finding.details.get("earned", {})).values()]
    return (*rates, *(0.0 for _ in range(MOST_MOVES - len(rates))))


KIND = WorkKind(
    lease=JobLease,
    supervise=supervise,
    apology="The service failed on the samples that a job begins with; try again.",
    answers=(),
)
