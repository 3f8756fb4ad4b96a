"""Who is struck, and what becomes of a sitting that fails: nobody else, and it ends at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.e2e.machine import is_alive, state_of
from tests.faults.caller import Abandoned, Caller
from tests.faults.history import History
from tests.faults.places import WORDS, is_at, pids
from tests.hold import hold
from tests.patience import PATIENCE_SECONDS, until
from tests.ports import free_port

SLEEPER = (sys.executable, "-c", "import time; time.sleep(3600)")
PLACES = [*WORDS, "valkey"]


@contextmanager
def sleeper(*words):
    process = subprocess.Popen([*SLEEPER, *words])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("place", PLACES)
def test_a_process_that_is_ending_is_nowhere(place):
    with sleeper() as process:
        process.kill()
        until(lambda: state_of(process.pid) == "Z", what="an end that nobody has collected")
        assert Path(f"/proc/{process.pid}/cmdline").read_bytes() == b""
        assert not is_at(process.pid, place)


def test_an_installation_is_told_from_its_neighbors_by_who_began_it():
    with sleeper("service.main") as api, sleeper("service.main") as other:
        both = {api.pid, other.pid}  # their command lines may be readable a moment after they have begun
        until(lambda: set(pids([os.getpid()], "api")) >= both, what="both to be seen")
        assert pids([other.pid], "api") == []


def test_who_is_held_is_struck():
    with sleeper() as process, hold(process.pid, is_alive) as send:
        send(signal.SIGKILL)
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        with pytest.raises(ProcessLookupError):
            send(signal.SIGKILL)


def test_another_process_that_has_the_number_by_now_is_not():
    with sleeper() as stranger:
        with pytest.raises(ProcessLookupError), hold(stranger.pid, lambda pid: False) as send:
            send(signal.SIGKILL)
        assert stranger.poll() is None


def test_a_call_is_given_up_as_soon_as_the_sitting_has_failed(tmp_path):
    nowhere = SimpleNamespace(url=f"http://127.0.0.1:{free_port()}", api_key="nobody's")
    failed = threading.Event()
    threading.Timer(0.5, failed.set).start()
    began = time.monotonic()
    with (
        closing(History(tmp_path / "history.jsonl")) as history,
        Caller(nowhere, history, failed) as caller,
        pytest.raises(Abandoned),
    ):
        caller.ask("GET", "/v1/jobs")
    assert time.monotonic() - began < PATIENCE_SECONDS / 2
