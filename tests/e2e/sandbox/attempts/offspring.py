"""Starting anything, and outliving the job."""

import ctypes
import errno
import os
import signal
import threading
import time

from tests.e2e.sandbox.attempt import Attempt, Blocked, Target
from tests.e2e.sandbox.native import HERE, NUMBERS, begin_process, call, raw

CLONE = "B838000000 BF{flags} 31F6 31D2 4D31D2 4D31C0"  # clone(flags, 0, 0, 0, 0)
CLONE3 = "B8B3010000 48BF{address} BE40000000"  # clone3(address, 64)
VM, VFORK, UTS, THREAD = 0x100, 0x4000, 0x4000000, 0x10F00  # THREAD: of memory, files, folders, handlers, group
USER = 0x10000000
PROGRAM = b"/bin/true"


def fork(target: Target) -> None:
    """Forks."""
    _collect(begin_process("B839000000"))


def vfork(target: Target) -> None:
    """Forks without a copy of its memory."""
    _collect(begin_process("B83A000000"))


def clone_a_process(target: Target) -> None:
    """Clones itself as a process."""
    _collect(begin_process(CLONE.format(flags=_little(signal.SIGCHLD))))


def clone_a_process_that_shares_memory(target: Target) -> None:
    """Clones a process that is no thread, on its own memory, as the C library starts programs."""
    _collect(begin_process(CLONE.format(flags=_little(VM | VFORK | signal.SIGCHLD))))


def clone_by_the_newer_call(target: Target) -> None:
    """Clones a process by clone3, whose flags no filter can read."""
    wanted = (ctypes.c_uint64 * 8)(0, 0, 0, 0, signal.SIGCHLD)
    _collect(begin_process(CLONE3.format(address=_little(ctypes.addressof(wanted), 8))))


def clone_into_its_own_users(target: Target) -> None:
    """Begins a process that is root among users of its own."""
    _collect(begin_process(CLONE.format(flags=_little(USER | signal.SIGCHLD))))


def clone_a_thread_into_another_world(target: Target) -> None:
    """Begins a thread with a host name of its own, where a filter lets threads through."""
    begin_process(CLONE.format(flags=_little(UTS | THREAD)))


def execute(target: Target) -> None:
    """Becomes another program. The arguments cannot be read, so that nothing begins where it is let."""
    _execute("execve", ctypes.c_char_p(PROGRAM), 1, 0)


def execute_at(target: Target) -> None:
    """Becomes another program by the newer call."""
    _execute("execveat", HERE, ctypes.c_char_p(PROGRAM), 1, 0, 0)


def execute_what_has_no_name(target: Target) -> None:
    """Becomes a program that it wrote into memory."""
    file = call("memfd_create", b"hostile", 0)
    try:
        os.write(file, b"#!/bin/sh\n")
        _execute("execveat", file, ctypes.c_char_p(b""), 1, 0, 0x1000)
    finally:
        os.close(file)


def leave_an_orphan(target: Target) -> str:
    """Leaves a process in a session of its own, which the kill of the runner's group does not reach."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        time.sleep(600)
        os._exit(0)
    return str(pid)


def outlive_the_supervisor(target: Target) -> None:
    """Undoes that it dies with its parent."""
    call("prctl", 1, 0, 0, 0, 0)


def begin_threads(target: Target) -> None:
    """Begins threads."""
    thread = threading.Thread(target=time.sleep, args=(0,))
    thread.start()
    thread.join()


def _execute(name: str, *arguments: object) -> None:
    try:
        raw(NUMBERS[name], *arguments)
    except OSError as error:
        if error.errno != errno.EFAULT:  # the program was opened, and only then its arguments looked at
            raise


def _collect(pid: int) -> None:
    if os.waitpid(pid, 0x40000000)[0] != pid:
        raise Blocked


def _little(number: int, size: int = 4) -> str:
    return int(number).to_bytes(size, "little").hex()


ATTEMPTS = (
    *map(
        Attempt,
        (
            fork,
            vfork,
            clone_a_process,
            clone_a_process_that_shares_memory,
            clone_by_the_newer_call,
            clone_into_its_own_users,
            clone_a_thread_into_another_world,
            execute,
            execute_at,
            execute_what_has_no_name,
            leave_an_orphan,
            outlive_the_supervisor,
        ),
    ),
    Attempt(begin_threads, "the runtimes are made of threads; the container's pids limit bounds them"),
)
