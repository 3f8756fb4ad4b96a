"""What only a kernel should do, and what holes in kernels were found behind."""

import ctypes
import mmap
import os
import platform
import resource
import signal
import time

from tests.e2e.sandbox.attempt import Attempt, Blocked, Target
from tests.e2e.sandbox.native import call, raw, reach, run

ROUND, PRIVATE_HERE, TYPE = 7 << 32, 0x100022, 0x5412  # an address; MAP_FIXED_NOREPLACE ... ANONYMOUS; TIOCSTI
UNLIMITED = (ctypes.c_uint64 * 2)(2**64 - 1, 2**64 - 1)


def mount(target: Target) -> None:
    """Mounts a file system over a folder."""
    call("mount", b"none", os.fsencode(f"{target.data}/mounted"), b"tmpfs", 0, None)
    call("umount2", os.fsencode(f"{target.data}/mounted"), 2)


def mount_by_the_newer_call(target: Target) -> None:
    """Opens a file system to mount."""
    os.close(call("fsopen", b"tmpfs", 0))


def change_the_root(target: Target) -> None:
    """Makes a folder its root, here the root itself."""
    call("chroot", b"/")


def swap_the_root(target: Target) -> str:
    """Swaps the root of its file system."""
    return reach("pivot_root", b"/", b"/")


def leave_its_namespaces(target: Target) -> str:
    """Makes namespaces of its own, in which it is root."""
    return reach("unshare", 0x10000000)


def enter_others_namespaces(target: Target) -> str:
    """Goes into the namespaces of another process, here of none."""
    return reach("setns", 0, 0)


def name_the_host(target: Target) -> None:
    """Gives the machine a name, here the one it has."""
    name = platform.node().encode()
    call("sethostname", name, len(name))


def set_the_clock(target: Target) -> str:
    """Sets the clock of the machine, here to no time."""
    return reach("clock_settime", 0, (ctypes.c_int64 * 2)(0, 2_000_000_000))


def load_a_program_of_the_kernel(target: Target) -> str:
    """Loads a program into the kernel (bpf)."""
    return reach("bpf", 5, None, 0)


def load_a_module(target: Target) -> str:
    """Loads a module into the kernel, here none."""
    return reach("init_module", None, 0, b"")


def load_another_kernel(target: Target) -> str:
    """Loads another kernel, here none."""
    return reach("kexec_load", 0, 17, None, 0)


def read_the_log_of_the_kernel(target: Target) -> None:
    """Reads the log of the kernel, with addresses in it."""
    call("syslog", 10, None, 0)


def count_in_the_kernel(target: Target) -> str:
    """Opens a counter of performance (perf)."""
    return reach("perf_event_open", ctypes.create_string_buffer(128), 0, -1, -1, 0)


def handle_faults(target: Target) -> None:
    """Handles faults of memory itself, and so halts the kernel where it likes (userfaultfd)."""
    os.close(call("userfaultfd", 1))


def hide_memory(target: Target) -> str:
    """Keeps memory that the kernel cannot read (memfd_secret)."""
    return reach("memfd_secret", 0)


def reach_for_ports(target: Target) -> None:
    """Takes the right to talk to devices, here the one it has."""
    call("iopl", 0)


def write_segments(target: Target) -> str:
    """Sets the segments of its memory, where holes were found."""
    return reach("modify_ldt", 17, None, 0)


def set_a_quota(target: Target) -> str:
    """Changes quotas of the disk, here of none."""
    return reach("quotactl", 0x80000100, None, 0, None)


def change_its_personality(target: Target) -> None:
    """Has its memory laid out where it can be guessed."""
    before = call("personality", 0xFFFFFFFF)
    call("personality", 0x40000)
    call("personality", before)


def advise_the_supervisor(target: Target) -> str:
    """Has the memory of the supervisor put away."""
    return reach("process_madvise", -1, None, 0, 20, 0)


def raise_its_processor_time(target: Target) -> None:
    """Lifts the limit of its processor time."""
    call("prlimit64", 0, int(resource.RLIMIT_CPU), UNLIMITED, None)


