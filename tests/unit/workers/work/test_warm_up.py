"""A few rows of a job are attacked before its chunks, unit by unit; what they show is believed only where it can be."""

import io
import re
from time import monotonic
from types import SimpleNamespace

import numpy as np
import pytest

from algorithms.artifacts.warm_up import CLASSES, EARNED, MOST_MOVES, SHARE, WAYS, declared
from algorithms.seam.access import Access
from jobs.admission.admission import admit
from jobs.spec import JobSpec
from jobs.summary import Preparation
from jobs.work.lease import JobLease
from models.named_arrays import unpacked
from tests.jobs_for_tests import CLASSES as LABELS
from tests.jobs_for_tests import SHAPE, ready_card, request, samples_card
from tests.truths import Constant, Linear
from workers.frames import FrameError
from workers.outcomes import ChunkDone
from workers.work.run import BeginJob, RunChunk, begin, run
from workers.work.warm_up import supervise

X = np.random.default_rng(0).random((48, *SHAPE), np.float32)


def job(warm_queries=100, budget=1000, count=len(X), queue="compute", limits=None, **method) -> JobSpec:
    model, samples = ready_card(), samples_card(count=count)
    asked = {"name": "decision", "initial_directions": 10, "warm_queries": warm_queries, **method}
    budgets = {"queries_per_sample": budget, **(limits or {})}
    spec = admit(request(model, samples, method=asked, budget=budgets), model, samples)
    return spec.model_copy(update={"queue": queue})


class Desk:
    """Keeps what it is given under its number, and runs chunks on a linear model in this process."""

    def __init__(self, model=None) -> None:
        self.kept, self.chunks, self.asked = {}, 0, []
        rng = np.random.default_rng(3)
        self.model = model or Linear(rng.normal(size=(LABELS, int(np.prod(SHAPE)))), np.zeros(LABELS), shape=SHAPE)
        self.model.offers = {Access.LABELS: self.model}
        self.library = SimpleNamespace(get=lambda digest: self.kept.get(digest) or npz(X))
        told = {"http_calls": 0, "device": "cpu", "computed_with": {}, "checkpoint": lambda ends: lambda progress: None}
        self._bench = SimpleNamespace(model=self.model, **told)

    def open(self):
        pass

    def keep(self, data):
        digest = f"{len(self.kept):x}" * 64
        self.kept[digest] = data
        return digest

    def begin(self, facts, answer):
        begin(BeginJob.read(facts().frame()), self._bench)

    def ask(self, message, *answers, limit):
        self.chunks += 1
        self.asked.append(message)
        said = self.said(run(RunChunk.read(message.frame()), self._bench))
        return answers[0].read(said.frame())

    def said(self, answer: ChunkDone) -> ChunkDone:
        return answer


def npz(x: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, x=x)
    return file.getvalue()


def lease(spec: JobSpec, prepared: Preparation | None = None) -> JobLease:
    right = {"tenant": "t", "subject_id": "job_1", "work": "warm_up", "chunk": 0, "fence": 1, "attempt": 1}
    return JobLease(**right, spec=spec, prepared=prepared, deadline=monotonic() + 1000)


def done(spec: JobSpec, desk: Desk) -> Preparation:
    """All units, one after the other."""
    prepared = None
    while True:
        commit = supervise(lease(spec, prepared), desk).commit
        prepared = Preparation.model_validate_json(commit.fields["prepared"])
        if not commit.goes_on:
            return prepared


def read(spec: JobSpec, desk: Desk, prepared: Preparation):
    return unpacked(desk.kept[prepared.artifact], declared(SHAPE, len(spec.warm_up)))


