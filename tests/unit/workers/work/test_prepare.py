"""What a runner says it has made of auxiliary samples is believed only where it can be; then the next unit goes on."""

import io
from time import monotonic
from types import SimpleNamespace

import numpy as np
import pytest

from jobs.admission.admission import admit
from jobs.spec import JobSpec
from jobs.summary import Preparation
from jobs.work.lease import JobLease
from models.named_arrays import unpacked
from models.training import autoencoder
from tests.jobs_for_tests import SHAPE, ready_card, request, samples_card
from workers import frames
from workers.endings import Failed
from workers.frames import FrameError
from workers.runner.answering import answered
from workers.work.prepare import UNIT_SECONDS, JobPrepared, PrepareJob, prepare, supervise

COUNT, FEATURES = 20, int(np.prod(SHAPE))
X = np.random.default_rng(0).random((COUNT, *SHAPE), np.float32)
METHOD = {"name": "hopskipjump", "directions": "spanning"}


def asked_for(**method: object) -> JobSpec:
    """Twenty auxiliary samples of four features."""
    model, samples = ready_card(), samples_card(count=COUNT)
    return admit(request(model, samples, method=METHOD | method), model, samples, auxiliary=samples)


def npz(x: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, x=x)
    return file.getvalue()


def lease(job: JobSpec, prepared: Preparation | None = None) -> JobLease:
    right = {"tenant": "t", "subject_id": "job_1", "work": "prepare", "chunk": 0, "fence": 1, "attempt": 1}
    return JobLease(**right, spec=job, prepared=prepared, deadline=monotonic() + 1000)


class Desk:
    """Keeps what it is given under its number, and answers by a function."""

    def __init__(self, answer) -> None:
        self.kept = {}
        self.library = SimpleNamespace(get=lambda digest: self.kept.get(digest) or npz(X))
        self._answer = answer
        self.asked = []

    def keep(self, data):
        digest = f"{len(self.kept)}" * 64
        self.kept[digest] = data
        return digest

    def ask(self, message, *answers, limit):
        self.asked.append(PrepareJob.read(message.frame()))
        said = self._answer(self.asked[-1]).frame()
        assert sum(map(len, said.blobs.values())) <= limit
        return next(answer for answer in answers if answer.kind == said.kind).read(said)


def said(basis, **fields):
    return JobPrepared.read(
        frames.with_arrays(
            JobPrepared.kind, {"made.basis": basis}, seconds=1.0, **{"is_whole": True, "told": {}} | fields
        )
    )


@pytest.mark.parametrize(("indices", "warned"), [([1, 2], ()), ([2, 0], ("auxiliary_overlap",))])
def test_a_selected_row_that_is_learned_from_too_is_warned_of(indices, warned):
    """The upload under audit begins with one auxiliary row, a zero of it written as -0."""
    under_audit, others = X.copy(), X + 1
    others[0], under_audit[0] = X[0], X[0]
    others[0, 0, 0, 0], under_audit[0, 0, 0, 0] = 0.0, -0.0
    model, audited, learned = ready_card(), samples_card(count=COUNT), samples_card(count=COUNT, bytes_of="c")
    asked = request(model, audited, method=METHOD, samples={"indices": indices})
    desk = Desk(lambda asked: prepare(asked, None))
    desk.kept |= {audited.sha256: npz(under_audit), learned.sha256: npz(others)}
    job = admit(asked, model, audited, auxiliary=learned)
    kept = Preparation.model_validate_json(supervise(lease(job), desk).commit.fields["prepared"])
    assert kept.warnings == warned


def test_a_basis_of_the_samples_is_kept_and_ends_the_stage():
    desk = Desk(lambda asked: prepare(asked, None))
    commit = supervise(lease(asked_for()), desk).commit
    kept = Preparation.model_validate_json(commit.fields["prepared"])
    assert (commit.digests, commit.goes_on, commit.given_up) == ((kept.artifact,), False, ())
    (asked,) = desk.asked
    np.testing.assert_array_equal(asked.x, X)
    assert asked.ends <= monotonic() + UNIT_SECONDS
    basis = unpacked(desk.kept[kept.artifact], asked_for().wanted.arrays(SHAPE, COUNT))["basis"]
    np.testing.assert_allclose(basis @ basis.T, np.eye(FEATURES), atol=1e-6)


