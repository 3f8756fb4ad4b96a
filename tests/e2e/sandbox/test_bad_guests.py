"""A runner that a model took over does not outlive what should end it, and one that is not shut in gets no model."""

import signal
import subprocess
import sys

import pytest

from tests.e2e.machine import is_alive
from tests.e2e.sandbox.attempt import NOBODY
from tests.e2e.sandbox.native import IS_KNOWN
from tests.e2e.sandbox.surroundings import CHECKOUT
from tests.e2e.sandbox.table import ENDINGS
from tests.e2e.sandbox.taken_over import begun, order
from tests.patience import until
from workers.messages import Fault
from workers.supervisor import deaths
from workers.supervisor.runner_process import RunnerDied

pytestmark = pytest.mark.skipif(not IS_KNOWN, reason="the model is machine code of x86-64")


def is_spinning(pid: int) -> bool:
    """It has ignored all that can be ignored, which is the last thing it does before."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        ignored = next(int(line.split()[1], 16) for line in status if line.startswith("SigIgn"))
    return ignored & 1 << (signal.SIGRTMAX - 1) > 0


def test_a_model_that_never_returns_and_hears_nothing_is_killed(tmp_path):
    process = begun("strict", "probe", tmp_path)
    process.wait_until_ready()
    order(process, "probe", ENDINGS["spin"], NOBODY)
    until(lambda: is_spinning(process.pid), what="a model at work")
    process.ask_to_cancel()
    process.close()
    assert not is_alive(process.pid)


def test_a_runner_dies_with_its_supervisor_though_the_model_lets_nobody_notice(tmp_path):
    command = [sys.executable, "-m", "tests.e2e.sandbox.holder", str(tmp_path)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        runner = int(supervisor.stdout.readline())
        until(lambda: is_spinning(runner), what="a model at work")
        supervisor.kill()
    until(lambda: not is_alive(runner), what="the end of an orphan")


@pytest.mark.parametrize(("how", "number"), [("abort", signal.SIGABRT), ("crash", signal.SIGSEGV)])
def test_a_runtime_that_ends_itself_is_still_told_from_one_that_was_killed(tmp_path, how, number):
    process = begun("strict", "probe", tmp_path)
    process.wait_until_ready()
    order(process, "probe", ENDINGS[how], NOBODY)
    with pytest.raises(RunnerDied) as death:
        process.receive(limit=0)
    process.close()
    assert death.value.returncode == -number
    assert deaths.by_exit(death.value.returncode).code == "model_fault"


def test_a_model_that_passes_its_limit_of_memory_is_told_so_and_the_runner_lives(tmp_path):
    process = begun("strict", "probe", tmp_path)
    process.wait_until_ready()
    for _ in range(2):
        order(process, "probe", ENDINGS["want_too_much_memory"], NOBODY)
        fault = Fault.read(process.receive(limit=0))
        assert fault.code == "model_fault"
        assert "memory" in fault.detail
    process.close()


def test_a_runner_that_is_shut_in_less_than_was_promised_gets_no_model(tmp_path):
    process = begun("strict", "probe", tmp_path, "laxer.py")
    with pytest.raises(RunnerDied) as death:
        process.wait_until_ready()
    process.close()
    assert not death.value.was_ready
    assert not is_alive(process.pid)
