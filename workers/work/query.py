"""query: a model is asked about rows that a substitute is to learn from, a unit at a time, each row once.

The rows and what was answered so far are an artifact. No worker that calls endpoints trains: what it is answered here
is written down, and a compute worker learns from it.
"""

from time import monotonic

import numpy as np

from algorithms.artifacts.answered import LABELS, ROWS, SCORES
from algorithms.artifacts.wish import Arrays
from algorithms.attacks.substitute.answers import below_largest
from algorithms.majority import majority_of
from algorithms.seam.access import Access
from algorithms.seam.labeling import NO_CLASS, named
from jobs.summary import Preparation
from jobs.work.lease import Commit, JobLease
from models.named_arrays import packed
from workers import answered_rows, overlaps
from workers.endings import Done, Ending
from workers.frames import FrameError
from workers.kind import Bench, Desk, RunnerAnswer, WorkKind
from workers.messages import Floats, Integers, Message, Seconds

UNIT_ROWS = 256  # of a lease: an endpoint of few rows a second answers them in a minute
CALL_ROWS = 64  # of a call: between calls the runner says that it lives


class QueryRows(Message):
    """The runner shall ask the model about these rows."""

    kind = "query"

    x: Floats  # (m, *shape)
    repeats: int  # times that each row is asked; the majority is its answer


class RowsAnswered(Message):
    """The model's answers, in the order of the rows: labels (m,), and scores below the largest (m, classes or 0)."""

    kind = "query.done"

    labels: Integers
    scores: Floats
    seconds: Seconds

    def check(self, *, rows: int, classes: int, scored: int) -> None:
        """Raises FrameError where these cannot be answers of a model with so many classes; `scored`: or 0."""
        if self.labels.shape != (rows,) or self.scores.shape != (rows, scored):
            raise FrameError("the answers are not as many as the rows")
        if not ((self.labels >= NO_CLASS) & (self.labels < classes)).all() or not np.isfinite(self.scores).all():
            raise FrameError("the answers are no answers of this model")


def supervise(lease: JobLease, desk: Desk) -> Ending:
    known = answered_rows.read(lease, desk)
    begun = lease.prepared
    asked = len(known[LABELS])
    x = known[ROWS][asked : asked + UNIT_ROWS]
    if not len(x):  # fewer new rows were found than were planned
        return Done(Commit())
    desk.open()
    scored, repeats = answered_rows.scored(lease), lease.spec.request.budget.repeats
    answer = desk.ask(QueryRows(x=x, repeats=repeats), RowsAnswered, limit=len(x) * (8 + 4 * scored))
    answer.check(rows=len(x), classes=lease.spec.model.classes.count, scored=scored)
    now: Arrays = {
        **known,
        LABELS: np.concatenate([known[LABELS], answer.labels]),
        SCORES: np.concatenate([known[SCORES], answer.scores]),
    }
    before = _nothing(lease, known, desk) if begun is None else begun
    kept = before.model_copy(
        update={
            "artifact": desk.keep(packed(now)),
            "queries": before.queries + repeats * len(x),
            "seconds": before.seconds + answer.seconds,
        }
    )
    return Done(
        Commit(
            fields={"prepared": kept.model_dump_json()},
            digests=(kept.artifact,),
            given_up=() if begun is None else (begun.artifact,),
            goes_on=len(now[LABELS]) < len(now[ROWS]),
        )
    )


def _nothing(lease: JobLease, known: Arrays, desk: Desk) -> Preparation:
    """What has been prepared before the first unit, and that samples under audit are among the first rows, if so."""
    card = lease.spec.samples
    assert card is not None  # what is learned is tried on samples
    samples = desk.library.get(card.sha256)
    return Preparation(artifact="", seconds=0.0, warnings=overlaps.warnings(lease.spec, samples, known[ROWS]))


def query(asked: QueryRows, bench: Bench) -> RowsAnswered:
    """Asks the model, in the runner."""
    began, labels, scores = monotonic(), [], []
    model = majority_of(bench.model, asked.repeats)
    for start in range(0, len(asked.x), CALL_ROWS):
        rows = asked.x[start : start + CALL_ROWS]
        if Access.SCORES in model.offers:
            found = model.offers[Access.SCORES].scores(rows)
            labels.append(named(found))
            scores.append(below_largest(found, are_probabilities=model.gives_probabilities))
        else:
            labels.append(model.offers[Access.LABELS].labels(rows))
            scores.append(np.zeros((len(rows), 0), np.float32))
        bench.tell((start + len(rows)) / len(asked.x))
    return RowsAnswered(labels=np.concatenate(labels), scores=np.concatenate(scores), seconds=monotonic() - began)


KIND = WorkKind(
    lease=JobLease,
    supervise=supervise,
    apology="The service failed to ask the model about rows to learn from; try again.",
    answers=(RunnerAnswer(QueryRows, query),),
)
