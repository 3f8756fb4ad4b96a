"""System calls by their numbers, as native code makes them: past Python, past the C library's wrappers."""

import ctypes
import errno
import mmap
import os
import platform
import re
from typing import Any

IS_KNOWN = platform.machine() == "x86_64"  # the numbers below are those of this machine's kind
_LISTED = """
mmap 9 ioctl 16 shmget 29 shmctl 31 execve 59 semget 64 semctl 66 msgget 68 msgctl 71 fcntl 72 truncate 76 ptrace 101
syslog 103 rt_sigqueueinfo 129 mknod 133 personality 135 setpriority 141 modify_ldt 154 pivot_root 155 prctl 157
chroot 161 mount 165 umount2 166 sethostname 170 iopl 172 init_module 175 quotactl 179 clock_settime 227 tgkill 234
mq_open 240 mq_unlink 241 kexec_load 246 add_key 248 keyctl 250 ioprio_set 251 inotify_add_watch 254 unshare 272
get_robust_list 274 move_pages 279 inotify_init1 294 perf_event_open 298 fanotify_init 300 prlimit64 302
name_to_handle_at 303 open_by_handle_at 304 setns 308 process_vm_readv 310 process_vm_writev 311 kcmp 312
sched_setattr 314 seccomp 317 memfd_create 319 bpf 321 execveat 322 userfaultfd 323 pidfd_send_signal 424
io_uring_setup 425 fsopen 430 pidfd_open 434 openat2 437 pidfd_getfd 438 process_madvise 440 memfd_secret 447
"""
NUMBERS = {name: int(number) for name, number in re.findall(r"(\w+) (\d+)", _LISTED)}  # asm/unistd_64.h
HERE = -100  # AT_FDCWD
DENIED = (errno.EPERM, errno.EACCES, errno.ENOSYS)

_written: list[mmap.mmap] = []  # kept: a thread may still run in it

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def call(name: str, *arguments: Any) -> int:
    """Make a system call. Raises OSError with what the kernel, or a filter before it, said."""
    return raw(NUMBERS[name], *arguments)


def raw(number: int, *arguments: Any) -> int:
    passed = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    answer = int(_libc.syscall(ctypes.c_long(number), *passed))
    if answer == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def reach(name: str, *arguments: Any) -> str:
    """Make a call that cannot succeed as it is put: it got through if the kernel complains of what was put."""
    try:
        call(name, *arguments)
    except OSError as error:
        if error.errno in DENIED:
            raise
        return f"the kernel read the call: {errno.errorcode[error.errno or 0]}"
    return "the kernel did it"


def run(code: str, *, lets_others: bool = True) -> int:
    """Run machine code, given in hexadecimal, and return what it leaves in the register of answers."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex(code))
    _written.append(page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    function = ctypes.CFUNCTYPE if lets_others else ctypes.PYFUNCTYPE
    return int(function(ctypes.c_int)(address)())


def begin_process(begin: str) -> int:
    """Run machine code that begins a process, which ends at once. Returns its number. Raises OSError."""
    child = "B83C000000 31FF 0F05"  # exit(0); the child never returns into Python
    parent = f"85C0 75{len(bytes.fromhex(child)):02X} {child} C3"  # if the answer is 0: the child; else return it
    answer = run(f"{begin} 0F05 {parent}")
    if answer < 0:
        raise OSError(-answer, os.strerror(-answer))
    return answer
