"""Targets that a rule chooses are those that the driver will choose on the same model, found unit by unit."""

import io
from time import monotonic
from types import SimpleNamespace

import numpy as np
import pytest

from algorithms.seam.access import Access
from algorithms.threats.targets import choose_targets
from jobs.admission.admission import admit
from jobs.spec import JobSpec
from jobs.summary import Preparation
from jobs.work.lease import JobLease
from tests.jobs_for_tests import CLASSES, SHAPE, digest, ready_card, request, samples_card
from tests.truths import Linear
from workers.frames import FrameError
from workers.work import aim as aiming
from workers.work.aim import AimSamples, SamplesAimed, aim, known, supervise

ROWS, INDICES, SEED = 9, (8, 1, 2, 5, 7), 3
X = np.random.default_rng(0).random((ROWS, *SHAPE), np.float32)
Y = np.arange(ROWS) % CLASSES
LEARNED = Preparation(artifact=digest("c"), queries=12, seconds=1.0, details={"rounds": 2})
BOTH = (Access.LABELS, Access.SCORES)


def asked_for(rule: str, *, labelled: bool = True, offers=BOTH, **body: object) -> JobSpec:
    model, samples = ready_card(offers=offers), samples_card(count=ROWS, labelled=labelled)
    told = {"threat": {"goal": {"targeted": rule}}, "samples": {"indices": list(INDICES)}, "seed": SEED}
    surrogate = ready_card().model_copy(update={"id": "mdl_" + "s" * 22})
    return admit(
        request(model, samples, method={"name": "transfer"}, **told, **body), model, samples, surrogate=surrogate
    )


def lease(job: JobSpec, prepared: Preparation | None) -> JobLease:
    right = {"tenant": "t", "subject_id": "job_1", "work": "aim", "chunk": 0, "fence": 1, "attempt": 1}
    return JobLease(**right, spec=job, prepared=prepared, deadline=monotonic() + 1000)


class Desk:
    """Keeps what it is given under its number, and answers by a linear model in this process."""

    def __init__(self, job: JobSpec) -> None:
        rng = np.random.default_rng(3)
        self.model = Linear(rng.normal(size=(CLASSES, int(np.prod(SHAPE)))), np.zeros(CLASSES), shape=SHAPE)
        offers = dict.fromkeys(job.model.offers, self.model)
        shown = SimpleNamespace(
            gives_probabilities=False, substitutes=None, classes=CLASSES, shape=SHAPE, offers=offers
        )
        self._bench = SimpleNamespace(model=shown, tell=lambda share: None)
        file = io.BytesIO()
        np.savez(file, x=X, **({"y": Y} if job.samples.labelled else {}))
        self.kept = {job.samples.sha256: file.getvalue()}
        self.library = SimpleNamespace(get=self.kept.__getitem__)

    def open(self):
        pass

    def keep(self, data):
        digest = f"{len(self.kept)}" * 64
        self.kept[digest] = data
        return digest

    def ask(self, message, *answers, limit):
        said = aim(AimSamples.read(message.frame()), self._bench).frame()
        assert sum(map(len, said.blobs.values())) <= limit
        return answers[0].read(said)


def done(job: JobSpec, desk: Desk, prepared: Preparation | None = None):
    """Units until all targets are known: those, what has been prepared by then, and what each unit gave up."""
    given_up = []
    while True:
        commit = supervise(lease(job, prepared), desk).commit
        prepared = Preparation.model_validate_json(commit.fields["prepared"])
        given_up += commit.given_up
        if not commit.goes_on:
            return known(lease(job, prepared), desk).tolist(), prepared, given_up


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("rule", ["least_likely", "runner_up", "random"])
def test_the_targets_are_those_that_the_driver_chooses_on_the_model(monkeypatch, rule, labelled):
    monkeypatch.setattr(aiming, "UNIT_ROWS", 2)
    job = asked_for(rule, labelled=labelled)
    desk = Desk(job)
    targets, prepared, _ = done(job, desk)
    scores = desk.model.scores(X[list(INDICES)])
    labels = Y[list(INDICES)] if labelled else scores.argmax(axis=1)
    assert targets == choose_targets(rule, labels, scores, None, CLASSES, INDICES, SEED)
    assert (prepared.queries, prepared.details) == (len(INDICES), {"aimed": len(INDICES)})


def test_the_surrogate_is_led_to_them_as_if_they_had_been_named():
    job = asked_for("runner_up")
    targets, _, _ = done(job, Desk(job))
    there = job.on_surrogate(tuple(targets))
    assert (there.targets, there.threat.goal_rule, there.is_aimed) == (tuple(targets), "given", False)
    assert job.on_surrogate().threat == job.threat, "where none were asked for"


def test_a_model_that_gives_labels_alone_is_asked_for_labels():
    job = asked_for("random", labelled=False, offers=(Access.LABELS,))
    desk = Desk(job)
    targets, _, _ = done(job, desk)
    labels = desk.model.labels(X[list(INDICES)])
    assert targets == choose_targets("random", labels, None, None, CLASSES, INDICES, SEED)


def test_what_was_learned_from_is_given_up_and_its_queries_are_counted_on(monkeypatch):
    monkeypatch.setattr(aiming, "UNIT_ROWS", 4)
    job = asked_for("runner_up", budget={"repeats": 3})
    targets, prepared, given_up = done(job, Desk(job), LEARNED)
    assert (len(targets), prepared.queries) == (len(INDICES), 12 + 3 * len(INDICES))
    assert prepared.details == {"rounds": 2, "aimed": len(INDICES)}
    assert given_up[0] == LEARNED.artifact and len(given_up) == 2


@pytest.mark.parametrize("lie", [np.zeros(1, np.int64), np.array([0, CLASSES]), np.array([0, -1])], ids=str)
def test_targets_that_cannot_be_are_not_believed(lie):
    SamplesAimed(targets=np.zeros(2, np.int64), seconds=0.1).check(samples=2, classes=CLASSES)
    with pytest.raises(FrameError):
        SamplesAimed(targets=lie, seconds=0.1).check(samples=2, classes=CLASSES)
