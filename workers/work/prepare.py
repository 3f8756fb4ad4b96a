"""prepare: what a job's chunks need and is made once for all of them, of auxiliary samples: a basis of their span."""

from time import monotonic

import numpy as np

from algorithms.searches.directions.spanning import spanning_basis
from jobs.summary import Preparation
from jobs.work.lease import Commit, JobLease
from workers import shared_rows
from workers.endings import Done, Ending
from workers.frames import FrameError
from workers.kind import Bench, Desk, RunnerAnswer, WorkKind
from workers.messages import Floats, Message, Seconds


class PrepareJob(Message):
    """The runner shall span these rows."""

    kind = "prepare"

    x: Floats  # (n, *shape): auxiliary samples


class JobPrepared(Message):
    """The runner answers what the rows span."""

    kind = "prepare.done"

    basis: Floats  # (r, d)
    seconds: Seconds

    def check(self, *, n: int, d: int) -> None:
        """Raises FrameError where this is no basis of n samples with d features."""
        if self.basis.ndim != 2 or not 1 <= len(self.basis) <= min(n, d) or self.basis.shape[1] != d:
            raise FrameError("a basis has a shape that these samples cannot give it")
        if not np.isfinite(self.basis).all():
            raise FrameError("a basis is not finite")


def supervise(lease: JobLease, desk: Desk) -> Ending:
    card = lease.spec.auxiliary
    assert card is not None  # only such a job has the stage
    x = shared_rows.auxiliary(card, desk.library.get(card.sha256))
    n, d = len(x), x[0].size
    desk.open()
    made = desk.ask(PrepareJob(x=x), JobPrepared, limit=4 * d * min(n, d))
    made.check(n=n, d=d)
    kept = Preparation(artifact=desk.keep(shared_rows.packed(made.basis)), seconds=made.seconds)
    return Done(Commit(fields={"prepared": kept.model_dump_json()}, digests=(kept.artifact,)))


def prepare(asked: PrepareJob, bench: Bench) -> JobPrepared:
    """Computes what the rows span, in the runner."""
    del bench  # the model is not asked
    began = monotonic()
    return JobPrepared(basis=spanning_basis(asked.x), seconds=monotonic() - began)


KIND = WorkKind(
    lease=JobLease,
    supervise=supervise,
    apology="The service failed to prepare the job; try again.",
    answers=(RunnerAnswer(PrepareJob, prepare),),
)
