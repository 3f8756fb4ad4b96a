"""The proof: a supervisor with secrets, a runner of somebody else, and a hostile runner that makes all attempts.

    python -m tests.e2e.sandbox.proof LEVEL KIND SURROUNDINGS...

SURROUNDINGS: `ordinary` (a user without rights), `container` (what Docker would leave of them). Prints JSON:
{attempt: ["worked" | "blocked", particulars]}. It is a process of its own, since neither can be undone.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.e2e.sandbox.attempt import Attempt, Target
from tests.e2e.sandbox.attempts.others import SIGNAL
from tests.e2e.sandbox.surroundings import CHECKOUT, become_ordinary, enter_a_container
from tests.e2e.sandbox.table import ATTEMPTS
from tests.e2e.sandbox.taken_over import MEMORY_BYTES, Outcome, TakenOver
from workers.confinement.levels import Isolation, RunnerKind
from workers.supervisor.runner_process import RunnerProcess

SECRET = "a password that nobody else has"
ONWARD = "go on"  # the first argument of a process that has its surroundings


def proof(level: Isolation, kind: RunnerKind) -> dict[str, Outcome]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hostile = TakenOver(level, kind, folder)
        stack.callback(hostile.close)
        target = stack.enter_context(installation(folder, level))
        return {name: _made(hostile, attempt, target) for name, attempt in ATTEMPTS.items()}


def _made(hostile: TakenOver, attempt: Attempt, target: Target) -> Outcome:
    outcome, said = hostile.attempt(attempt, target)
    if attempt.is_witnessed:
        came = signal.sigtimedwait([SIGNAL], 0) is not None
        return ("worked", said) if came else ("blocked", said or "nothing came")
    if attempt.name == "leave_an_orphan" and outcome == "worked":
        os.kill(int(said), signal.SIGKILL)
    return outcome, said


@contextmanager
def installation(folder: Path, level: Isolation) -> Iterator[Target]:
    """What `brinell up` would have here, with a listener in the place of its API."""
    data = folder / "data"
    (data / "library").mkdir(parents=True)
    (data / "mounted").mkdir()
    for name in ("redis-url", "api-key", "secret-key"):
        (data / name).write_text(f"redis://:{SECRET}@127.0.0.1:6379/0")
        (data / name).chmod(0o600)
    for name in ("object", "to-remove", "to-rename"):
        (data / "library" / name).write_text("what another tenant uploaded")
    held = ctypes.create_string_buffer(SECRET.encode())
    abstract = f"brinell-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        _listening(str(folder / "socket")),
        _listening("\0" + abstract),
    ):
        sibling = RunnerProcess(memory_bytes=MEMORY_BYTES, kind="probe", isolation=level)
        try:
            sibling.wait_until_ready()
            yield Target(
                data=str(data),
                checkout=str(CHECKOUT),
                parent=os.getpid(),
                sibling=sibling.pid,
                secret=SECRET,
                address=ctypes.addressof(held),
                port=tcp.getsockname()[1],
                socket=str(folder / "socket"),
                abstract=abstract,
            )
        finally:
            sibling.close()


def _listening(name: str) -> socket.socket:
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unix.bind(name)
    unix.listen()
    return unix


def main(arguments: list[str]) -> None:
    if arguments[0] != ONWARD:
        if "ordinary" in arguments and os.getuid() == 0:
            try:
                become_ordinary()
            except PermissionError:
                raise SystemExit(os.EX_NOPERM) from None
        if "container" in arguments:
            enter_a_container()
        # anew: a process that changed its user keeps its memory from its like, as no supervisor does
        os.environ["BRINELL_REDIS_URL"] = SECRET
        signal.pthread_sigmask(signal.SIG_BLOCK, [SIGNAL])  # threads that imports begin inherit it
        os.execv(sys.executable, [sys.executable, "-m", "tests.e2e.sandbox.proof", ONWARD, *arguments])
    _, level, kind, *_ = arguments
    json.dump(proof(level, kind), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
