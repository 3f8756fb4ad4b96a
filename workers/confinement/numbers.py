"""The numbers of the system calls that we make or let through, by architecture: Linux `asm/unistd_64.h`, `asm-generic`.

Calls that an architecture has not are left out of its table. Elsewhere `strict` is not available.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """An architecture is what the kernel calls it in a filter (`linux/audit.h`) and its calls' numbers.

    `foreign`: numbers from here on are calls of another width (x32), which a filter must not take for ours.
    """

    audit: int
    numbers: Mapping[str, int]
    foreign: int | None = None


def _table(text: str) -> Mapping[str, int]:
    words = text.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


_COMMON = """
clone3 435 openat2 437 faccessat2 439 landlock_create_ruleset 444 landlock_add_rule 445 landlock_restrict_self 446
"""

X86_64 = Architecture(
    0xC000003E,
    _table(
        _COMMON
        + """
        read 0 write 1 open 2 close 3 stat 4 fstat 5 lstat 6 poll 7 lseek 8 mmap 9 mprotect 10 munmap 11 brk 12
        rt_sigaction 13 rt_sigprocmask 14 rt_sigreturn 15 ioctl 16 pread64 17 readv 19 writev 20 access 21 select 23
        sched_yield 24 mremap 25 madvise 28 dup 32 dup2 33 nanosleep 35 getpid 39 socket 41 connect 42 sendto 44
        recvfrom 45 sendmsg 46 recvmsg 47 shutdown 48 getsockname 51 getpeername 52 socketpair 53 setsockopt 54
        getsockopt 55 clone 56 exit 60 uname 63 fcntl 72 getcwd 79 readlink 89 gettimeofday 96 getrlimit 97
        getrusage 98 sysinfo 99 times 100 getuid 102 getgid 104 geteuid 107 getegid 108 getppid 110 getresuid 118
        capset 126 sigaltstack 131 prctl 157 arch_prctl 158 gettid 186 time 201 futex 202 sched_setaffinity 203
        sched_getaffinity 204 getdents64 217 set_tid_address 218 restart_syscall 219 clock_gettime 228
        clock_getres 229 clock_nanosleep 230 exit_group 231 epoll_wait 232 epoll_ctl 233 tgkill 234 openat 257
        newfstatat 262 readlinkat 267 faccessat 269 pselect6 270 ppoll 271 unshare 272 set_robust_list 273
        epoll_pwait 281 eventfd2 290 epoll_create1 291 dup3 292 pipe2 293 prlimit64 302 sendmmsg 307 getcpu 309
        seccomp 317 getrandom 318 membarrier 324 statx 332 rseq 334
        """
    ),
    foreign=0x40000000,
)

AARCH64 = Architecture(
    0xC00000B7,
    _table(
        _COMMON
        + """
        getcwd 17 eventfd2 19 epoll_create1 20 epoll_ctl 21 epoll_pwait 22 dup 23 dup3 24 fcntl 25 ioctl 29
        faccessat 48 openat 56 close 57 pipe2 59 getdents64 61 lseek 62 read 63 write 64 readv 65 writev 66 pread64 67
        pselect6 72 ppoll 73 readlinkat 78 newfstatat 79 fstat 80 capset 91 exit 93 exit_group 94 set_tid_address 96
        unshare 97 futex 98 set_robust_list 99 nanosleep 101 clock_gettime 113 clock_getres 114 clock_nanosleep 115
        sched_setaffinity 122 sched_getaffinity 123 sched_yield 124 restart_syscall 128 tgkill 131 sigaltstack 132
        rt_sigaction 134 rt_sigprocmask 135 rt_sigreturn 139 getresuid 148 times 153 uname 160 getrlimit 163
        getrusage 165 prctl 167 getcpu 168 gettimeofday 169 getpid 172 getppid 173 getuid 174 geteuid 175 getgid 176
        getegid 177 gettid 178 sysinfo 179 socket 198 socketpair 199 connect 203 getsockname 204 getpeername 205
        sendto 206 recvfrom 207 setsockopt 208 getsockopt 209 shutdown 210 sendmsg 211 recvmsg 212 brk 214 munmap 215
        mremap 216 clone 220 mmap 222 mprotect 226 madvise 233 prlimit64 261 sendmmsg 269 seccomp 277 getrandom 278
        membarrier 283 statx 291 rseq 293
        """
    ),
)

_KNOWN = {"x86_64": X86_64, "aarch64": AARCH64}


def here() -> Architecture | None:
    """Returns the architecture of this process; None: nobody has written its numbers down."""
    return _KNOWN.get(platform.machine())
