"""The last words of a runner: its standard output and error, bounded, for our log and never for a client."""

import threading
from typing import BinaryIO

KEPT_BYTES = 16 << 10


class LogTail:
    """Drains a pipe from a thread, so that a chatty child never blocks on it, and keeps the end."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._kept = b""
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What was said so far; all of it, once the child is dead."""
        return self._kept.decode(errors="replace")

    def close(self) -> None:
        """Call when the child is dead: waits for what is still in the pipe."""
        self._thread.join(timeout=1)

    def _drain(self) -> None:
        with self._pipe:
            while chunk := self._pipe.read1(4096):  # type: ignore[attr-defined]
                self._kept = (self._kept + chunk)[-KEPT_BYTES:]
