"""A real runner, spoken to over its pipes: confined, fed with the bundled model, and got rid of."""

import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.cards import ModelCard
from tests.devices import DEVICE, RUNNER, RUNNER_MEMORY
from tests.e2e.machine import DIGITS, is_alive, state_of
from tests.patience import until
from workers.confinement.resources import NICE
from workers.frames import Frame
from workers.messages import Message, OpenModel
from workers.outcomes import ChunkBroken, ChunkDone
from workers.supervisor.runner_process import RunnerDied, RunnerProcess, sweep_directories
from workers.supervisor.spare import Runners
from workers.work.inspect import InspectModel, ModelInspected
from workers.work.run import BeginJob, RunChunk

MODEL = (DIGITS / "model.onnx").read_bytes()
LIMIT = 1 << 20


@pytest.fixture(scope="module")
def runner():
    process = RunnerProcess(memory_bytes=RUNNER_MEMORY, kind=RUNNER)
    process.wait_until_ready()
    yield process
    process.close()


CARD = ModelCard(
    id="mdl_1",
    kind="onnx",
    name="digits",
    state="inspecting",
    sha256="0",
    size_bytes=len(MODEL),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def ask(process: RunnerProcess, message: Message) -> list[Frame]:
    """All frames up to the answer."""
    process.send(message.frame())
    heard = [process.receive(limit=LIMIT)]
    while heard[-1].kind == "progress":
        heard.append(process.receive(limit=LIMIT))
    return heard


def inspected(process: RunnerProcess, data: bytes = MODEL) -> Frame:
    return ask(process, InspectModel(card=CARD, device=DEVICE, model=data))[-1]


def opened(process: RunnerProcess) -> Frame:
    found = ModelInspected.read(inspected(process)).inspection
    return ask(process, OpenModel(card=CARD.inspected(found), device=DEVICE, model=MODEL))[-1]


def begun(process: RunnerProcess, *, queries: int = 200) -> Frame:
    """The model opened, and a job begun on it."""
    opened(process)
    params = {"name": "square", "steps": 1_000_000}  # the queries end it, on any machine
    facts = {"method": "square@1", "params": params, "norm": "l2", "epsilon": None, "targeted": None}
    box = {"lower": np.zeros((), np.float32), "upper": np.ones((), np.float32)}
    no = dict.fromkeys(("gradients", "pool"))
    return ask(process, BeginJob.model_validate({**facts, **box, **no, "queries": queries, "seed": 0}))[-1]


def chunk(rows: int = 3, *, seconds: float = 60.0) -> RunChunk:
    with np.load(DIGITS / "samples.npz") as npz:
        x, y = npz["x"][:rows].astype(np.float32), npz["y"][:rows]
    return RunChunk(indices=tuple(range(rows)), x=x, y=y, targets=None, ends=time.monotonic() + seconds)


def findings(frame: Frame) -> list[dict[str, Any]]:
    return json.loads(ChunkDone.read(frame).findings)


def test_a_model_is_inspected_opened_and_asked(runner):
    assert ModelInspected.read(inspected(runner)).inspection.output.classes == 10
    assert opened(runner).kind == "opened"
    assert begun(runner).kind == "run.begun"
    *progress, done = ask(runner, chunk())
    assert [finding["index"] for finding in findings(done)] == [0, 1, 2]
    assert progress, "even a short run says once how far it is"
    found = ChunkDone.read(done)
    assert found.x.shape == (len(found.index), *found.x.shape[1:])
    assert found.device == DEVICE


def test_what_chunks_have_in_common_is_told_once_and_two_runs_of_a_chunk_are_bit_equal(runner):
    begun(runner)
    first, again = ask(runner, chunk())[-1], ask(runner, chunk())[-1]
    assert first.blobs == again.blobs


def test_a_runner_begins_anew_for_another_job_on_its_model(runner):
    begun(runner, queries=2)
    few = ask(runner, chunk())[-1]
    begun(runner, queries=200)
    many = ask(runner, chunk())[-1]
    assert max(finding["queries"] for finding in findings(few)) <= 2
    assert max(finding["queries"] for finding in findings(many)) > 2


def test_a_model_that_was_opened_anew_has_no_job_yet(runner):
    begun(runner)
    opened(runner)
    assert ask(runner, chunk())[-1].kind == "fault"


@pytest.mark.parametrize("data", [b"", b"not a model", MODEL[: len(MODEL) // 2]], ids=["empty", "text", "truncated"])
def test_a_bad_file_is_refused_and_the_runner_lives(runner, data):
    answer = inspected(runner, data)
    assert answer.kind == "refused"
    assert answer.fields["code"] == "model_unparseable"
    assert inspected(runner).kind == ModelInspected.kind


def test_a_fault_is_a_sentence_without_particulars(runner):
    begun(runner)
    broken = chunk().model_copy(update={"x": np.zeros((3, 5), np.float32)})
    answer = ask(runner, broken)[-1]
    assert answer.kind == ChunkBroken.kind
    assert "/" not in answer.fields["detail"]
    assert "Traceback" not in answer.fields["detail"]


def test_time_that_runs_out_ends_a_run_with_what_it_found(runner):
    begun(runner, queries=10_000_000)
    done = ask(runner, chunk(seconds=0.5))[-1]
    assert {finding["ended"] for finding in findings(done)} <= {"budget", "finished"}


def test_a_runner_is_confined_before_it_meets_a_model(runner):
    limits = Path(f"/proc/{runner.pid}/limits").read_text()
    rows = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}
    assert rows["Max core file size"] == "0"
    assert rows["Max address space"] == str(RUNNER_MEMORY)
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
    process = RunnerProcess(memory_bytes=None, kind=RUNNER)
    try:
        process.wait_until_ready()
        begun(process, queries=100_000_000)
        process.allow_cpu(1.0)
        with pytest.raises(RunnerDied) as death:
            ask(process, chunk())
        assert death.value.returncode == -signal.SIGXCPU
    finally:
        process.close()


def test_a_cancelled_run_hands_over_what_it_found():
    process = RunnerProcess(memory_bytes=None, kind=RUNNER)
    try:
        process.wait_until_ready()
        begun(process, queries=100_000_000)
        process.send(chunk().frame())
        assert process.receive(limit=LIMIT).kind == "progress"
        process.ask_to_cancel()
        while (answer := process.receive(limit=LIMIT)).kind == "progress":
            pass
        assert "cancelled" in {finding["ended"] for finding in findings(answer)}
    finally:
        process.close()


def test_a_closed_runner_leaves_nothing_behind():
    process = RunnerProcess(memory_bytes=None, kind=RUNNER)
    directory = Path(f"/proc/{process.pid}/cwd").resolve()
    assert directory.exists()
    process.close()
    assert not is_alive(process.pid)
    assert not directory.exists()


def test_what_a_killed_supervisor_left_behind_is_swept_and_nothing_else(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    process = RunnerProcess(memory_bytes=None, kind=RUNNER)
    ours = Path(f"/proc/{process.pid}/cwd").resolve()
    orphan = tmp_path / f"brinell-runner-{2**22 + 1}-abc"  # above the largest process id of Linux
    orphan.mkdir()
    sweep_directories()
    assert (ours.exists(), orphan.exists()) == (True, False)
    process.close()


def test_an_answer_larger_than_was_allowed_ends_the_conversation(runner):
    process = RunnerProcess(memory_bytes=None, kind=RUNNER)
    try:
        process.wait_until_ready()
        begun(process)
        process.send(chunk().frame())
        assert process.receive(limit=8).kind == "progress"
        with pytest.raises(RunnerDied):
            process.receive(limit=8)
    finally:
        process.close()


def test_two_models_and_two_tenants_never_share_a_runner():
    runners = Runners(lambda: RunnerProcess(memory_bytes=None, kind=RUNNER), tenants=2)
    try:
        first = runners.holding(("tenant", "mdl_1"))
        first.wait_until_ready()
        assert runners.holding(("tenant", "mdl_1")) is first
        runners.rest()
        other = runners.holding(("another tenant", "mdl_1"))
        assert other is not first
        other.wait_until_ready()
        runners.rest()
        until(lambda: state_of(first.pid) == "T", what="the first tenant's runner is stopped")
        assert runners.holding(("tenant", "mdl_1")) is first
        assert inspected(first).kind == ModelInspected.kind
        until(lambda: state_of(other.pid) == "T", what="the other tenant's runner is stopped")
        runners.holding(("tenant", "mdl_2"))
        until(lambda: not is_alive(first.pid), what="the first tenant's runner is gone")
    finally:
        runners.close()