class Cut:
    """A bench that ends a unit after so many steps."""

    def __init__(self, steps: int) -> None:
        self._steps, self._left, self.shares = steps, steps, []

    def pause(self, share, _ends):
        self.shares.append(share)
        self._left -= 1
        if self._left < 0:
            self._left = self._steps
            return "budget"
        return None


def made_of(job: JobSpec, steps: int) -> tuple[list[Preparation], list, Cut, Desk]:
    bench, units, commits = Cut(steps), [None], []
    desk = Desk(lambda asked: prepare(asked, bench))
    while not commits or commits[-1].goes_on:
        commits.append(supervise(lease(job, units[-1]), desk).commit)
        units.append(Preparation.model_validate_json(commits[-1].fields["prepared"]))
    return units[1:], commits, bench, desk


def test_a_decoder_is_trained_in_units_to_the_same_bytes_however_it_is_cut(monkeypatch):
    monkeypatch.setattr(autoencoder, "STEPS_IN_ALL", 30)
    job = asked_for(directions="decoder")
    (whole,), _, _, once = made_of(job, 1000)
    units, commits, bench, desk = made_of(job, 12)
    assert [commit.given_up for commit in commits] == [(), (units[0].artifact,), (units[1].artifact,)]
    assert bench.shares == sorted(bench.shares)
    assert desk.kept[units[-1].artifact] == once.kept[whole.artifact]
    assert units[-1].seconds >= units[0].seconds
    assert units[-1].details == whole.details
    assert set(whole.details) == {"reconstruction_error", "spread"}
    assert unpacked(desk.kept[units[-1].artifact], job.wanted.arrays(SHAPE, COUNT)).keys() == {"decoder.0", "decoder.1"}


def test_a_decoder_is_trained_by_workers_of_uploads_also_of_an_endpoint():
    trained, spanned = (
        asked_for(directions=kind).model_copy(update={"queue": "probe"}) for kind in ("decoder", "spanning")
    )
    assert (trained.queue_of("prepare"), trained.queue_of("run")) == ("compute", "probe")
    assert spanned.queue_of("prepare") == "probe"


@pytest.mark.parametrize(
    "basis",
    [
        np.zeros((1, FEATURES - 1)),
        np.zeros((FEATURES + 1, FEATURES)),
        np.zeros((0, FEATURES)),
        np.full((1, FEATURES), np.nan),
        np.full((1, FEATURES), np.inf),
        np.zeros(FEATURES),
        np.zeros(()),
        np.eye(FEATURES, dtype=int),
    ],
    ids=["of other samples", "too many", "empty", "no number", "infinite", "a vector", "a number", "integers"],
)
def test_a_basis_that_cannot_be_one_is_not_believed(basis):
    desk = Desk(lambda _: said(basis))
    with pytest.raises((FrameError, AssertionError)):
        supervise(lease(asked_for()), desk)
    assert desk.kept == {}


@pytest.mark.parametrize(
    "fields",
    [{"is_whole": False}, {"told": {"error": float("nan")}}, {"told": {"error": "small"}}, {"is_whole": 2}],
    ids=str,
)
def test_what_else_such_an_answer_cannot_say_is_not_believed(fields):
    with pytest.raises(FrameError):
        supervise(lease(asked_for()), Desk(lambda _: said(np.eye(1, FEATURES), **fields)))


def test_an_answer_without_a_basis_is_not():
    nothing = JobPrepared(made={}, is_whole=True, told={}, seconds=1.0)
    with pytest.raises(FrameError):
        supervise(lease(asked_for()), Desk(lambda _: nothing))


def test_samples_that_span_less_than_the_rank_end_the_job_with_what_to_do():
    desk = Desk(lambda asked: answered(lambda _: prepare(asked, None), None))
    desk.library = SimpleNamespace(get=lambda _: npz(np.concatenate([X[:1]] * COUNT)))
    ending = supervise(lease(asked_for(subspace="top", rank=2)), desk)
    assert ending == Failed(
        "invalid_request",
        "The auxiliary samples span 1 dimensions, and 2 are asked for: set rank to 1 or less, or upload samples that "
        "differ more.",
        retry=False,
    )
