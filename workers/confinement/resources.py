"""What a runner may use of the machine, and whose death is its own."""

import os
import resource
import signal
from collections.abc import Mapping
from pathlib import Path

from workers.confinement.calls import prctl

MEMORY_BYTES = 8 << 30  # of address space: torch alone maps 3 to 5 GiB it never touches
CARD_MEMORY_BYTES = 64 << 30  # where CUDA comes on top: it maps 17 GiB before the first model, and cannot start in 8
OPEN_FILES = 256
NICE = 5  # behind the API and Redis of the same machine: they need little, and somebody waits for them

_PR_SET_PDEATHSIG = 1


def limit(*, memory_bytes: int | None) -> None:
    """Sets limits to what this process may use. `memory_bytes`: of address space; None: all there is.

    No file may grow: what a runner says goes over pipes. RLIMIT_NPROC is left alone: it counts every thread of the
    user, so a runner would fail because of its neighbors; the container's pids limit is the one to set. The CPU time
    is limited by the parent before every chunk.
    """
    for kind, most in _rlimits(memory_bytes).items():
        resource.setrlimit(kind, (most, most))
    os.nice(NICE)
    Path("/proc/self/oom_score_adj").write_text("1000")


def die_with(parent: int) -> None:
    """Has the kernel kill this process when its parent ends."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the supervisor is gone already")


def _rlimits(memory_bytes: int | None) -> Mapping[int, int]:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    return limits if memory_bytes is None else {**limits, resource.RLIMIT_AS: memory_bytes}
