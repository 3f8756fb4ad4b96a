"""Confinement of a runner: what the process that holds an uploaded model may still do.

The runner confines itself as its very first act, before it imports anything that could start a thread. There are two
levels. `basic`, here: resource limits, no new privileges, an empty directory, a bare environment, first in line when
memory runs out, and death with its parent. `strict` adds namespaces without a network and a seccomp filter; it is not
there yet, and asking for it is refused rather than answered by less. Every result names the level it ran under.
"""

import ctypes
import os
import resource
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from algorithms.errors import Unavailable

Isolation = Literal["basic", "strict"]

MEMORY_BYTES = 8 << 30  # of address space: torch alone maps 3 to 5 GiB it never touches
FILE_BYTES = 64 << 20
OPEN_FILES = 256
NICE = 5  # behind the API and Redis of the same machine: they need little, and somebody waits for them

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def available(level: str) -> Isolation:
    """The level a result will name. Raises Unavailable where this build cannot give what was asked."""
    if level != "basic":
        detail = "This build has no strict sandbox yet; set BRINELL_SANDBOX=basic to run without one."
        raise Unavailable(detail, retry_after=3600)
    return "basic"


def confine(parent: int, *, memory_bytes: int | None) -> None:
    """Give up what a model needs not have. `memory_bytes` None: a graphics card maps more than any limit allows.

    RLIMIT_NPROC is left alone: it counts every thread of the user, so a runner would fail because of its neighbours;
    the container's pids limit is the one to set. The CPU time is limited by the parent before every chunk.
    """
    # strict: unshare(user, net, ipc) belongs here, while there is one thread; its seccomp filter after the imports
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the supervisor is gone already")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    for limit, most in _rlimits(memory_bytes).items():
        resource.setrlimit(limit, (most, most))
    os.nice(NICE)
    Path("/proc/self/oom_score_adj").write_text("1000")


def _rlimits(memory_bytes: int | None) -> Mapping[int, int]:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    return limits if memory_bytes is None else {**limits, resource.RLIMIT_AS: memory_bytes}


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
