"""Not an attempt to get out, but ways to be a bad guest: none of them gives a model."""

import ctypes
import os
import signal

from tests.e2e.sandbox.attempt import Attempt, Target
from tests.e2e.sandbox.native import run


def spin(target: Target) -> None:
    """Computes for ever in machine code that lets nobody else have Python, and hears no signal that can be ignored."""
    for number in sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV}):
        ctypes.CDLL(None).signal(int(number), 1)
    run("EBFE", lets_others=False)


def abort(target: Target) -> None:
    """Ends as a runtime does that finds no memory, or itself in a state that cannot be."""
    os.abort()


def crash(target: Target) -> None:
    """Reads where there is nothing."""
    ctypes.string_at(0)


def want_too_much_memory(target: Target) -> None:
    """Asks for more memory than its limit, from Python, which says so."""
    bytearray(1 << 40)


ATTEMPTS = tuple(map(Attempt, (spin, abort, crash, want_too_much_memory)))
