"""A model is asked about each row once, unit by unit, and what its runner answers is believed only where it can be."""

import io
from pathlib import Path
from time import monotonic
from types import SimpleNamespace

import numpy as np
import pytest

from algorithms.artifacts.answered import HELD_OUT, LABELS, ROWS, SCORES
from algorithms.seam.access import Access
from jobs.admission.admission import admit
from jobs.spec import JobSpec
from jobs.summary import Preparation
from jobs.work.lease import JobLease
from models.named_arrays import unpacked
from tests.jobs_for_tests import CLASSES, SHAPE, ready_card, request, samples_card
from tests.truths import Linear
from workers import answered_rows
from workers.frames import FrameError
from workers.work import query as querying
from workers.work.query import QueryRows, RowsAnswered, query, supervise

ROOT = Path(__file__).parents[4]
SEEDS, HELD = 5, 3
X = np.random.default_rng(0).random((SEEDS + HELD, *SHAPE), np.float32)
METHOD = {"name": "substitute", "seed_rows": SEEDS, "held_out": HELD, "oracle_queries": 20}


def asked_for(*offers: Access, **body: object) -> JobSpec:
    model, samples = ready_card(offers=offers), samples_card(count=len(X))
    return admit(request(model, samples, method=METHOD, **body), model, samples, auxiliary=samples)


def npz(x: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, x=x)
    return file.getvalue()


def lease(job: JobSpec, prepared: Preparation | None = None) -> JobLease:
    right = {"tenant": "t", "subject_id": "job_1", "work": "query", "chunk": 0, "fence": 1, "attempt": 1}
    return JobLease(**right, spec=job, prepared=prepared, deadline=monotonic() + 1000)


class Desk:
    """Keeps what it is given under its number, and answers by a linear model in this process."""

    def __init__(self, x: np.ndarray = X, offers=(Access.LABELS, Access.SCORES)) -> None:
        self.kept = {}
        self.library = SimpleNamespace(get=lambda digest: self.kept.get(digest) or npz(x))
        self.model = linear()
        told = dict.fromkeys(offers, self.model)
        self._bench = SimpleNamespace(model=Offering(self.model, told), tell=lambda fraction: None)

    def open(self):
        pass

    def keep(self, data):
        digest = f"{len(self.kept)}" * 64
        self.kept[digest] = data
        return digest

    def ask(self, message, *answers, limit):
        said = query(QueryRows.read(message.frame()), self._bench).frame()
        assert sum(map(len, said.blobs.values())) <= limit
        return answers[0].read(said)


class Offering:
    """A model that gives away some of what another one offers."""

    gives_probabilities, substitutes, classes, shape = False, None, CLASSES, SHAPE

    def __init__(self, model, offers):
        self.offers = offers


def linear() -> Linear:
    rng = np.random.default_rng(3)
    return Linear(rng.normal(size=(CLASSES, int(np.prod(SHAPE)))), np.zeros(CLASSES), shape=SHAPE)


def done(job: JobSpec, desk: Desk):
    """Units until all rows are answered: the last commit, and what has been prepared by then."""
    prepared, units = None, 0
    while True:
        commit, units = supervise(lease(job, prepared), desk).commit, units + 1
        prepared = Preparation.model_validate_json(commit.fields["prepared"])
        if not commit.goes_on:
            return prepared, units


def read(job: JobSpec, desk: Desk, prepared: Preparation):
    wanted = answered_rows.wanted_of(job)
    classes = CLASSES if Access.SCORES in job.model.offers else 0
    return unpacked(desk.library.get(prepared.artifact), wanted.declared(SHAPE, classes))


def test_every_row_is_asked_once_and_counted_once(monkeypatch):
    monkeypatch.setattr(querying, "UNIT_ROWS", 3)
    job, desk = asked_for(Access.LABELS, Access.SCORES), Desk()
    prepared, units = done(job, desk)
    known = read(job, desk, prepared)
    assert (units, prepared.queries) == (3, SEEDS + HELD)
    assert np.concatenate(desk.model.queried).tobytes() == known[ROWS].tobytes()
    assert known[LABELS].tolist() == linear().labels(known[ROWS]).tolist()
    assert known[SCORES].argmax(axis=1).tolist() == known[LABELS].tolist()


