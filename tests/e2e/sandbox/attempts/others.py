"""Seeing, signaling, reading and changing the supervisor, and the runner of somebody else."""

import contextlib
import ctypes
import fcntl
import os
import signal
from pathlib import Path

from tests.e2e.sandbox.attempt import Attempt, Blocked, Target
from tests.e2e.sandbox.native import call

SIGNAL = signal.SIGUSR2  # the supervisor of this proof holds it back, and looks whether it came
SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
WAIT_ALL = 0x40000000


def list_processes(target: Target) -> None:
    """Lists all processes of the machine."""
    os.listdir("/proc")


def read_the_supervisors_command(target: Target) -> None:
    """Reads the command line of the supervisor."""
    Path(f"/proc/{target.parent}/cmdline").read_bytes()


def read_the_supervisors_environment(target: Target) -> None:
    """Reads the environment of the supervisor, with the password of Redis in it."""
    assert target.secret.encode() in Path(f"/proc/{target.parent}/environ").read_bytes()


def read_the_supervisors_memory(target: Target) -> None:
    """Reads the memory of the supervisor through its file."""
    with Path(f"/proc/{target.parent}/mem").open("rb", buffering=0) as memory:
        memory.seek(target.address)
        assert memory.read(len(target.secret)) == target.secret.encode()


def read_the_supervisors_map(target: Target) -> None:
    """Reads where the memory of the supervisor is."""
    if not Path(f"/proc/{target.parent}/maps").read_text():
        raise Blocked


def read_the_siblings_map(target: Target) -> None:
    """Reads where the memory of another tenant's runner is."""
    if not Path(f"/proc/{target.sibling}/maps").read_text():
        raise Blocked


def list_the_supervisors_files(target: Target) -> None:
    """Lists what the supervisor has open."""
    os.listdir(f"/proc/{target.parent}/fd")


def read_what_the_sibling_is_sent(target: Target) -> None:
    """Opens the pipe by which another tenant's model and samples come to its runner."""
    os.close(os.open(f"/proc/{target.sibling}/fd/0", os.O_RDONLY | os.O_NONBLOCK))


def go_through_the_supervisors_root(target: Target) -> None:
    """Reads a secret by way of the supervisor's own root."""
    Path(f"/proc/{target.parent}/root{target.data}/redis-url").read_text()


def copy_the_supervisors_memory(target: Target) -> None:
    """Copies the memory of the supervisor without a file."""
    assert _read(target.parent, target) == target.secret.encode()


def write_the_supervisors_memory(target: Target) -> None:
    """Writes into the memory of the supervisor, here what is there already."""
    ours = ctypes.create_string_buffer(target.secret.encode())
    _transfer("process_vm_writev", target.parent, ours, target)


def trace_the_supervisor(target: Target) -> None:
    """Stops the supervisor and takes it over."""
    _trace(target.parent)


def trace_the_sibling(target: Target) -> None:
    """Stops another tenant's runner and takes it over."""
    _trace(target.sibling)


def take_a_file_of_the_supervisor(target: Target) -> None:
    """Takes an open file of the supervisor, as its connection to Redis would be."""
    handle = call("pidfd_open", target.parent, 0)
    try:
        os.close(call("pidfd_getfd", handle, 0, 0))
    finally:
        os.close(handle)


def hold_the_supervisor(target: Target) -> None:
    """Takes hold of the supervisor."""
    os.close(call("pidfd_open", target.parent, 0))


def signal_the_supervisor(target: Target) -> None:
    """Sends the supervisor a signal."""
    os.kill(target.parent, SIGNAL)


def signal_by_its_hold(target: Target) -> None:
    """Sends the supervisor a signal by a hold on it."""
    handle = call("pidfd_open", target.parent, 0)
    try:
        call("pidfd_send_signal", handle, int(SIGNAL), None, 0)
    finally:
        os.close(handle)


def signal_a_thread(target: Target) -> None:
    """Sends a thread of the supervisor a signal, as `abort` does in a thread of one's own."""
    call("tgkill", target.parent, target.parent, int(SIGNAL))


def signal_with_a_word(target: Target) -> None:
    """Sends the supervisor a signal with a word in it."""
    word = ctypes.create_string_buffer(
        b"".join(part.to_bytes(4, "little", signed=True) for part in (SIGNAL, 0, -1)), 128
    )
    call("rt_sigqueueinfo", target.parent, int(SIGNAL), word)


def signal_by_a_pipe(target: Target) -> None:
    """Has the kernel signal the supervisor when something comes into a pipe, where only `kill` is forbidden."""
    out, into = os.pipe()
    try:
        call("fcntl", out, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        call("fcntl", out, 10, int(SIGNAL))  # F_SETSIG
        call("fcntl", out, fcntl.F_SETOWN, target.parent)
        os.write(into, b"!")
    finally:
        os.close(out)
        os.close(into)


def signal_the_sibling(target: Target) -> None:
    """Sends another tenant's runner a signal, here one that changes nothing."""
    os.kill(target.sibling, signal.SIGCONT)


def signal_everybody(target: Target) -> None:
    """May signal all processes at once. Here is only asked whether it may."""
    os.kill(-1, 0)


def _read(pid: int, target: Target) -> bytes:
    ours = ctypes.create_string_buffer(len(target.secret))
    _transfer("process_vm_readv", pid, ours, target)
    return ours.raw


def _transfer(name: str, pid: int, ours: ctypes.Array[ctypes.c_char], target: Target) -> None:
    size = len(target.secret)
    here = (ctypes.c_uint64 * 2)(ctypes.addressof(ours), size)
    there = (ctypes.c_uint64 * 2)(target.address, size)
    call(name, pid, here, 1, there, 1, 0)


def _trace(pid: int) -> None:
    call("ptrace", SEIZE, pid, 0, 0)
    with contextlib.suppress(OSError):
        call("ptrace", INTERRUPT, pid, 0, 0)
        os.waitpid(pid, WAIT_ALL)
    call("ptrace", DETACH, pid, 0, 0)


ATTEMPTS = (
    *map(
        Attempt,
        (
            list_processes,
            read_the_supervisors_command,
            read_the_supervisors_environment,
            read_the_supervisors_memory,
            read_the_supervisors_map,
            read_the_siblings_map,
            list_the_supervisors_files,
            read_what_the_sibling_is_sent,
            go_through_the_supervisors_root,
            copy_the_supervisors_memory,
            write_the_supervisors_memory,
            trace_the_supervisor,
            trace_the_sibling,
            take_a_file_of_the_supervisor,
            hold_the_supervisor,
            signal_the_sibling,
            signal_everybody,
        ),
    ),
    *(
        Attempt(do, is_witnessed=True)
        for do in (
            signal_the_supervisor,
            signal_a_thread,
            signal_with_a_word,
            signal_by_its_hold,
            signal_by_a_pipe,
        )
    ),
)
