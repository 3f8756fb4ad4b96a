"""Child processes that are kept running: started, started again when they die, stopped in good order."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from brinell.machine import leash

SHORT_LIFE_SECONDS = 20.0  # a child that lived longer was fine: its next death starts the count anew
HOPELESS = 3  # short lives in a row
LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True)
class Program:
    """A program is a command, what it needs, and how long it may take to end."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path  # its working directory
    grace_seconds: float  # between SIGTERM and SIGKILL
    standard_input: bytes = b""


class Child:
    """A child is one program, kept running by a thread of its own.

    The thread that starts the process also waits for it: the kernel's parent-death signal comes when the starting
    *thread* ends, so it must live exactly as long as the child.
    """

    def __init__(self, program: Program, log: Path, say: Callable[[str], None]) -> None:
        self.name = program.name
        self._log = log
        self._short_lives = 0
        self._program = program
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None  # one that is not collected
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # of `_process`, and between the look at `_stopping` and the start
        self._thread = threading.Thread(target=self._keep, name=program.name, daemon=True)

    @property
    def is_hopeless(self) -> bool:
        """Tells whether it keeps dying right after its start, or has ended with EX_CONFIG: not as things are set up."""
        return self._short_lives >= HOPELESS

    def last_words(self) -> str:
        """Returns the last line of its log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line for line in reversed(lines) if line.strip()), "(it said nothing)")

    def start(self) -> None:
        """Starts the program, and the thread that keeps it running."""
        self._thread.start()

    def stop(self) -> None:
        """Sends SIGTERM, and after a time of grace SIGKILL, to it and to what it left behind.

        Returns when it is gone.
        """
        with self._lock:
            self._stopping.set()
            if self._process:  # it alone: a worker's own children must not be shot while it drains
                os.kill(self._process.pid, signal.SIGTERM)
        self._thread.join(self._program.grace_seconds)
        with self._lock:
            self._kill()
        self._thread.join()

    def _keep(self) -> None:
        while process := self._spawn():
            born = time.monotonic()
            code = self._end_of(process)
            if self._stopping.is_set():
                return
            if code == os.EX_CONFIG:  # it said why, and would say it again
                self._short_lives = HOPELESS
                return
            self._short_lives = self._short_lives + 1 if time.monotonic() - born < SHORT_LIFE_SECONDS else 1
            pause = min(0.5 * 2 ** (self._short_lives - 1), LONGEST_PAUSE_SECONDS)
            self._say(f"{self.name} {_ending(code)}; starting it again in {pause:g} s. Its log: {self._log}")
            self._stopping.wait(pause)

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *self._program.command],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=dict(self._program.environment),
                    cwd=self._program.folder,
                    process_group=0,  # Ctrl-C on the terminal is for us: we stop the children in order
                )
        self._feed(self._process)
        return self._process

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None  # for mypy: it is a pipe
        try:
            with process.stdin as pipe:
                pipe.write(self._program.standard_input)
        except BrokenPipeError:  # it died already, and `wait` will say so
            return

    def _end_of(self, process: subprocess.Popen[bytes]) -> int:
        """Waits for it, and ends what it left behind before it is collected: then its number may be a stranger's."""
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._kill()
            self._process = None
            return process.wait()

    def _kill(self) -> None:
        """The process, if it still lives, and every child of its group."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)


def _ending(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
