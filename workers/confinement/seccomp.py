"""seccomp: the filter of system calls, put over all threads of a process at once (Linux 3.17)."""

import ctypes
import os
import struct

from workers.confinement import numbers, permitted
from workers.confinement.calls import call
from workers.confinement.filters import program
from workers.confinement.levels import NotConfined, RunnerKind

_SET_MODE_FILTER, _ALL_THREADS = 1, 1  # linux/seccomp.h: SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC


def restrict(kind: RunnerKind) -> None:
    """Allows this process the system calls of `permitted` and no others, for good. Raises NotConfined."""
    architecture = numbers.here()
    if architecture is None:
        raise NotConfined("seccomp", "nobody has written a filter for this architecture")
    code, length = program(permitted.calls(kind, os.getpid()), permitted.UNKNOWN, architecture)
    instructions = ctypes.create_string_buffer(code, len(code))
    filtering = struct.pack("@HP", length, ctypes.addressof(instructions))
    buffer = ctypes.create_string_buffer(filtering, len(filtering))
    try:
        thread = call("seccomp", _SET_MODE_FILTER, _ALL_THREADS, ctypes.addressof(buffer))
    except OSError as error:
        raise NotConfined("seccomp", "the kernel takes no filter of system calls, or forbids it here") from error
    if thread != 0:
        raise NotConfined("seccomp", "a thread of the process keeps a filter of its own")
