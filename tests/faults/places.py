"""Where the processes of an installation are, by their place below whoever started it."""

from collections.abc import Sequence
from pathlib import Path

from tests.e2e.machine import children

WORDS = {  # of the command lines of those that an installation starts
    "api": {"service.main"},
    "worker": {"compute", "compute,inspect"},
    "inspector": {"inspect"},
    "probe": {"probe"},
}


def pids(above: Sequence[int], place: str) -> list[int]:
    """`above`: who started the installation. "pool child" and "runner" are those of the worker of jobs."""
    if place == "pool child":
        return [child for worker in pids(above, "worker") for child in children(worker)]
    if place == "runner":
        return [runner for child in pids(above, "pool child") for runner in children(child)]
    return [pid for parent in above for pid in children(parent) if is_at(pid, place)]


def is_at(pid: int, place: str) -> bool:
    """Told by its command line; that of a process which is ending is empty, and it is nowhere."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    except OSError:
        return False
    if place == "valkey":  # it writes its own command line: its name, and where it listens
        return any("valkey-server" in word for word in words[:1])
    return bool(WORDS[place] & set(words))


def descendants(pid: int) -> list[int]:
    """Children and their children, all that live."""
    below = children(pid)
    return below + [deeper for child in below for deeper in descendants(child)]
