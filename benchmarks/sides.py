"""The sides of a comparison: processes that load what they compare once, stay, and time their own work.

    with Side("benchmarks.side_ours", environment=RUNNER) as ours:
        answer = ours.ask("audit", images=[0, 1], ...)   # .value, .wall and .cpu in seconds

A side is a module that ends in `serve({...})`. Requests and answers are lines of JSON on its standard streams.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Answer:
    value: Any
    wall: float  # seconds
    cpu: float  # seconds of the side's process, all threads


class Side:
    def __init__(
        self, module: str, *, python: str = sys.executable, environment: Mapping[str, str], folder: Path = Path()
    ) -> None:
        self._process = subprocess.Popen(
            [python, "-m", module],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def ask(self, function: str, **arguments: Any) -> Answer:
        """Raises RuntimeError where the side died; what it said is on standard error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([function, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the side died in {function}")
        return Answer(**json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def serve(functions: Mapping[str, Callable[..., Any]]) -> None:
    """The other end: answers one request after another until the pipe ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not land among the answers
    for line in sys.stdin:
        name, arguments = json.loads(line)
        wall, cpu = time.perf_counter(), time.process_time()
        value = functions[name](**arguments)
        timed = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        answers.write(json.dumps({"value": value, **timed}) + "\n")
        answers.flush()
