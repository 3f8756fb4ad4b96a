"""How long a supervisor waits for a runner that waits for an endpoint, and whose fault it is when that was too long."""

import os
import signal
from time import monotonic
from types import SimpleNamespace

import pytest

from jobs.installation.settings import Settings
from jobs.work.lease import JobLease
from models.cards import TRIES
from tests.jobs_for_tests import ready_card, samples_card, spec
from tests.patience import PATIENCE_SECONDS
from tests.unit.workers.supervisor.test_permits import lease
from workers.endings import ModelRefused
from workers.frames import FrameError
from workers.messages import AboutModel, Message, Progressed, TurnsAsked, TurnsGranted
from workers.supervisor import supervisor
from workers.supervisor.desk import SupervisorDesk
from workers.supervisor.runner_process import RunnerDied
from workers.supervisor.supervisor import Supervisor


class Inspecting(AboutModel):
    kind = "inspect"


class Over(Message):
    kind = "over"


class Runner:
    """Stands where a runner does: wants turns, then makes progress, then is done."""

    def __init__(self, calls=1):
        progress = Progressed(samples_done=0, fraction=0.0, queries=0, gradients=0)
        self.said = [TurnsAsked(calls=calls, hold=0.0).frame(), progress.frame(), Over().frame()]
        self.heard = []

    def send(self, frame):
        self.heard.append(frame)

    def receive(self, *, limit):
        return self.said.pop(0)


class Started:
    """Stands where a runner does that is to be given its processor time."""

    def wait_until_ready(self):
        pass

    def allow_cpu(self, seconds):
        self.allowed = seconds

    def seconds_in_line(self):
        return 0.0


class Ended:
    reason = "timeout"


ALIVE = SimpleNamespace(reason=None)


def station(runner, **settings):
    """What a supervisor knows when it starts a runner."""
    here = SimpleNamespace(_runners=SimpleNamespace(holding=lambda key: runner), _settings=Settings(**settings))
    here._processor_seconds = lambda *asked: Supervisor._processor_seconds(here, *asked)
    return here


def desk(runner, *, endpoint=True):
    no = {"store": None, "permission": None, "keep": None, "device": "cpu"}
    about = lease(endpoint=endpoint)
    library = {about.model.sha256: b""}
    return SupervisorDesk(
        about, runner=lambda: runner, library=library, reserve=lambda endpoint, calls, hold: 300.0, **no
    )


def test_a_runner_that_was_told_to_wait_is_not_silent_for_as_long():
    runner = Runner()
    asking, began = desk(runner), monotonic()
    asking.ask(asking.about_model(Inspecting), Over)
    assert runner.heard[-1] == TurnsGranted(seconds=300.0).frame()
    assert began + 300 <= asking.heard <= monotonic() + 300


@pytest.mark.parametrize(("endpoint", "calls"), [(True, 6), (False, 1)], ids=["above the burst", "of no endpoint"])
def test_turns_that_there_cannot_be_are_not_granted(endpoint, calls):
    asking = desk(Runner(calls), endpoint=endpoint)
    with pytest.raises(FrameError):
        asking.ask(asking.about_model(Inspecting), Over)


@pytest.mark.parametrize("endpoint", [True, False])
def test_an_inspection_may_wait_for_the_slowest_request_that_its_limits_allow(endpoint):
    about = lease(endpoint=endpoint)
    slowest = TRIES * about.model.endpoint.limits.timeout_seconds if endpoint else 0
    here = SimpleNamespace(_settings=Settings(answer_seconds=60, inspect_seconds=1000))
    assert Supervisor._patience(here, about) == 60 + slowest


@pytest.mark.parametrize("seconds_left", [None, 5000.0], ids=["as long as it may be silent", "until its deadline"])
def test_work_on_a_model_has_processor_time_for_all_its_time(seconds_left):
    runner, watch = Started(), SimpleNamespace(guard=lambda runner, *, seconds, excused=None: None)
    deadline = None if seconds_left is None else monotonic() + seconds_left
    about = lease(endpoint=False).model_copy(update={"deadline": deadline, "work": "run"})
    Supervisor._runner(station(runner), about, watch, 60.0)
    seconds = runner.allowed / (os.cpu_count() or 1) - supervisor.CPU_GRACE_SECONDS
    most = seconds_left or 60.0
    assert most - PATIENCE_SECONDS < seconds <= most


def test_an_inspection_has_its_own_processor_time_and_whoever_passes_it_is_refused_once():
    runner, watch = Started(), SimpleNamespace(guard=lambda runner, *, seconds, excused=None: None)
    about, here = lease(endpoint=False), station(runner, inspect_seconds=7)
    Supervisor._runner(here, about, watch, 60.0)
    assert runner.allowed == 7
    ending = Supervisor._beyond_limit(here, RunnerDied(-signal.SIGXCPU, "", was_ready=True), ALIVE, about)
    assert isinstance(ending, ModelRefused) and ending.code == "model_too_complex"
    assert "7 s of processor time" in ending.detail and "BRINELL_INSPECT_SECONDS" in ending.detail
    for other in (RunnerDied(-signal.SIGKILL, "", was_ready=True), FrameError("nonsense")):
        assert Supervisor._beyond_limit(here, other, ALIVE, about) is None


def test_an_inspection_that_uses_no_processor_ends_by_the_clock_and_is_no_finding():
    about = lease(endpoint=False)
    here = SimpleNamespace(_settings=Settings(inspect_seconds=7))
    here._patience = lambda about: Supervisor._patience(here, about)
    assert here._patience(about) == 14
    killed = RunnerDied(-signal.SIGKILL, "", was_ready=True)
    ending = Supervisor._beyond_limit(here, killed, Ended(), about)
    assert isinstance(ending, ModelRefused) and ending.code == "model_invalid" and "14 s by the clock" in ending.detail
    assert Supervisor._beyond_limit(here, RunnerDied(-9, "", was_ready=False), Ended(), about) is None
    assert Supervisor._beyond_limit(here, killed, Ended(), lease(endpoint=True)) is None


@pytest.mark.parametrize("stage", ["inspect", "run"])
@pytest.mark.parametrize(("endpoint", "code"), [(True, "endpoint_unavailable"), (False, "model_fault")])
def test_a_runner_that_waited_for_an_endpoint_for_too_long_is_the_endpoints_fault(stage, endpoint, code):
    about = lease(endpoint=endpoint)
    if stage == "run":
        model = ready_card(kind=about.model.kind, endpoint=about.model.endpoint)
        known = about.model_dump(include={"tenant", "subject_id", "chunk", "fence", "attempt"})
        about = JobLease(**known, work="run", spec=spec(model, samples_card()), deadline=60.0)
    ending = supervisor._after_death(RunnerDied(-9, "", was_ready=True), Ended(), about, 90.0)
    assert (ending.code, getattr(ending, "retry", False)) == (code, False)
    assert "90 s" in ending.detail
