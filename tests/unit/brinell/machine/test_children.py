"""Children that are kept running, and that never outlive us. Real processes, all of them `sh` or `python`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from brinell.machine.children import Child, Program
from tests.patience import PATIENCE_SECONDS, until


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0]
    except FileNotFoundError:
        return None


def _is_alive(pid):
    return _state(pid) not in ("Z", None)


@pytest.fixture
def start(tmp_path):
    children = []

    def start(script, *, grace_seconds=PATIENCE_SECONDS, standard_input=b""):
        program = Program("sleeper", ["sh", "-c", script], os.environ, tmp_path, grace_seconds, standard_input)
        child = Child(program, tmp_path / "log", lambda _: None)
        children.append(child)
        child.start()
        return child

    yield start
    for child in children:
        child.stop()


def _pids(folder):
    log = folder / "log"
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def test_a_child_that_dies_is_started_again(start, tmp_path):
    start("echo $$; exec sleep 3600")
    until(lambda: _pids(tmp_path), what="the child")
    os.kill(_pids(tmp_path)[0], signal.SIGKILL)
    until(lambda: len(_pids(tmp_path)) == 2, what="the child")
    assert _is_alive(_pids(tmp_path)[1])


def test_a_child_that_cannot_live_is_hopeless_and_its_last_words_are_kept(start):
    child = start("echo cannot find my hat >&2; exit 3")
    until(lambda: child.is_hopeless, what="the child")
    assert child.last_words() == "cannot find my hat"


def test_a_child_that_ends_for_how_things_are_set_up_is_not_started_again(start, tmp_path):
    child = start(f"echo once >> {tmp_path}/lives; echo not with this Redis >&2; exit 78")
    until(lambda: child.is_hopeless, what="the child")
    assert child.last_words() == "not with this Redis"
    child.stop()
    assert (tmp_path / "lives").read_text() == "once\n"


def test_a_stopped_child_is_asked_first_and_not_started_again(start, tmp_path):
    child = start("trap 'echo 0; exit' TERM; echo $$; while :; do sleep 0.05; done")
    until(lambda: _pids(tmp_path), what="the child")
    child.stop()
    assert len(_pids(tmp_path)) == 2  # its pid, and the 0 of its farewell
    assert not _is_alive(_pids(tmp_path)[0])


def test_a_deaf_child_is_killed_with_what_it_left_behind(start, tmp_path):
    child = start("trap '' TERM; sleep 3600 & echo $! $$; wait; wait", grace_seconds=0.3)
    until(lambda: len(_pids(tmp_path)) == 2, what="the child")
    child.stop()
    until(lambda: not any(map(_is_alive, _pids(tmp_path))), what="the child")


def test_a_child_reads_what_it_is_fed(start, tmp_path):
    start("cat; exec sleep 3600", standard_input=b"12 34")
    until(lambda: _pids(tmp_path) == [12, 34], what="the child")


def test_a_child_that_has_ended_leaves_nobody_and_its_number_is_never_used_again(start, tmp_path, monkeypatch):
    struck, killpg = [], os.killpg
    monkeypatch.setattr(os, "killpg", lambda pid, number: (struck.append(_state(pid)), killpg(pid, number)))
    child = start("sleep 3600 & echo $!; exit 78")
    until(lambda: child.is_hopeless, what="the child")
    until(lambda: not _is_alive(_pids(tmp_path)[0]), what="what it left behind")
    child.stop()
    assert struck == ["Z"]  # not collected, so that nobody else had its number; and no second time


ORPHAN = """
import os, sys, time
from pathlib import Path
from brinell.machine.children import Child, Program
folder = Path(sys.argv[1])
program = Program("orphan", ["sh", "-c", "echo $$; exec sleep 3600"], os.environ, folder, 1.0)
Child(program, folder / "log", print).start()
time.sleep(3600)
"""


def test_a_child_dies_with_a_parent_that_was_killed(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN, str(tmp_path)])
    try:
        until(lambda: _pids(tmp_path), what="the child")
        assert _is_alive(_pids(tmp_path)[0])
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not _is_alive(_pids(tmp_path)[0]), what="the child")
