"""What the supervisor says, read beside the work: so that a cancel and the end of the pipe are noticed meanwhile."""

import os
import queue
import threading
import time
from typing import BinaryIO

from workers import frames
from workers.frames import Frame
from workers.messages import Cancel

MAX_REQUEST = 8 << 30  # bytes: above every upload limit; the supervisor is trusted, this only catches a broken pipe
GRACE_SECONDS = 0.7  # for a beat to end by itself after a cancel; what is left of two seconds is for handing over


class Inbox:
    """Reads frames in a thread, so that `cancel` and the end of the pipe are noticed while a model computes."""

    def __init__(self, requests: BinaryIO) -> None:
        self.cancelled = threading.Event()
        self._since = 0.0  # when (monotonic) it was cancelled
        self._requests = requests
        self._waiting: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> Frame:
        return self._waiting.get()

    def is_overdue(self) -> bool:
        """Whether what waits for others has to give up, so that what was found is handed over before the kill."""
        return self.cancelled.is_set() and time.monotonic() - self._since >= GRACE_SECONDS

    def _read(self) -> None:
        try:
            while frame := frames.read(self._requests, MAX_REQUEST):
                if frame.kind == Cancel.kind:
                    self._since = time.monotonic()
                    self.cancelled.set()
                else:
                    self._waiting.put(frame)
        finally:
            os._exit(0)  # whoever asked is gone: nothing here is worth a tidy end
