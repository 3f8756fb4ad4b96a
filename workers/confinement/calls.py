"""System calls that Python has no function for, through libc's `syscall`."""

import ctypes
import os

from workers.confinement import numbers
from workers.confinement.levels import NotConfined

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def call(name: str, *arguments: int) -> int:
    """Makes the system call; addresses are numbers, too. Raises OSError, and NotConfined on an unknown machine."""
    architecture = numbers.here()
    if architecture is None:
        raise NotConfined("architecture", "the sandbox knows x86-64 and aarch64 alone; set BRINELL_SANDBOX=basic")
    numeric = (ctypes.c_long(argument) for argument in arguments)
    result = int(_libc.syscall(ctypes.c_long(architecture.numbers[name]), *numeric))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, *values: int) -> int:
    """Makes the call `prctl`, on every architecture. Raises OSError."""
    given = (*values, 0, 0, 0, 0)[:4]
    result = int(_libc.prctl(option, *(ctypes.c_ulong(value) for value in given)))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl: {os.strerror(number)}")
    return result
