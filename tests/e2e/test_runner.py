"""A real runner, spoken to over its pipes: confined, fed with the bundled model, and got rid of."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.machine import DIGITS, is_alive, until
from workers import frames
from workers.frames import Frame
from workers.limits import NICE
from workers.supervisor.runner_process import RunnerDied, RunnerProcess, sweep_directories
from workers.supervisor.spare import Runners

MODEL = (DIGITS / "model.onnx").read_bytes()
LIMIT = 1 << 20
MEMORY_BYTES = 8 << 30


@pytest.fixture(scope="module")
def runner():
    process = RunnerProcess(memory_bytes=MEMORY_BYTES)
    process.wait_until_ready()
    yield process
    process.close()


def ask(process: RunnerProcess, frame: Frame) -> list[Frame]:
    """All frames up to the answer."""
    process.send(frame)
    heard = [process.receive(limit=LIMIT)]
    while heard[-1].kind == "progress":
        heard.append(process.receive(limit=LIMIT))
    return heard


CARD = {
    "id": "mdl_1",
    "kind": "onnx",
    "name": "digits",
    "state": "inspecting",
    "sha256": "0",
    "size_bytes": len(MODEL),
    "created_at": "2026-01-01T00:00:00Z",
}


def inspected(process: RunnerProcess, data: bytes = MODEL) -> Frame:
    return ask(process, Frame("inspect", {"card": CARD, "device": "cpu"}, {"model": data}))[-1]


def opened(process: RunnerProcess) -> Frame:
    card = {**CARD, **inspected(process).fields["inspection"], "state": "ready"}
    return ask(process, Frame("open", {"card": card, "device": "cpu"}, {"model": MODEL}))[-1]


def run_frame(rows: int = 3, *, queries: int = 200, seconds: float = 60.0) -> Frame:
    with np.load(DIGITS / "samples.npz") as npz:
        x, y = npz["x"][:rows].astype(np.float32), npz["y"][:rows]
    return frames.with_arrays(
        "run",
        {"x": x, "y": y, "lower": np.zeros((), np.float32), "upper": np.ones((), np.float32)},
        method="square",
        params={"name": "square"},
        threat={"norm": "l2", "epsilon": None, "targeted": None},
        budget={"queries": queries, "gradients": None},
        seed=0,
        ends=time.monotonic() + seconds,
        indices=list(range(rows)),
    )


def test_a_model_is_inspected_opened_and_asked(runner):
    assert inspected(runner).fields["inspection"]["output"]["classes"] == 10
    assert opened(runner).kind == "opened"
    *progress, done = ask(runner, run_frame())
    assert [finding["index"] for finding in json.loads(done.blobs["findings"])] == [0, 1, 2]
    assert progress, "even a short run says once how far it is"
    assert progress[0].kind == "progress"
    assert done.array("x").shape == (len(done.array("index")), *done.array("x").shape[1:])
    assert done.fields["device"] == "cpu"


def test_two_runs_of_the_same_chunk_are_bit_equal(runner):
    opened(runner)
    first, again = ask(runner, run_frame())[-1], ask(runner, run_frame())[-1]
    assert first.blobs == again.blobs


@pytest.mark.parametrize("data", [b"", b"not a model", MODEL[: len(MODEL) // 2]], ids=["empty", "text", "truncated"])
def test_a_bad_file_is_refused_and_the_runner_lives(runner, data):
    answer = inspected(runner, data)
    assert answer.kind == "refused"
    assert answer.fields["code"] == "model_unparseable"
    assert inspected(runner).kind == "inspected"


def test_a_fault_is_a_sentence_without_particulars(runner):
    opened(runner)
    broken = run_frame()
    broken.fields["arrays"]["x"] = ["<f4", [3, broken.array("x").size // 3]]
    answer = ask(runner, broken)[-1]
    assert answer.kind == "fault"
    assert "/" not in answer.fields["detail"]
    assert "Traceback" not in answer.fields["detail"]


def test_time_that_runs_out_ends_a_run_with_what_it_found(runner):
    opened(runner)
    done = ask(runner, run_frame(queries=10_000_000, seconds=0.5))[-1]
    assert {finding["ended"] for finding in json.loads(done.blobs["findings"])} <= {"budget", "finished"}


def test_a_runner_is_confined_before_it_meets_a_model(runner):
    limits = Path(f"/proc/{runner.pid}/limits").read_text()
    rows = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}
    assert rows["Max core file size"] == "0"
    assert rows["Max address space"] == str(MEMORY_BYTES)
    assert rows["Max open files"] == "256"
    status = Path(f"/proc/{runner.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert Path(f"/proc/{runner.pid}/oom_score_adj").read_text().strip() == "1000"
    assert os.getpriority(os.PRIO_PROCESS, runner.pid) >= NICE


def test_a_runner_knows_nothing_of_ours(runner, monkeypatch):
    environment = Path(f"/proc/{runner.pid}/environ").read_bytes()
    assert b"BRINELL" not in environment
    directory = Path(f"/proc/{runner.pid}/cwd").resolve()
    assert list(directory.iterdir()) == []
    pipes = [os.readlink(fd) for fd in Path(f"/proc/{runner.pid}/fd").iterdir()]
    assert not [target for target in pipes if target.startswith("socket:")]


def test_a_runner_that_uses_up_its_processor_time_is_ended_by_the_kernel():
    process = RunnerProcess(memory_bytes=None)
    try:
        process.wait_until_ready()
        opened(process)
        process.allow_cpu(1.0)
        with pytest.raises(RunnerDied) as death:
            ask(process, run_frame(queries=100_000_000))
        assert death.value.returncode == -signal.SIGXCPU
    finally:
        process.close()


def test_a_cancelled_run_hands_over_what_it_found():
    process = RunnerProcess(memory_bytes=None)
    try:
        process.wait_until_ready()
        opened(process)
        process.send(run_frame(queries=100_000_000))
        assert process.receive(limit=LIMIT).kind == "progress"
        began = time.monotonic()
        process.ask_to_cancel()
        while (answer := process.receive(limit=LIMIT)).kind == "progress":
            pass
        assert time.monotonic() - began < 2
        assert "cancelled" in {finding["ended"] for finding in json.loads(answer.blobs["findings"])}
    finally:
        process.close()


def test_a_closed_runner_leaves_nothing_behind():
    process = RunnerProcess(memory_bytes=None)
    directory = Path(f"/proc/{process.pid}/cwd").resolve()
    assert directory.exists()
    process.close()
    assert not is_alive(process.pid)
    assert not directory.exists()


def test_what_a_killed_supervisor_left_behind_is_swept_and_nothing_else(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    process = RunnerProcess(memory_bytes=None)
    ours = Path(f"/proc/{process.pid}/cwd").resolve()
    orphan = tmp_path / f"brinell-runner-{2**22 + 1}-abc"  # above the largest process id of Linux
    orphan.mkdir()
    sweep_directories()
    assert (ours.exists(), orphan.exists()) == (True, False)
    process.close()


def test_an_answer_larger_than_was_allowed_ends_the_conversation(runner):
    process = RunnerProcess(memory_bytes=None)
    try:
        process.wait_until_ready()
        opened(process)
        process.send(run_frame())
        assert process.receive(limit=8).kind == "progress"
        with pytest.raises(RunnerDied):
            process.receive(limit=8)
    finally:
        process.close()


def test_two_models_and_two_tenants_never_share_a_runner():
    runners = Runners(lambda: RunnerProcess(memory_bytes=None))
    try:
        first, is_new = runners.holding(("tenant", "mdl_1"))
        again, is_new_again = runners.holding(("tenant", "mdl_1"))
        assert (first is again, is_new, is_new_again) == (True, True, False)
        other, _ = runners.holding(("another tenant", "mdl_1"))
        assert other is not first
        until(lambda: not is_alive(first.pid), seconds=2, what="the first tenant's runner is gone")
    finally:
        runners.close()
