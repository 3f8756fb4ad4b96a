"""How long a test waits for what must happen: only what hangs takes as long, on however slow a machine."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 600.0
_Found = TypeVar("_Found")


def until(is_so: Callable[[], _Found], *, what: str) -> _Found:
    """What `is_so` returns, as soon as it is true. Asserts that it ever is."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := is_so()):
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_SECONDS:g} s"
        time.sleep(0.02)
    return found