def test_ways_lead_to_points_of_another_class_and_their_queries_are_charged_to_all_rows():
    spec, desk = job(), Desk()
    prepared = done(spec, desk)
    known = read(spec, desk, prepared)
    assert spec.warm_up == (0, 8, 16, 24, 32, 40)
    assert (len(known[WAYS]), desk.chunks, prepared.details) == (6, 2, {"samples": 6.0})
    rows = X[list(spec.warm_up)]
    np.testing.assert_array_equal(known[CLASSES][:, 0], desk.model.labels(rows))
    np.testing.assert_array_equal(known[CLASSES][:, 1], desk.model.labels(rows + known[WAYS]))
    assert (known[CLASSES][:, 0] != known[CLASSES][:, 1]).all()
    assert 0 < prepared.queries <= 6 * 100
    assert known[SHARE].tolist() == [-(-prepared.queries // 48)]
    assert known[EARNED].shape == (6, MOST_MOVES) and known[EARNED].any()


def test_however_it_is_cut_the_artifact_is_the_same():
    one, many = Desk(), Desk()
    whole, cut = done(job(), one), done(job(queue="probe"), many)
    assert (one.chunks, many.chunks) == (2, 6)
    assert one.kept[whole.artifact] == many.kept[cut.artifact]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer.model_copy(update={"x": answer.x * np.float32(np.nan)}),
        lambda answer: answer.model_copy(update={"findings": answer.findings.replace(b'"read_as":', b'"as":')}),
        lambda answer: answer.model_copy(update={"findings": answer.findings.replace(b'"full":', b'"full":-1,"x":')}),
        lambda answer: answer.model_copy(
            update={"findings": answer.findings.replace(b'"earned":', b'"earned":3,"x":')}
        ),
        *(
            lambda answer, said=said: answer.model_copy(
                update={"findings": answer.findings.replace(b'"read_as":', b'"read_as":%s,"as":' % said)}
            )
            for said in (b"1%s" % (b"0" * 30), b"null", b'"cat"', b"[1]", b"{}")
        ),
        *(
            lambda answer, said=said: answer.model_copy(
                update={"findings": re.sub(rb'"queries":\d+', b'"queries":%s' % said, answer.findings)}
            )
            for said in (b"-1", b"101", b"1%s" % (b"0" * 30))
        ),
    ],
    ids=["no numbers", "no class", "below nothing", "no moves"]
    + ["class " + of for of in ("too large", "null", "text", "list", "map")]
    + ["queries " + of for of in ("below none", "beyond the budget", "beyond all")],
)
def test_what_cannot_be_is_not_believed(spoil):
    class Spoiled(Desk):
        def said(self, answer):
            return spoil(answer)

    with pytest.raises(FrameError):
        done(job(), Spoiled())


@pytest.mark.parametrize(
    "few",
    [{"count": 7}, {"warm_samples": 0}, {"budget": 199}, {"limits": {"repeats": 7}}],
    ids=["samples", "asked for", "queries", "queries for one estimate"],
)
def test_without_enough_of_everything_there_is_no_such_stage(few):
    assert [work for work, _ in job(**few).stages] == ["run"]
    assert [work for work, _ in job().stages] == ["warm_up", "run"]


def test_on_a_surrogate_it_begins_by_itself():
    model, samples = ready_card(), samples_card(count=48)
    other = ready_card(id="mdl_other")
    asked = request(model, samples, method={"name": "transfer", "attack": "decision"}, surrogate_model_id=other.id)
    spec = admit(asked, model, samples, surrogate=other)
    assert [work for work, _ in spec.stages] == ["surrogate", "run"]
    assert not spec.on_surrogate().warm_up


def test_targets_stay_with_their_rows():
    model, samples = ready_card(), samples_card(count=48)
    goal = {"norm": "l2", "goal": {"targeted": [row % LABELS for row in range(48)]}}
    method = {"name": "decision", "warm_queries": 100}
    spec = admit(request(model, samples, method=method, threat=goal), model, samples)
    assert spec.warming().targets == tuple(row % LABELS for row in spec.warm_up)


def test_rows_that_are_asked_several_times_are_charged_as_often():
    spec, desk = job(limits={"repeats": 3}), Desk()
    prepared = done(spec, desk)
    assert prepared.queries == desk.model.queries == 3 * (prepared.queries // 3)
    assert len(read(spec, desk, prepared)[WAYS]) == 6


def test_a_unit_that_was_lost_is_made_again_to_the_bit():
    spec, desk = job(), Desk()
    first = Preparation.model_validate_json(supervise(lease(spec), desk).commit.fields["prepared"])
    for _ in range(2):
        again = supervise(lease(spec, first), desk).commit
        assert not again.goes_on and again.given_up == (first.artifact,)
    one, other = list(desk.kept)[-2:]
    assert one != other and desk.kept[one] == desk.kept[other] != desk.kept[first.artifact]


def test_without_a_budget_the_warm_up_has_its_own():
    spec, desk = job(budget=None), Desk()
    assert 0 < done(spec, desk).queries <= 6 * 100
    assert spec.stages[0] == ("warm_up", 1)


def test_where_nothing_is_found_nothing_is_shown_and_all_is_charged():
    desk = Desk(Constant(np.arange(LABELS, dtype=np.float64), SHAPE))
    prepared = done(job(), desk)
    known = read(job(), desk, prepared)
    assert [len(known[name]) for name in (WAYS, CLASSES, EARNED)] == [0, 0, 0]
    assert known[SHARE].tolist() == [-(-prepared.queries // 48)] and prepared.queries == desk.model.queries


def test_it_takes_no_more_than_its_part_of_the_jobs_seconds():
    """Four of 54 samples to be worked on: six that show the way, and all forty-eight."""
    desk = Desk()
    supervise(lease(job(limits={"seconds": 1000})), desk)
    assert desk.asked[0].ends - monotonic() <= 1000 * 4 / 54
