"""aim: the targets that a rule chooses are found on a job's own model, before another model is attacked for its sake.

A rule goes by the model's scores, or by its labels where samples come without. The other model would choose others by
its own, and points that lead to those would lead nowhere here. So the job's model is asked about the samples, a unit at
a time, and the stage `surrogate` is given the targets as if they had been named.
"""

from time import monotonic

import numpy as np
from numpy.typing import NDArray

from algorithms.artifacts.wish import Declared
from algorithms.majority import majority_of
from algorithms.seam.access import Access
from algorithms.seam.labeling import named
from algorithms.threats.targets import choose_targets
from algorithms.threats.threat import TargetRule
from jobs.summary import Preparation
from jobs.work.lease import Commit, JobLease
from models.named_arrays import packed, unpacked
from models.samples import load_rows
from workers.endings import Done, Ending
from workers.frames import FrameError
from workers.kind import Bench, Desk, RunnerAnswer, WorkKind
from workers.messages import Floats, Integers, Message, Seconds

UNIT_ROWS = 256  # of a lease: an endpoint of few rows a second answers them in a minute
CALL_ROWS = 64  # of a call: between calls the runner says that it lives
TARGETS = "targets"  # the name of the artifact's array
AIMED = "aimed"  # in the details: samples whose target is known


class AimSamples(Message):
    """The runner shall ask the model about these samples, and choose their targets by the rule."""

    kind = "aim"

    indices: tuple[int, ...]
    x: Floats  # (m, *shape)
    y: Integers | None  # (m,)
    rule: TargetRule
    seed: int
    repeats: int  # times that each sample is asked about; the majority is its answer


class SamplesAimed(Message):
    """The runner answers with the targets (m,), in the order of the samples."""

    kind = "aim.done"

    targets: Integers
    seconds: Seconds

    def check(self, *, samples: int, classes: int) -> None:
        """Raises FrameError where these cannot be targets of so many samples."""
        if self.targets.shape != (samples,) or not ((self.targets >= 0) & (self.targets < classes)).all():
            raise FrameError("the targets are no classes of this model, one a sample")


# In the supervisor


def supervise(lease: JobLease, desk: Desk) -> Ending:
    spec, found = lease.spec, known(lease, desk)
    before = lease.prepared or Preparation(artifact="", seconds=0.0)
    asked = _asked(lease, desk, spec.indices[len(found) : len(found) + UNIT_ROWS])
    desk.open()
    answer = desk.ask(asked, SamplesAimed, limit=8 * len(asked.x))
    answer.check(samples=len(asked.x), classes=spec.model.classes.count)
    now = np.concatenate([found, answer.targets])
    artifact = desk.keep(packed({TARGETS: now}))
    kept = before.model_copy(
        update={
            "artifact": artifact,
            "queries": before.queries + asked.repeats * len(asked.x),
            "seconds": before.seconds + answer.seconds,
            "details": {**before.details, AIMED: len(now)},
        }
    )
    return Done(
        Commit(
            fields={"prepared": kept.model_dump_json()},
            digests=(artifact,),
            given_up=(before.artifact,) if before.artifact else (),
            goes_on=len(now) < len(spec.indices),
        )
    )


def known(lease: JobLease, desk: Desk) -> NDArray[np.int64]:
    """Reads the targets (k,) of the first rows of the job, as far as they have been found. Raises NotAsDeclared."""
    before = lease.prepared
    if before is None or AIMED not in before.details:
        return np.zeros(0, np.int64)
    declared = {TARGETS: Declared((len(lease.spec.indices),), least=0, dtype=np.int64)}
    targets: NDArray[np.int64] = unpacked(desk.library.get(before.artifact), declared)[TARGETS]
    return targets


def _asked(lease: JobLease, desk: Desk, indices: tuple[int, ...]) -> AimSamples:
    spec, rule = lease.spec, lease.spec.threat.goal_rule
    assert spec.samples is not None  # no method about classes has a surrogate
    assert rule is not None  # the stage is there for the rule
    x, labels = load_rows(desk.library.get(spec.samples.sha256), indices)
    return AimSamples(
        indices=indices,
        x=x,
        y=None if labels is None else spec.model.classes.columns(labels),
        rule=rule,
        seed=spec.request.seed,
        repeats=spec.request.budget.repeats,
    )


# In the runner


def aim(asked: AimSamples, bench: Bench) -> SamplesAimed:
    """Asks the model, in the runner, and chooses as the driver of the job's chunks will."""
    began, model = monotonic(), majority_of(bench.model, asked.repeats)
    targets: list[int | None] = []
    for start in range(0, len(asked.x), CALL_ROWS):
        part = slice(start, start + CALL_ROWS)
        rows, scores = asked.x[part], None
        if Access.SCORES in model.offers:
            scores = model.offers[Access.SCORES].scores(rows)
        predicted = model.offers[Access.LABELS].labels(rows) if scores is None else named(scores)
        labels = predicted if asked.y is None else asked.y[part]
        indices = asked.indices[part]
        targets += choose_targets(asked.rule, labels, scores, None, model.classes, indices, asked.seed)
        bench.tell((start + len(rows)) / len(asked.x))
    return SamplesAimed(targets=np.array(targets, np.int64), seconds=monotonic() - began)


KIND = WorkKind(
    lease=JobLease,
    supervise=supervise,
    apology="The service failed to ask the model for the targets; try again.",
    answers=(RunnerAnswer(AimSamples, aim),),
)
