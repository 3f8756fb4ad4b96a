"""Landlock: which files a process may open at all, in plain system calls (Linux 5.13, `linux/landlock.h`)."""

import ctypes
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISDIR

from workers.confinement.calls import call
from workers.confinement.levels import NotConfined

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
IOCTL_DEV = 1 << 15
READ = READ_FILE | READ_DIR

_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | IOCTL_DEV  # the rest is about directories, and refused of a file
_BIND_TCP, _CONNECT_TCP = 1, 2
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2
_VERSION, _PATH_BENEATH = 1, 1
_WHY = "the kernel has no landlock (Linux 5.13, with landlock among its LSMs) or forbids it here"


def version() -> int:
    """Returns the version of the kernel's landlock. Raises NotConfined where there is none."""
    try:
        return call("landlock_create_ruleset", 0, 0, _VERSION)
    except OSError as error:
        raise NotConfined("landlock", _WHY) from error


def restrict(openable: Mapping[Path, int], *, may_connect: bool) -> None:
    """Leaves this thread, and those it will start, what is openable: {path: rights}; paths not there are passed by.

    Where the kernel knows how, also TCP, signals and abstract sockets to processes outside are taken away; where it
    does not, the filter of system calls is what forbids them. Raises NotConfined.
    """
    known = version()
    try:
        ruleset = _ruleset(known, may_connect=may_connect)
        for path, rights in openable.items():
            _allow(ruleset, path, rights & _handled(known))
        call("landlock_restrict_self", ruleset, 0)
        os.close(ruleset)
    except OSError as error:
        raise NotConfined("landlock", _WHY) from error


def _handled(known: int) -> int:
    """All rights over files that this version can take away."""
    return (1 << (13 if known < 2 else 14 if known < 3 else 15 if known < 5 else 16)) - 1


def _ruleset(known: int, *, may_connect: bool) -> int:
    tcp = _BIND_TCP if may_connect else _BIND_TCP | _CONNECT_TCP
    attributes = struct.pack(
        "=QQQ", _handled(known), tcp if known >= 4 else 0, _ABSTRACT_SOCKETS | _SIGNALS if known >= 6 else 0
    )
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    return call("landlock_create_ruleset", ctypes.addressof(buffer), len(attributes), 0)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not on this machine, or not for us
        return
    try:
        of_this = rights if S_ISDIR(os.fstat(opened).st_mode) else rights & _OF_FILES
        rule = struct.pack("=Qi", of_this, opened)
        buffer = ctypes.create_string_buffer(rule, len(rule))
        call("landlock_add_rule", ruleset, _PATH_BENEATH, ctypes.addressof(buffer), 0)
    finally:
        os.close(opened)
