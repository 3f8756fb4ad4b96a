"""surrogate: before a job tries points on its own model they are found on another one, whose access allows more.

The attack is run as a job on that model would be, chunk by chunk, under the same sandbox and in no other's company: the
runner that opens an uploaded model is never one that calls endpoints. What it found is kept as hints, by digest.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.hint import Hint
from jobs.hints import packed
from jobs.spec import JobSpec
from jobs.summary import Preparation
from jobs.work.lease import Commit, JobLease
from models.samples import load_rows
from workers.endings import Done, Ending, Failed
from workers.kind import Desk, WorkKind
from workers.outcomes import ChunkBroken, ChunkDone, adversarials, answer_bytes, findings
from workers.work import aim, run
from workers.work.run import JobBegun


def supervise(lease: JobLease, desk: Desk) -> Ending:
    """Attacks the surrogate on all rows of the job; a fault of that model ends the job, as a fault of its own does."""
    spec = lease.spec.on_surrogate(tuple(aim.known(lease, desk).tolist()))
    assert spec.samples is not None  # no method about classes has a surrogate
    samples = desk.library.get(spec.samples.sha256)
    desk.open()
    # A substitute that takes a sample for another class is attacked from there: it may be wrong, the model is not.
    is_guessed = bool(lease.spec.rounds) and spec.threat.goal == "untargeted"
    found: dict[int, Hint] = {}
    queries, gradients, seconds = 0, 0, 0.0
    for chunk in range(spec.chunks):
        part = lease.model_copy(update={"spec": spec, "work": "run", "chunk": chunk, "width": 1, "prepared": None})
        desk.begin(partial(run.facts, part, samples, desk), JobBegun)
        answer = _asked(part, spec, samples, desk, is_guessed=is_guessed)
        if isinstance(answer, ChunkBroken):
            return Failed(answer.code, f"The surrogate model: {answer.detail}", retry=False)
        for finding in findings(answer, part):
            queries, gradients = queries + finding.queries, gradients + finding.gradients
        adversarials(answer, part)  # they are about these rows
        found |= _hints(answer)
        seconds += answer.seconds
    if lease.spec.rounds:  # it was trained here: what it is asked costs nobody
        queries, gradients = 0, 0
    digest = desk.keep(packed(found, spec.shape))
    before = lease.prepared or Preparation(artifact="", seconds=0.0)
    made = before.model_copy(
        update={
            "artifact": digest,
            "queries": before.queries + queries,
            "gradients": before.gradients + gradients,
            "seconds": before.seconds + seconds,
        }
    )
    given_up = (before.artifact,) if before.artifact else ()  # what was learned from, or the targets: of no more use
    return Done(Commit(fields={"prepared": made.model_dump_json()}, digests=(digest,), given_up=given_up))


def _asked(part: JobLease, spec: JobSpec, samples: bytes, desk: Desk, *, is_guessed: bool) -> ChunkDone | ChunkBroken:
    """`is_guessed`: samples have the labels that the surrogate gives them."""
    x, labels = load_rows(samples, part.indices)
    y = None if labels is None or is_guessed else spec.model.classes.columns(labels)
    asked = run.request(part, x, y, behind=len(spec.indices))  # all are tried on the job's own model yet
    return desk.ask(asked, ChunkDone, ChunkBroken, limit=answer_bytes(part))


def _hints(answer: ChunkDone) -> Mapping[int, Hint]:
    points: NDArray[np.float32] = answer.x
    return {row: Hint(point=point) for row, point in zip(answer.index.tolist(), points, strict=True)}


KIND = WorkKind(
    lease=JobLease,
    supervise=supervise,
    apology="The service failed to attack the surrogate model; try again.",
    answers=(),
)
