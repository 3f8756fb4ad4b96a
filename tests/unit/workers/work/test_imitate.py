"""What a runner says it has trained or chosen is believed only where it can be; then the next round has its rows."""

from types import SimpleNamespace

import numpy as np
import pytest

from algorithms.artifacts.answered import HELD_OUT, LABELS, ROWS, SCORES
from jobs.summary import Preparation
from jobs.work.lease import JobLease
from models.cards import ModelCard
from models.named_arrays import packed
from models.onnx.imitation import fitting
from models.onnx.opening import inspect_model
from tests.jobs_for_tests import CLASSES, SHAPE, ready_card
from tests.unit.workers.work import test_query as asking
from workers.frames import FrameError
from workers.work.imitate import Imitate, imitate, supervise

HELD, SEEDS, MORE = asking.HELD, asking.SEEDS, 2
X = asking.X
BENCH = SimpleNamespace(
    tell=lambda fraction: None,
    inspect=lambda about: inspect_model(about.card, about.model, device="cpu"),
)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr(fitting, "STEPS", 5)


class Desk(asking.Desk):
    """A desk whose runner is this process, and may lie."""

    def __init__(self, lie=None) -> None:
        super().__init__()
        self._lie = lie or {}
        self.asked = []

    def ask(self, message, *answers, limit):
        self.asked.append(Imitate.read(message.frame()))
        said = imitate(self.asked[-1], BENCH).model_copy(update=self._lie).frame()
        assert sum(map(len, said.blobs.values())) <= limit
        return answers[0].read(said)


def lease(desk: Desk, *, rounds: int, trained: int = 0, **told: float) -> JobLease:
    """The lease of a job with so many rounds of new rows, of which so many have passed."""
    job = asking.asked_for("labels", "scores")
    job = job.model_copy(update={"rounds": (len(X), *(MORE for _ in range(rounds)))})
    known = {
        ROWS: X,
        LABELS: np.arange(len(X), dtype=np.int64) % CLASSES,
        SCORES: np.where(np.arange(CLASSES) == np.arange(len(X))[:, None] % CLASSES, 0, -1).astype(np.float32),
        HELD_OUT: np.array([HELD], np.int64),
    }
    told |= {"rounds": trained} if trained else {}
    before = Preparation(artifact=desk.keep(packed(known)), queries=len(X), seconds=1.0, details=told)
    return asking.lease(job, before).model_copy(update={"work": "imitate"})


def test_new_rows_are_left_to_the_next_query_with_all_that_was_answered() -> None:
    desk = Desk()
    asked = lease(desk, rounds=1)
    commit = supervise(asked, desk).commit
    made = Preparation.model_validate_json(commit.fields["prepared"])
    known = asking.read(asked.spec, desk, made)
    assert known[ROWS][: len(X)].tobytes() == X.tobytes()
    assert (len(known[ROWS]), len(known[LABELS])) == (len(X) + MORE, len(X))
    assert (made.queries, made.details["rounds"], made.details["learned_rows"]) == (len(X), 1, SEEDS)
    assert 0 <= made.details["agreement"] <= 1
    assert commit.given_up == (asked.prepared.artifact,)


def test_no_agreement_is_told_where_nothing_was_held_out() -> None:
    desk = Desk()
    asked = lease(desk, rounds=1)
    known = dict(asking.read(asked.spec, desk, asked.prepared)) | {HELD_OUT: np.zeros(1, np.int64)}
    desk.kept[asked.prepared.artifact] = packed(known)
    told = Preparation.model_validate_json(supervise(asked, desk).commit.fields["prepared"]).details
    assert (told["held_out"], "agreement" in told) == (0, False)


def test_a_repeated_unit_leaves_the_same_bytes() -> None:
    one, two = Desk(), Desk()
    first, second = (supervise(lease(desk, rounds=1), desk).commit for desk in (one, two))
    kept = [Preparation.model_validate_json(c.fields["prepared"]).artifact for c in (first, second)]
    assert one.kept[kept[0]] == two.kept[kept[1]]


def test_the_design_of_the_first_round_is_that_of_all() -> None:
    desk = Desk()
    asked = lease(desk, rounds=1)
    made = Preparation.model_validate_json(supervise(asked, desk).commit.fields["prepared"])
    chosen = made.details["convolutions"]
    supervise(lease(desk, rounds=1, trained=1, convolutions=chosen), desk)
    assert [message.convolutions for message in desk.asked] == [None, chosen]


def test_the_last_round_hands_over_a_model_with_a_card() -> None:
    desk = Desk()
    commit = supervise(lease(desk, rounds=1, trained=1), desk).commit
    card = ModelCard.model_validate_json(commit.fields["substitute"])
    assert (card.state, card.input.shape, card.output.classes) == ("ready", SHAPE, CLASSES)
    assert (commit.digests, desk.asked[0].wanted) == ((card.sha256,), 0)
    assert desk.kept[card.sha256][:1]
    assert card.endpoint is None


def test_classes_keep_the_names_by_which_labels_are_read() -> None:
    desk = Desk()
    asked = lease(desk, rounds=0)
    named = asked.spec.model.model_copy(update={"classes_named": ("a", "b", "c")})
    asked = asked.model_copy(update={"spec": asked.spec.model_copy(update={"model": named})})
    card = ModelCard.model_validate_json(supervise(asked, desk).commit.fields["substitute"])
    assert card.classes_named == ("a", "b", "c")


def test_held_out_rows_teach_nothing() -> None:
    """Their labels may be any: the substitute is the same."""
    asked = []
    for shift in (0, 1):
        desk = Desk()
        supervise(lease(desk, rounds=1), desk)
        message = desk.asked[0]
        labels = message.labels.copy()
        labels[:HELD] = (labels[:HELD] + shift) % CLASSES
        asked.append(imitate(message.model_copy(update={"labels": labels}), BENCH))
    assert asked[0].rows.tobytes() == asked[1].rows.tobytes()


OTHER = inspect_model(ready_card(), (asking.ROOT / "examples/digits/model.onnx").read_bytes(), device="cpu")
LIES = {
    "more rows than were wanted": (1, {"rows": np.zeros((MORE + 1, *SHAPE), np.float32)}),
    "rows of another shape": (1, {"rows": np.zeros((1, 9), np.float32)}),
    "rows outside the box": (1, {"rows": np.full((1, *SHAPE), 2, np.float32)}),
    "no numbers": (1, {"rows": np.full((1, *SHAPE), np.nan, np.float32)}),
    "a model too early": (1, {"inspection": OTHER}),
    "no model at last": (0, {"inspection": None}),
    "a model of other classes": (0, {"inspection": OTHER}),
    "another design than before": (0, {"convolutions": 7}),
    "more than all agree": (1, {"agreement": 1.5}),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_cannot_be_is_not_believed(lie) -> None:
    rounds, said = LIES[lie]
    desk = Desk(said)
    with pytest.raises(FrameError):
        supervise(lease(desk, rounds=rounds, convolutions=0), desk)
