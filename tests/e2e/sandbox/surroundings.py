"""What a runner is started in, made here from less to go on: an ordinary user, a container without a daemon."""

import ctypes
import os
import struct
import sys
from pathlib import Path

from tests.e2e.sandbox.native import NUMBERS, call

ORDINARY = 65534
CHECKOUT = Path(__file__).parents[3]
NEW_NAMESPACES, BIND, RECURSIVE, PRIVATE, NEW_MOUNTS = 0x7E020000, 0x1000, 0x4000, 0x40000, 0x20000
CLONE, CLONE3 = 56, 435
NOT_PERMITTED, NO_SUCH_CALL = 0x50001, 0x50026  # EPERM and ENOSYS, as a filter answers
# Of what the attempts try, what moby's default profile has not on its list for a container without capabilities.
CONTAINERS_DENY = """
unshare setns mount umount2 pivot_root fsopen chroot sethostname bpf perf_event_open quotactl syslog init_module
kexec_load iopl clock_settime fanotify_init open_by_handle_at io_uring_setup userfaultfd add_key keyctl kcmp
pidfd_getfd process_madvise move_pages
"""


def become_ordinary() -> None:
    """Becomes a user without rights, who can still read Python and the checkout, wherever they are."""
    make_readable()
    os.setgroups([])
    os.setresgid(ORDINARY, ORDINARY, ORDINARY)
    os.setresuid(ORDINARY, ORDINARY, ORDINARY)


def make_readable() -> None:
    """Puts an open folder over each that others may not enter, and back into it what this interpreter needs of it."""
    needed = {Path(one).resolve() for one in (sys.base_prefix, sys.prefix, CHECKOUT, *sys.path) if Path(one).is_dir()}
    closed: dict[Path, list[Path]] = {}
    for folder in needed:
        for above in reversed(folder.parents):
            if not above.stat().st_mode & 1:
                closed.setdefault(above, []).append(folder)
                break
    if closed:
        call("unshare", NEW_MOUNTS)
        _mount(b"none", "/", b"", RECURSIVE | PRIVATE)
    for folder, inside in closed.items():
        held = [(kept, os.open(kept, os.O_PATH)) for kept in inside]
        _mount(b"none", str(folder), b"tmpfs", 0)
        os.chmod(folder, 0o755)
        for kept, file in held:
            kept.mkdir(parents=True, exist_ok=True)
            _mount(os.fsencode(f"/proc/self/fd/{file}"), str(kept), b"", BIND)
            os.close(file)


def enter_a_container() -> None:
    """Has what Docker leaves a container that drops all capabilities, under its default profile of system calls.

    No capability, no new privileges, no namespaces, and none of the calls that it keeps for who has capabilities.
    """
    call("prctl", 38, 1, 0, 0, 0)
    for capability in range(64):
        if _prctl_fails(24, capability):
            break
    call_capset()
    _filter(_container())


def call_capset() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _prctl_fails(option: int, value: int) -> bool:
    try:
        call("prctl", option, value, 0, 0, 0)
    except OSError:
        return True
    return False


def _container() -> list[tuple[int, int, int, int]]:
    """Classic BPF: load the number; for each denied call, jump to the answer."""
    program = [(0x20, 0, 0, 0)]
    program += [(0x15, 0, 1, CLONE3), (0x06, 0, 0, NO_SUCH_CALL)]
    for name in CONTAINERS_DENY.split():
        program += [(0x15, 0, 1, NUMBERS[name]), (0x06, 0, 0, NOT_PERMITTED)]
    program += [(0x15, 0, 3, CLONE), (0x20, 0, 0, 16), (0x45, 0, 1, NEW_NAMESPACES), (0x06, 0, 0, NOT_PERMITTED)]
    return [*program, (0x06, 0, 0, 0x7FFF0000)]


def _filter(program: list[tuple[int, int, int, int]]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    told = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    call("seccomp", 1, 0, told)


def _mount(source: bytes, onto: str, kind: bytes, flags: int) -> None:
    call("mount", source, os.fsencode(onto), kind, flags, None)
