"""The system calls that a runner may make once it has imported its libraries; whatever is not here fails.

Left out, so that a reader need not look: whatever starts a process, opens a socket, writes a file, looks at another
process or signals one, mounts, traces, or loads something into the kernel.
"""

from collections.abc import Mapping, Sequence

from workers.confinement.filters import Argument, Condition
from workers.confinement.levels import RunnerKind

ALWAYS: Sequence[Condition] = ((),)

PLAIN = """
read readv pread64 write writev close lseek dup dup2 dup3 poll ppoll select pselect6
fstat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getcwd getdents64
mmap mprotect munmap mremap madvise brk
rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall
futex sched_yield set_robust_list set_tid_address rseq membarrier gettid exit exit_group
nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times
getpid getppid getuid geteuid getgid getegid getresuid getrandom getcpu getrusage getrlimit sysinfo uname
"""
SOCKETS = """
connect sendto recvfrom sendmsg recvmsg sendmmsg shutdown getsockname getpeername getsockopt setsockopt
epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 pipe2
"""
UNKNOWN = ("clone3", "openat2")  # their arguments lie in memory, where a filter cannot look

_WRITING = 0o3 | 0o100 | 0o1000 | 0o10000000 | 0o20000000  # O_ACCMODE, O_CREAT, O_TRUNC, O_PATH, O_TMPFILE
_THREAD, _NEW_NAMESPACES = 0x10000, 0x7E020000  # linux/sched.h: CLONE_THREAD; any CLONE_NEW...
_TERMINAL_AND_FLAGS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, ...
_DESCRIPTORS = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
_NAMES = (15, 16, 0x53564D41)  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA
_WIDE_REGISTERS = (0x1021, 0x1022, 0x1023)  # ARCH_*_XCOMP_*: without AMX matrices are multiplied otherwise
_AF_UNIX = 1
_FAMILIES, _PROTOCOLS = (2, 10), (0, 6, 17)  # AF_INET, AF_INET6; whichever is meant, TCP, UDP: landlock knows no MPTCP


def calls(kind: RunnerKind, pid: int) -> Mapping[str, Sequence[Condition]]:
    """Returns {call: rules} for the process `pid` itself."""
    return {
        **dict.fromkeys(PLAIN.split(), ALWAYS),
        "open": _one_of(1, (0,), mask=_WRITING),
        "openat": _one_of(2, (0,), mask=_WRITING),
        "clone": _one_of(0, (_THREAD,), mask=_THREAD | _NEW_NAMESPACES),
        "tgkill": _one_of(0, (pid,)),  # abort() is one
        "prlimit64": ((Argument(0, 0), *_is_null(2)), (Argument(0, pid), *_is_null(2))),
        "sched_getaffinity": _one_of(0, (0, pid)),
        "sched_setaffinity": _one_of(0, (0,)),
        "ioctl": _one_of(1, _TERMINAL_AND_FLAGS),
        "fcntl": _one_of(1, _DESCRIPTORS),
        "prctl": _one_of(0, _NAMES),
        "arch_prctl": _one_of(0, _WIDE_REGISTERS),
        **(_of_endpoints() if kind == "probe" else {}),
        **(_of_cards() if kind == "card" else {}),
    }


def _of_endpoints() -> Mapping[str, Sequence[Condition]]:
    return {
        **dict.fromkeys(SOCKETS.split(), ALWAYS),
        "socket": tuple(
            (Argument(0, family), Argument(2, protocol)) for family in _FAMILIES for protocol in _PROTOCOLS
        ),
        "socketpair": _one_of(0, (_AF_UNIX,)),
    }


def _of_cards() -> Mapping[str, Sequence[Condition]]:
    """A card's driver is spoken to by ioctl, on devices opened for writing: which ones, landlock decides."""
    creating = _WRITING & ~0o3
    return {
        **dict.fromkeys(("ioctl", "eventfd2", "pipe2"), ALWAYS),
        "open": _one_of(1, (0,), mask=creating),
        "openat": _one_of(2, (0,), mask=creating),
    }


def _one_of(position: int, values: Sequence[int], *, mask: int = 0xFFFFFFFF) -> Sequence[Condition]:
    return tuple((Argument(position, value, mask),) for value in values)


def _is_null(position: int) -> Condition:
    """A pointer's 64 bits are all zero."""
    return (Argument(position, 0), Argument(position, 0, upper=True))
