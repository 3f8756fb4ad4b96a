"""A runner that a model has taken over, as the supervisor of this proof has it."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from models.cards import ModelCard
from tests.e2e.sandbox.attempt import Attempt, Target
from workers.confinement.levels import Isolation, RunnerKind
from workers.messages import NotAccepted, OpenModel
from workers.supervisor import runner_process
from workers.supervisor.runner_process import RunnerDied, RunnerProcess

MEMORY_BYTES = 8 << 30
Outcome = tuple[str, str]  # "worked" or "blocked", and particulars

_CARD = ModelCard(
    id="mdl_1",
    kind="onnx",
    name="hostile",
    state="ready",
    sha256="0",
    size_bytes=1,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def begun(level: Isolation, kind: RunnerKind, folder: Path, program: str = "hostile.py") -> RunnerProcess:
    """A runner as any supervisor starts it, but for the program: a script beside this file."""
    script = folder / program
    script.write_text(f"#!{sys.executable} -I\n{Path(__file__).with_name(program).read_text()}")
    script.chmod(0o755)
    whole = runner_process.PROGRAM
    try:
        runner_process.PROGRAM = (str(script),)
        return RunnerProcess(memory_bytes=MEMORY_BYTES, kind=kind, isolation=level)
    finally:
        runner_process.PROGRAM = whole


def order(process: RunnerProcess, kind: RunnerKind, attempt: Attempt, target: Target) -> None:
    """Has an attempt made, where the model would be opened."""
    asked = {"attempt": attempt.name, **json.loads(target.written())}
    card = _CARD.model_copy(update={"kind": "endpoint" if kind == "probe" else "onnx"})
    process.send(OpenModel(card=card, device="cpu", model=json.dumps(asked).encode()).frame())


class TakenOver:
    """A runner that a model has taken over is begun anew where an attempt was its death."""

    def __init__(self, level: Isolation, kind: RunnerKind, folder: Path) -> None:
        self._level, self._kind, self._folder = level, kind, folder
        self._process = self._begin()

    def attempt(self, attempt: Attempt, target: Target) -> Outcome:
        try:
            order(self._process, self._kind, attempt, target)
            said = NotAccepted.read(self._process.receive(limit=0))
        except RunnerDied as death:
            self.close()
            self._process = self._begin()
            return "blocked", f"it died of it: {death.returncode}"
        return said.code, said.detail

    def close(self) -> None:
        self._process.close()

    def _begin(self) -> RunnerProcess:
        process = begun(self._level, self._kind, self._folder)
        assert process.wait_until_ready().level == self._level
        process.allow_cpu(600)
        return process
