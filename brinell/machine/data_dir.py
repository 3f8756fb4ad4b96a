"""The folder of one local installation: who holds it, and where the CLI finds its address and key.

api-key    the key of `brinell up`, with all scopes          0600
secret-key what encrypts the credentials of endpoints        0600
url        where the API listens, while it runs
redis-url  where its Redis listens, while it runs            0600
lock       held by the `brinell up` that runs here
library/ valkey/ logs/
"""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from brinell.errors import BrinellError

DEFAULT = Path(".brinell")


class DataDir:
    """A data folder belongs to one installation at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: TextIO | None = None

    @property
    def logs(self) -> Path:
        """Names the folder of the processes' logs."""
        return self.path / "logs"

    @property
    def library(self) -> Path:
        """Names the folder of the uploaded bytes."""
        return self.path / "library"

    @property
    def valkey(self) -> Path:
        """Names the folder in which the embedded server keeps its data."""
        return self.path / "valkey"

    def hold(self) -> None:
        """Makes the folder, and keeps every other installation out until `let_go` or the end of this process."""
        try:
            for folder in (self.path, self.logs, self.library):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self.path / "lock").open("a+", encoding="ascii")
        except OSError as error:
            detail = f"Cannot write to {self.path} ({error.strerror}); choose another --data-dir."
            raise BrinellError(detail, code="cannot_start") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with lock:
                lock.seek(0)
                holder = f"process {lock.read().strip()} already runs Brinell"
            detail = f"In {self.path} {holder}; stop it, or choose another --data-dir."
            raise BrinellError(detail, code="cannot_start") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def let_go(self) -> None:
        """Lets others in. It does nothing where the folder is not ours: then its addresses are those of a running
        installation.
        """
        if self._lock is None:
            return
        for name in ("url", "redis-url"):
            (self.path / name).unlink(missing_ok=True)
        self._lock.close()
        self._lock = None

    def read(self, name: str) -> str | None:
        """Reads what a file of the folder says; None where there is no such file."""
        try:
            return (self.path / name).read_text(encoding="ascii").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def write(self, name: str, text: str) -> None:
        """Writes a file at once or not at all, for nobody else to read."""
        draft = self.path / f"{name}.new"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{text}\n")
        draft.replace(self.path / name)
