"""Writing anything at all."""

import os
import resource
import stat
from pathlib import Path

from tests.e2e.sandbox.attempt import Attempt, Blocked, Target
from tests.e2e.sandbox.native import call


def write_our_code(target: Target) -> None:
    """Opens the code of this service for writing."""
    os.close(os.open(f"{target.checkout}/models/cards.py", os.O_WRONLY))


def write_in_the_checkout(target: Target) -> None:
    """Puts a module of its own beside ours."""
    _write(f"{target.checkout}/hostile_module.py")


def write_in_its_directory(target: Target) -> None:
    """Writes into the empty directory that it runs in."""
    os.chmod(".", 0o700)
    _write("note")


def write_in_tmp(target: Target) -> None:
    """Writes a temporary file, for another runner to find."""
    _write(f"/tmp/hostile-{os.getpid()}")


def write_in_shared_memory(target: Target) -> None:
    """Writes into the memory that all processes of the machine share."""
    _write(f"/dev/shm/hostile-{os.getpid()}")


def write_in_the_library(target: Target) -> None:
    """Replaces what another tenant uploaded."""
    os.close(os.open(f"{target.data}/library/object", os.O_RDWR))


def fill_the_disk(target: Target) -> None:
    """Writes files without end, here two of 4 MiB."""
    for number in range(2):
        _write(f"{target.data}/filling-{number}", b"\0" * (4 << 20))


def truncate(target: Target) -> None:
    """Cuts off an object of the library."""
    call("truncate", os.fsencode(f"{target.data}/library/object"), 1)


def remove(target: Target) -> None:
    """Removes a file of the library."""
    os.unlink(f"{target.data}/library/to-remove")


def rename(target: Target) -> None:
    """Renames a file of the library."""
    os.rename(f"{target.data}/library/to-rename", f"{target.data}/library/renamed")


def open_to_all(target: Target) -> None:
    """Gives everybody the right to read the key."""
    os.chmod(f"{target.data}/api-key", 0o644)


def link(target: Target) -> None:
    """Makes a second name for a secret."""
    os.link(f"{target.data}/redis-url", f"{target.data}/linked")


def link_by_name(target: Target) -> None:
    """Makes a name that leads elsewhere, for the service to follow."""
    os.symlink("/etc/passwd", f"{target.data}/library/symlinked")


def make_a_folder(target: Target) -> None:
    """Makes a folder in the library."""
    os.mkdir(f"{target.data}/library/folder")


def make_a_pipe(target: Target) -> None:
    """Makes a pipe with a name, that whoever opens it waits for."""
    os.mkfifo(f"{target.data}/library/pipe")


def change_times(target: Target) -> None:
    """Makes an object look old enough to be swept."""
    os.utime(f"{target.data}/library/object", (0, 0))


def mark_a_file(target: Target) -> None:
    """Writes an attribute onto a file."""
    os.setxattr(f"{target.data}/library/object", "user.hostile", b"1")


def write_a_setting_of_the_kernel(target: Target) -> None:
    """Opens the name of the program that the kernel runs for a crash."""
    os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))


def write_its_score_for_memory(target: Target) -> None:
    """Makes others die before it when memory runs out."""
    Path("/proc/self/oom_score_adj").write_text("0")


def keep_a_file_without_a_name(target: Target) -> None:
    """Keeps more in a file without a name than its memory may hold: here 1 MiB of it."""
    file = call("memfd_create", b"hostile", 0)
    try:
        if os.write(file, b"\0" * (1 << 20)) < 1 << 20:
            raise Blocked
    finally:
        os.close(file)


def write_its_own_memory(target: Target) -> None:
    """Opens its own memory for writing, past what is read only in it."""
    os.close(os.open("/proc/self/mem", os.O_RDWR))


def open_its_pipe_the_other_way(target: Target) -> None:
    """Opens the end of its pipe that the supervisor has, to speak to itself in the supervisor's name."""
    os.close(os.open("/proc/self/fd/0", os.O_WRONLY | os.O_NONBLOCK))


def write_to_what_it_was_given(target: Target) -> None:
    """Has something open beside the three pipes to its supervisor."""
    strange = [number for number in range(resource.getrlimit(resource.RLIMIT_NOFILE)[0]) if _is_strange(number)]
    if not strange:
        raise Blocked


def _is_strange(number: int) -> bool:
    """Open, and neither a pipe nor a thing of the kernel without a name (of an event loop), nor code to be read."""
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        return False
    if stat.S_ISSOCK(mode):
        return True
    return not (stat.S_ISFIFO(mode) or stat.S_IFMT(mode) == 0)


def _write(name: str, data: bytes = b"hostile") -> None:
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if os.write(file, data) < len(data):
            raise Blocked
    finally:
        os.close(file)
        os.unlink(name)


ATTEMPTS = (
    *map(
        Attempt,
        (
            write_our_code,
            write_in_the_checkout,
            write_in_its_directory,
            write_in_tmp,
            write_in_shared_memory,
            write_in_the_library,
            fill_the_disk,
            truncate,
            remove,
            rename,
            open_to_all,
            link,
            link_by_name,
            make_a_folder,
            make_a_pipe,
            change_times,
            mark_a_file,
            write_a_setting_of_the_kernel,
            write_its_score_for_memory,
            keep_a_file_without_a_name,
            write_its_own_memory,
            open_its_pipe_the_other_way,
            write_to_what_it_was_given,
        ),
    ),
)
