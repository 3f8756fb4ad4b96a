"""Files in the making: each is locked by the process that writes it, so what one that died has left is known by that.

The kernel drops a lock with its process, however that ends. A file a minute old without a lock is nobody's.
"""

import fcntl
import os
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PREFIX = "brinell-draft-"  # ours, where others keep their files too
YOUNG_SECONDS = 60.0  # longer than from a file's making to its lock
OLD_SECONDS = 24 * 3600.0  # of one that cannot be locked, on a file system without locks


@dataclass(frozen=True)
class Draft:
    """A draft is a file that is written, and held until it is closed."""

    file: IO[bytes]
    path: Path

    def discard(self) -> None:
        """Let go, and remove what was not moved away."""
        with suppress(OSError):  # closing writes again what had no room
            self.file.close()
        with suppress(OSError):
            self.path.unlink()


def begin(folder: Path) -> Draft:
    """Make a draft for this user alone, with a name that nobody can foresee."""
    handle, name = tempfile.mkstemp(prefix=PREFIX, dir=folder)
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX)  # waits for a sweep that looks at it just now, which takes no time
    return Draft(os.fdopen(handle, "wb"), Path(name))


def sweep(folder: Path, *, is_ours: bool) -> int:
    """Remove what no living process holds, and count it. `is_ours`: nobody else keeps files in this folder."""
    left = [path for path in folder.glob("*" if is_ours else f"{PREFIX}*") if _is_left(path)]
    for path in left:
        with suppress(OSError):  # another process sweeps too
            path.unlink()
    return len(left)


def _is_left(path: Path) -> bool:
    """Whether it is a file of this user's without a living holder. What else stands there is not opened for long."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:  # it was moved or removed just now, or is somebody else's
        return False
    try:
        found = os.fstat(handle)
        patience = YOUNG_SECONDS if _is_free(handle) else OLD_SECONDS
    finally:
        os.close(handle)
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid() and time.time() - found.st_mtime > patience


def _is_free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
