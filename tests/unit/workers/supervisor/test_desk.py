"""What a supervisor says to a runner before it asks: the model once, and once what a job's chunks have in common."""

from typing import Any

import pytest

from jobs.work.lease import JobLease, Lease, ModelLease
from tests.jobs_for_tests import ready_card, samples_card, spec
from workers import messages
from workers.endings import Failed
from workers.frames import FrameError
from workers.messages import Fault, Message, ModelOpened, NotAccepted
from workers.supervisor.desk import SupervisorDesk, Unanswered

MODEL = ready_card()


class Facts(Message):
    """What all chunks of a job have in common."""

    kind = "facts"


class Known(Message):
    """They are known."""

    kind = "known"


class Runner:
    """Stands where a runner does: answers as it is told to, and remembers what it was asked."""

    def __init__(self, *answers: Message) -> None:
        self.is_open, self.begun = False, None
        self._answers = list(answers)
        self.asked: list[str] = []

    def send(self, frame: Any) -> None:
        self.asked.append(frame.kind)

    def receive(self, *, limit: int) -> Any:
        return self._answers.pop(0).frame()


def desk(
    runner: Any, *, job: str = "job_1", work: str = "run", chunk: int = 0, lease: Lease | None = None
) -> SupervisorDesk:
    known = {"tenant": "t", "subject_id": job, "work": work, "chunk": chunk, "fence": 1, "attempt": 1}
    lease = lease or JobLease(**known, spec=spec(MODEL, samples_card()), deadline=60.0)
    no: dict[str, Any] = {"store": None, "permission": None, "reserve": None, "keep": None}
    library: Any = {MODEL.sha256: b"model"}
    return SupervisorDesk(lease, runner=lambda: runner, library=library, device="cpu", **no)


def prepare(runner: Any, **about: Any) -> None:
    told = desk(runner, **about)
    told.open()
    told.begin(Facts, Known)


def test_chunks_of_a_job_on_one_runner_say_once_what_they_have_in_common() -> None:
    runner = Runner(ModelOpened(), Known())
    for chunk in range(3):
        prepare(runner, chunk=chunk)
    assert runner.asked == ["open", "facts"]


def test_another_job_on_the_same_model_begins_anew_and_so_does_the_first_after_it() -> None:
    runner = Runner(ModelOpened(), Known(), Known(), Known())
    for job in ("job_1", "job_2", "job_1"):
        prepare(runner, job=job)
    assert runner.asked == ["open", "facts", "facts", "facts"]


def test_another_stage_of_a_job_begins_anew_for_it_knows_more() -> None:
    runner = Runner(ModelOpened(), Known(), Known())
    for work in ("warm_up", "warm_up", "run", "run"):
        prepare(runner, work=work)
    assert runner.asked == ["open", "facts", "facts"]


def test_a_runner_that_could_not_open_the_model_has_not_got_it() -> None:
    runner = Runner(NotAccepted(code="model_invalid", detail="It is none."))
    with pytest.raises(Unanswered) as unanswered:
        prepare(runner)
    assert unanswered.value.ending == Failed("internal", "It is none.", retry=False)
    assert (runner.is_open, runner.begun) == (False, None)


def test_a_runner_that_could_not_begin_has_not_begun() -> None:
    runner = Runner(ModelOpened(), Fault(code="model_fault", detail="It crashed."))
    with pytest.raises(Unanswered) as unanswered:
        prepare(runner)
    assert unanswered.value.ending == Failed("model_fault", "It crashed.", retry=False)
    assert (runner.is_open, runner.begun) == (True, None)


def test_an_answer_out_of_turn_is_a_broken_protocol() -> None:
    with pytest.raises(FrameError, match="out of turn"):
        prepare(Runner(messages.Ready(isolation="strict", denied=())))


def about_model(deadline: float | None) -> ModelLease:
    known = {"tenant": "t", "subject_id": MODEL.id, "work": "inspect", "chunk": 0, "fence": 1, "attempt": 1}
    return ModelLease(**known, model=MODEL, deadline=deadline)


@pytest.mark.parametrize(
    ("lease", "counts"),
    [(None, True), (about_model(deadline=60.0), True), (about_model(deadline=None), False)],
    ids=["job", "work with an end", "work without"],
)
def test_no_runner_can_go_on_for_ever_by_saying_that_it_does(lease: ModelLease | None, counts: bool) -> None:
    said = messages.Progressed(samples_done=0, fraction=0.5, queries=1, gradients=0)
    told = desk(Runner(said, said, Known()), lease=lease)
    told.heard = 0.0
    told.ask(Facts(), Known)
    assert (told.heard > 0) is counts
    assert told.progress.fraction == 0.5
