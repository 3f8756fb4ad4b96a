"""A runner as its supervisor sees it: started bare, spoken to in frames, killed without ceremony."""

import contextlib
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO, cast

from workers import frames
from workers.confinement.levels import Confined, Isolation, RunnerKind
from workers.frames import Frame, FrameError
from workers.messages import Cancel, Ready
from workers.supervisor import blame
from workers.supervisor.log_tail import LogTail

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",  # one thread a slice: numbers do not depend on company
    "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads beside another busy process cut Jacobians from 350 to 6 a second
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "1073741824",  # keep freed tensors: a fifth of a Jacobian's time went into page faults
    "MALLOC_TRIM_THRESHOLD_": "2147483648",
    "ORT_DISABLE_TELEMETRY": "1",
}
PASSED_ON: dict[RunnerKind, tuple[str, ...]] = {
    "compute": ("LD_LIBRARY_PATH",),  # where a CUDA build of a library looks for CUDA, also without a card
    "card": ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "LD_LIBRARY_PATH"),  # which card, and where its libraries are
    "probe": ("SSL_CERT_FILE", "SSL_CERT_DIR"),  # whose certificates are believed
}

PROGRAM = (sys.executable, "-I", "-m", "workers.runner")
DYING_SECONDS = 1.0  # from the end of its pipe to its own
LOOK_SECONDS = 0.01
DIRECTORY = "brinell-runner"  # -PID OF THE SUPERVISOR-random


