"""The privileges of a process, given up for good: capabilities, and what an execve could give back."""

import ctypes

from workers.confinement.calls import prctl

_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_VERSION_3 = 0x20080522  # linux/capability.h
_MOST = 64  # capabilities that the interface has room for

_libc = ctypes.CDLL(None, use_errno=True)


def give_up() -> None:
    """Drops every capability and the way back to any. Raises OSError."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _empty_bounding_set()
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()  # twice: effective, permitted, inheritable
    if _libc.capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _empty_bounding_set() -> None:
    """It bounds what an execve may add: where we lack the right to empty it, no_new_privs has made it idle already."""
    for capability in range(_MOST):
        try:
            prctl(_PR_CAPBSET_DROP, capability)
        except OSError:  # EINVAL: beyond the last one; EPERM: not ours to drop
            return
