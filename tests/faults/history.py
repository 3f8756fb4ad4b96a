"""What happened in a sitting: one JSON line an event, on the disk before it counts.

`checker.py` reads nothing else, so a verdict can be had again long after, by others, of the same file.
"""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class History:
    """Many threads may write; the order of lines is the order in which things were known."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def write(self, event: str, **facts: Any) -> None:
        with self._lock:
            at = round(time.monotonic() - self._began, 3)
            self._file.write(json.dumps({"at": at, "event": event, **facts}).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[Event]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