def test_however_it_is_cut_the_artifact_is_the_same(monkeypatch):
    job, one, many = asked_for(Access.LABELS, Access.SCORES), Desk(), Desk()
    whole, _ = done(job, one)
    monkeypatch.setattr(querying, "UNIT_ROWS", 2)
    cut, _ = done(job, many)
    assert one.kept[whole.artifact] == many.kept[cut.artifact]


def test_a_model_that_gives_labels_alone_is_asked_for_labels():
    job, desk = asked_for(Access.LABELS), Desk(offers=(Access.LABELS,))
    prepared, _ = done(job, desk)
    known = read(job, desk, prepared)
    assert (known[SCORES].shape, len(known[LABELS])) == ((SEEDS + HELD, 0), SEEDS + HELD)


def test_rows_that_are_there_twice_are_asked_once_and_seeds_are_not_held_out():
    x = X.copy()
    x[1], x[SEEDS] = x[0], x[2]
    job, desk = asked_for(Access.LABELS), Desk(x, offers=(Access.LABELS,))
    prepared, _ = done(job, desk)
    known = read(job, desk, prepared)
    assert prepared.queries == len(known[ROWS]) == SEEDS + HELD - 2
    assert known[HELD_OUT].tolist() == [HELD - 1]


def test_each_answer_costs_as_many_queries_as_the_budget_repeats():
    job, desk = asked_for(Access.LABELS, budget={"repeats": 3, "queries_per_sample": 30}), Desk(offers=(Access.LABELS,))
    prepared, _ = done(job, desk)
    assert prepared.queries == 3 * (SEEDS + HELD) == sum(map(len, desk.model.queried))


def test_nothing_is_asked_where_no_new_row_was_found():
    job, desk = asked_for(Access.LABELS), Desk(offers=(Access.LABELS,))
    prepared, _ = done(job, desk)
    assert supervise(lease(job, prepared), desk).commit.fields == {}
    assert sum(map(len, desk.model.queried)) == SEEDS + HELD


@pytest.mark.parametrize("others", [X, X + np.float32(0.001)], ids=["the samples", "none of them"])
def test_samples_under_audit_that_are_learned_from_are_warned_of(others):
    job, desk = asked_for(Access.LABELS), Desk(X.copy(), offers=(Access.LABELS,))
    job = job.model_copy(update={"auxiliary": job.auxiliary.model_copy(update={"sha256": "others"})})
    desk.kept["others"] = npz(np.clip(others, 0, 1))
    prepared, _ = done(job, desk)
    assert prepared.warnings == (("auxiliary_overlap",) if others is X else ())


def test_a_unit_gives_up_what_the_one_before_left(monkeypatch):
    monkeypatch.setattr(querying, "UNIT_ROWS", 4)
    job, desk = asked_for(Access.LABELS), Desk(offers=(Access.LABELS,))
    first = supervise(lease(job), desk).commit
    before = Preparation.model_validate_json(first.fields["prepared"])
    assert (first.given_up, first.goes_on) == ((), True)
    assert supervise(lease(job, before), desk).commit.given_up == (before.artifact,)


LIES = {
    "fewer labels": {"labels": np.zeros(1, np.int64)},
    "a class that there is not": {"labels": np.array([0, CLASSES])},
    "less than no class": {"labels": np.array([0, -2])},
    "scores of fewer classes": {"scores": np.zeros((2, 1), np.float32)},
    "no numbers": {"scores": np.full((2, CLASSES), np.nan, np.float32)},
}


@pytest.mark.parametrize("lie", LIES)
def test_answers_that_cannot_be_are_not_believed(lie):
    said = {"labels": np.zeros(2, np.int64), "scores": np.zeros((2, CLASSES), np.float32), "seconds": 0.1}
    RowsAnswered(**said).check(rows=2, classes=CLASSES, scored=CLASSES)
    with pytest.raises(FrameError):
        RowsAnswered(**said | LIES[lie]).check(rows=2, classes=CLASSES, scored=CLASSES)
