"""`brinell` as people run it: a process of its own, in a folder of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.machine import DIGITS, ROOT, children, is_alive
from tests.patience import PATIENCE_SECONDS, until

OURS = ("BRINELL_URL", "BRINELL_API_KEY", "BRINELL_REDIS_URL", "BRINELL_LIBRARY", "GITHUB_STEP_SUMMARY")


def environment() -> dict[str, str]:
    """Ours, without what would lead to another server."""
    return {name: value for name, value in os.environ.items() if name not in OURS}


def start(
    *arguments: str,
    folder: Path,
    python: str | Path = sys.executable,
    program: tuple[str, str] = ("-m", "brinell.cli"),
) -> subprocess.Popen[str]:
    """stdout and stderr are pipes, no terminal."""
    return subprocess.Popen(
        [python, *program, *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_interrupts,
    )


def _hear_interrupts() -> None:
    """A shell that runs the tests in the background has told all their children to ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process: subprocess.Popen[str], *, seconds: float = PATIENCE_SECONDS) -> tuple[int, str, str]:
    """(exit code, stdout, stderr). No user ever sees a traceback."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert "Traceback" not in err
    return process.returncode, out, err


def run(*arguments: str, folder: Path, python: str | Path = sys.executable) -> tuple[int, str, str]:
    return finish(start(*arguments, folder=folder, python=python))


def make_folder(path: Path) -> Path:
    """As a user's checkout looks from inside: the examples are there, and .brinell is not."""
    path.mkdir(exist_ok=True)
    (path / "examples").symlink_to(ROOT / "examples")
    for name in ("model.onnx", "samples.npz"):
        (path / name).symlink_to(DIGITS / name)
    return path


@contextmanager
def up(folder: Path, python: str | Path = sys.executable) -> Iterator[subprocess.Popen[str]]:
    """`brinell up` on a free port, ready. Stopped by SIGTERM, unless it is gone already."""
    process = start("up", "--port", "0", folder=folder, python=python)
    try:
        until(lambda: (folder / ".brinell" / "url").exists() or process.poll() is not None, what="up")
        assert process.poll() is None, finish(process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        finish(process)


def family(pid: int) -> list[int]:
    """All living descendants."""
    direct = children(pid)
    return direct + [grandchild for child in direct for grandchild in family(child)]


def gone(pids: list[int]) -> bool:
    return not any(map(is_alive, pids))
