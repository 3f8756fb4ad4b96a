"""How long a supervisor waits for a runner that waits for an endpoint, and whose fault it is when that was too long."""

from time import monotonic

import pytest

from models.cards import TRIES
from tests.unit.workers.test_permits import lease
from workers.frames import Frame
from workers.supervisor import supervisor
from workers.supervisor.runner_process import RunnerDied
from workers.supervisor.supervisor import INSPECTION_SECONDS, Supervisor
from workers.supervisor.work import Work


class Runner:
    """Stands where a runner does: wants turns, then makes progress, then is done."""

    def __init__(self):
        self.said = [Frame("turns", {"calls": 1, "hold": 0.0}), Frame("progress"), Frame("done")]
        self.heard = []

    def send(self, frame):
        self.heard.append(frame)

    def receive(self, *, limit):
        return self.said.pop(0)


class Ended:
    reason = "timeout"


def work(granted):
    no = {"library": None, "permit": None, "keep": None, "device": "cpu", "isolation": "none"}
    return Work(lease(), reserve=lambda endpoint, calls, hold: granted, **no)


def test_a_runner_that_was_told_to_wait_is_not_silent_for_as_long():
    asked, runner = work(300.0), Runner()
    asked._ask(runner, Frame("inspect"))
    assert runner.heard[-1] == Frame("granted", {"seconds": 300.0})
    assert asked.heard == pytest.approx(monotonic() + 300, abs=5)


@pytest.mark.parametrize("endpoint", [True, False])
def test_an_inspection_may_wait_for_the_slowest_request_that_its_limits_allow(endpoint):
    about = lease(endpoint=endpoint)
    slowest = TRIES * about.model.endpoint.limits.timeout_seconds if endpoint else 0
    assert Supervisor._patience(None, about) == INSPECTION_SECONDS + slowest


@pytest.mark.parametrize("stage", ["inspect", "run"])
@pytest.mark.parametrize(("endpoint", "code"), [(True, "endpoint_unavailable"), (False, "model_fault")])
def test_a_runner_that_waited_for_an_endpoint_for_too_long_is_the_endpoints_fault(stage, endpoint, code):
    about = lease(endpoint=endpoint).model_copy(update={"work": stage})
    ending = supervisor._after_death(RunnerDied(-9, "", was_ready=True), Ended(), about, 90.0)
    assert (ending.code, getattr(ending, "retry", False)) == (code, False)
    assert "90 s" in ending.detail