def raise_its_memory(target: Target) -> None:
    """Lifts the limit of its memory."""
    call("prlimit64", 0, int(resource.RLIMIT_AS), UNLIMITED, None)


def raise_limits_from_a_round_address(target: Target) -> None:
    """Lifts a limit with a pointer whose lower half is zero: a filter sees halves."""
    page = call("mmap", ROUND, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE, PRIVATE_HERE, -1, 0)
    ctypes.memmove(page, UNLIMITED, 16)
    call("prlimit64", 0, int(resource.RLIMIT_CPU), page, None)


def type_into_a_terminal(target: Target) -> str:
    """Types into what was given to it as input, with a bit set that the kernel does not look at."""
    return reach("ioctl", 0, 1 << 32 | TYPE, b"!")


def take_more_memory_than_allowed(target: Target) -> None:
    """Takes more memory than its limit."""
    mmap.mmap(-1, 1 << 40).close()


def go_first(target: Target) -> None:
    """Goes before everybody else in line for the processor."""
    os.setpriority(os.PRIO_PROCESS, 0, -20)


def run_in_real_time(target: Target) -> None:
    """Has the processor before all others, for as long as it likes."""
    before = os.sched_getscheduler(0)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    os.sched_setscheduler(0, before, os.sched_param(0))


def let_itself_be_traced(target: Target) -> None:
    """Changes whether others may read its memory."""
    call("prctl", 4, 1, 0, 0, 0)


def take_groups(target: Target) -> None:
    """Becomes a member of other groups, here of those that it is in."""
    os.setgroups(os.getgroups())


def find_secrets_in_its_environment(target: Target) -> None:
    """Finds in its own environment and memory of arguments what it should not know."""
    if not any(target.secret in value or name.startswith("BRINELL") for name, value in os.environ.items()):
        raise Blocked


def call_by_the_table_of_32_bits(target: Target) -> None:
    """Makes a call by its number of 32 bits, which another list of calls is for."""
    if run("53 B814000000 CD80 5B C3") != os.getpid():
        raise Blocked


def call_by_the_table_x32(target: Target) -> None:
    """Makes a call by its number of the x32 table."""
    if raw(0x40000000 | 39) != os.getpid():
        raise Blocked


def ignore_that_its_time_is_spent(target: Target) -> None:
    """Ignores the signal that ends it when its processor time is spent."""
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)


def run_what_it_wrote(target: Target) -> None:
    """Runs machine code that it wrote into its memory."""
    if run("B807000000 C3") != 7:
        raise Blocked


def tell_the_time(target: Target) -> None:
    """Measures time finely, for what others' work leaves in caches."""
    time.perf_counter_ns()


ATTEMPTS = (
    *map(
        Attempt,
        (
            mount,
            mount_by_the_newer_call,
            change_the_root,
            swap_the_root,
            leave_its_namespaces,
            enter_others_namespaces,
            name_the_host,
            set_the_clock,
            load_a_program_of_the_kernel,
            load_a_module,
            load_another_kernel,
            read_the_log_of_the_kernel,
            count_in_the_kernel,
            handle_faults,
            hide_memory,
            reach_for_ports,
            write_segments,
            set_a_quota,
            change_its_personality,
            advise_the_supervisor,
            raise_its_processor_time,
            raise_its_memory,
            raise_limits_from_a_round_address,
            type_into_a_terminal,
            take_more_memory_than_allowed,
            go_first,
            run_in_real_time,
            let_itself_be_traced,
            take_groups,
            find_secrets_in_its_environment,
        ),
    ),
    Attempt(ignore_that_its_time_is_spent, "the supervisor kills it by the clock on the wall too"),
    Attempt(run_what_it_wrote, "a hostile model is native code already; compilers of the runtimes write code"),
    Attempt(tell_the_time, "what others leave in caches is not hidden: give tenants machines, or gVisor, of their own"),
    # where such a call ends the process, it ends it: last
    Attempt(call_by_the_table_x32),
    Attempt(call_by_the_table_of_32_bits),
)
