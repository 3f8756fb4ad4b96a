"""Who is to blame where a runner was killed: its model, for the memory it took, or whoever else filled the machine.

A runner is the first that the kernel takes when memory runs out, however little it has itself. What it had at most,
the kernel tells when it is collected; and how many processes it has killed for memory, in /proc/vmstat.
"""

import os
from pathlib import Path

LEAST_BYTES = 1 << 30  # a runner's libraries alone take half of it
SHARE = 4  # of what there is: below a quarter it is not the runner that fills the machine
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container, v2 and v1


def kills_for_memory() -> int | None:
    """Counts what the kernel killed for memory since it started; None where it does not tell."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


def is_blameless(peak_bytes: int, *, kills_before: int | None, kills_after: int | None) -> bool:
    """Tells whether a killed runner that had at most so much memory died of somebody else's doing.

    It did where the kernel has killed nothing for memory since the runner began, so that somebody killed it on
    purpose, and where what it had is small beside what there is.
    """
    nothing_was_short = kills_before is not None and kills_before == kills_after
    return nothing_was_short or peak_bytes < max(LEAST_BYTES, _memory_bytes() // SHARE)


def _memory_bytes() -> int:
    """Of the machine, or of the container where that has less."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(machine, *(limit for limit in map(_limit, _LIMITS) if limit is not None), machine)


def _limit(place: str) -> int | None:
    try:
        text = Path(place).read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
