"""Leaving something for others to find, and slowing them down."""

import ctypes
import os
import resource

from tests.e2e.sandbox.attempt import Attempt, Target
from tests.e2e.sandbox.native import call


def limit_the_sibling(target: Target) -> None:
    """Sets a limit of another tenant's runner, here to what it is."""
    now = ctypes.create_string_buffer(16)
    call("prlimit64", target.sibling, int(resource.RLIMIT_CORE), None, now)
    call("prlimit64", target.sibling, int(resource.RLIMIT_CORE), now, None)


def slow_the_sibling(target: Target) -> None:
    """Puts another tenant's runner last in line for the processor."""
    os.setpriority(os.PRIO_PROCESS, target.sibling, 15)


def move_the_sibling(target: Target) -> None:
    """Keeps another tenant's runner on some processors, here on those that it has."""
    os.sched_setaffinity(target.sibling, os.sched_getaffinity(target.sibling))


def schedule_the_sibling(target: Target) -> None:
    """Lets another tenant's runner work only where nobody else would."""
    os.sched_setscheduler(target.sibling, os.SCHED_BATCH, os.sched_param(0))


def slow_the_siblings_disk(target: Target) -> None:
    """Puts another tenant's runner last in line for the disk."""
    call("ioprio_set", 1, target.sibling, 2 << 13 | 7)


def find_the_siblings_locks(target: Target) -> None:
    """Reads where another tenant's runner keeps its locks."""
    call("get_robust_list", target.sibling, ctypes.create_string_buffer(8), ctypes.create_string_buffer(8))


def find_the_siblings_pages(target: Target) -> None:
    """Asks on which memory another tenant's runner is."""
    page, status = ctypes.c_void_p(target.address & ~0xFFF), ctypes.c_int(0)
    call("move_pages", target.sibling, 1, ctypes.byref(page), None, ctypes.byref(status), 0)


def compare_two_processes(target: Target) -> None:
    """Asks the kernel whether two others share a table of files."""
    call("kcmp", target.parent, target.sibling, 2, 0, 0)


def share_memory_by_number(target: Target) -> None:
    """Makes a piece of memory that outlives it and others can find (System V)."""
    call("shmctl", call("shmget", 0, 4096, 0o1600), 0, None)


def share_messages_by_number(target: Target) -> None:
    """Makes a queue of messages that outlives it (System V)."""
    call("msgctl", call("msgget", 0, 0o1600), 0, None)


def share_locks_by_number(target: Target) -> None:
    """Makes locks that outlive it (System V)."""
    call("semctl", call("semget", 0, 1, 0o1600), 0, 0, None)


def share_messages_by_name(target: Target) -> None:
    """Makes a queue of messages with a name (POSIX)."""
    queue = call("mq_open", b"hostile", os.O_CREAT | os.O_RDWR, 0o600, None)
    os.close(queue)
    call("mq_unlink", b"hostile")


def keep_a_key_in_the_kernel(target: Target) -> None:
    """Keeps a note in the key ring that processes of this user share."""
    call("add_key", b"user", b"hostile", b"1", 1, -4)


def read_the_keys_of_the_user(target: Target) -> None:
    """Finds the key ring of this user."""
    call("keyctl", 0, -4, 1)


ATTEMPTS = (
    *map(
        Attempt,
        (
            limit_the_sibling,
            slow_the_sibling,
            move_the_sibling,
            schedule_the_sibling,
            slow_the_siblings_disk,
            find_the_siblings_locks,
            find_the_siblings_pages,
            compare_two_processes,
            share_memory_by_number,
            share_messages_by_number,
            share_locks_by_number,
            share_messages_by_name,
            keep_a_key_in_the_kernel,
            read_the_keys_of_the_user,
        ),
    ),
)