def sweep_directories() -> None:
    """Remove the empty directories of supervisors that were killed before they could."""
    for left in Path(tempfile.gettempdir()).glob(f"{DIRECTORY}-*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)


class RunnerDied(Exception):
    """The pipe ended, or what came out of it was no frame. `returncode` as subprocess has it: -n for signal n.

    `was_taken`: somebody killed it who is not its supervisor, and not for the memory that it took.
    """

    def __init__(self, returncode: int, log: str, *, was_ready: bool, was_taken: bool = False) -> None:
        super().__init__(f"the runner ended with {returncode}")
        self.returncode = returncode
        self.was_ready, self.was_taken = was_ready, was_taken
        self.log = log


class RunnerProcess:
    """A runner process is one child of the supervisor.

    `send` and `receive` are for one thread; `ask_to_cancel` and `kill` may come from another.

    Start it from a thread that lives as long as the process: the kernel sends PDEATHSIG when that *thread* ends.
    """

    def __init__(
        self, *, memory_bytes: int | None, kind: RunnerKind = "compute", isolation: Isolation = "strict"
    ) -> None:
        self._directory = tempfile.mkdtemp(prefix=f"{DIRECTORY}-{os.getpid()}-")
        os.chmod(self._directory, 0o500)
        self._process = subprocess.Popen(
            [*PROGRAM, str(os.getpid()), str(memory_bytes or 0), kind, isolation],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(self._directory, kind),
            cwd=self._directory,
            close_fds=True,
            start_new_session=True,
        )
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        self._log = LogTail(cast(BinaryIO, self._process.stderr))
        self._writing = threading.Lock()
        self._collecting = threading.Lock()
        self._peak_bytes = 0  # of memory; told when it is collected
        self._kills_before = blame.kills_for_memory()
        self._is_killed = False
        self._isolation = isolation
        self._confined: Confined | None = None
        self.is_open = False  # it has the model of its supervisor's choice at hand
        self.begun: tuple[str, str] | None = None  # the job, and the stage of it, whose common facts it has heard last

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._collected() is None

    def wait_until_ready(self) -> Confined:
        """Returns how it is confined, when the libraries are imported. Raises RunnerDied, also where it is shut in less
        strictly than was asked for: no model may come near it.
        """
        if self._confined is None:
            ready = Ready.read(self.receive(limit=0))
            if ready.isolation != self._isolation:
                raise self._died()
            self._confined = Confined(ready.isolation, ready.denied)
        return self._confined

    def send(self, frame: Frame) -> None:
        """Raises RunnerDied."""
        try:
            with self._writing:
                frames.write(self._requests, frame)
        except OSError as error:
            raise self._died() from error

    def receive(self, *, limit: int) -> Frame:
        """Receives a frame, its blobs at most `limit` bytes. Waits as long as the child lives. Raises RunnerDied."""
        try:
            frame = frames.read(self._answers, limit)
        except (FrameError, OSError, ValueError) as error:
            raise self._died() from error
        if frame is None:
            raise self._died()
        return frame

    def ask_to_cancel(self) -> None:
        """Never blocks: where the pipe is busy or full the message is dropped, and the kill that follows must do."""
        if self._writing.acquire(blocking=False):
            try:
                _, writable, _ = select.select([], [self._requests], [], 0)  # room for 4096 bytes, as POSIX promises
                if writable:
                    with contextlib.suppress(OSError):
                        frames.write(self._requests, Cancel().frame())
            finally:
                self._writing.release()

    def allow_cpu(self, seconds: float) -> None:
        """Lets the child use this much CPU time from now on, all threads together; SIGXCPU ends it after that."""
        with contextlib.suppress(ProcessLookupError):
            most = _cpu_seconds(self.pid) + seconds
            resource.prlimit(self.pid, resource.RLIMIT_CPU, (int(most) + 1, resource.RLIM_INFINITY))

    def seconds_in_line(self) -> float:
        """Returns for how long its most unlucky thread was ready and no processor was free; 0 where nobody counts."""
        waited = [0.0]
        for thread in Path(f"/proc/{self.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):  # it has ended
                waited.append(int(thread.read_text().split()[1]) / 1e9)
        return max(waited)

    def set_aside(self) -> None:
        """Stops the child, which then uses no processor until it is taken up again."""
        self._signal(signal.SIGSTOP)

    def take_up(self) -> None:
        """Lets a child go on that was set aside."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL to the child and all it may have started. Safe to call twice, and from any thread."""
        if self.is_alive:
            self._is_killed = True
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        """To its group, as long as it is not collected: after that the number may be a stranger's."""
        with self._collecting:
            if self._process.returncode is None:
                os.killpg(self.pid, number)

    def close(self) -> None:
        """Closes the pipes: kills the child, collects it, and leaves nothing behind."""
        self.kill()
        self._ended()
        self._log.close()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _died(self) -> RunnerDied:
        """A child that broke the protocol is as good as dead, and is made so."""
        end = monotonic() + DYING_SECONDS
        while self.is_alive and monotonic() < end:
            sleep(LOOK_SECONDS)
        self.kill()
        returncode = self._ended()
        self._log.close()
        was_taken = returncode == -signal.SIGKILL and not self._is_killed and self._is_blameless()
        return RunnerDied(returncode, self._log.text(), was_ready=self._confined is not None, was_taken=was_taken)

    def _is_blameless(self) -> bool:
        return blame.is_blameless(
            self._peak_bytes, kills_before=self._kills_before, kills_after=blame.kills_for_memory()
        )

    def _ended(self) -> int:
        """Waits for its end."""
        with contextlib.suppress(ChildProcessError):  # collected already
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        returncode = self._collected()
        assert returncode is not None
        return returncode

    def _collected(self) -> int | None:
        """Its exit code, None while it lives. What it used is told by the one wait that collects it."""
        with self._collecting:
            if self._process.returncode is None:
                pid, status, used = os.wait4(self.pid, os.WNOHANG)
                if pid:
                    self._process.returncode = os.waitstatus_to_exitcode(status)
                    self._peak_bytes = 1024 * used.ru_maxrss
            return cast(int | None, self._process.returncode)


def _environment(directory: str, kind: RunnerKind) -> dict[str, str]:
    """Nothing of ours: no broker, no key, no path of the library."""
    known = {name: os.environ[name] for name in PASSED_ON[kind] if name in os.environ}
    return {**ENVIRONMENT, **known, "HOME": directory, "TMPDIR": directory}


def _cpu_seconds(pid: int) -> float:
    """User and system time of the process so far (proc(5): fields 14 and 15 of stat, in clock ticks)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except FileNotFoundError as error:
        raise ProcessLookupError from error
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
