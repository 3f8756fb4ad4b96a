"""The filter of system calls, read as the kernel reads it: instruction by instruction, for both architectures."""

import errno
import struct

import pytest

from workers.confinement.filters import Argument, program
from workers.confinement.numbers import AARCH64, X86_64, Architecture
from workers.confinement.permitted import UNKNOWN, calls

ALLOWED = 0x7FFF0000
EPERM, ENOSYS = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
THREADS = 0x3D0F00  # CLONE_... of a pthread_create in glibc
FORK = 17  # SIGCHLD
PID = 4711


def ruling(code: bytes, number: int, *arguments: int, audit: int) -> int:
    """What the kernel would return for a call: a machine for the five instructions that filters use."""
    given = [argument & 0xFFFFFFFFFFFFFFFF for argument in (*arguments, *(0,) * 6)][:6]
    data = struct.pack("=IIQ6Q", number, audit, 0, *given)
    instructions, at, value = list(struct.iter_unpack("=HBBI", code)), 0, 0
    while True:
        operation, yes, no, operand = instructions[at]
        at += 1
        match operation:
            case 0x20:
                (value,) = struct.unpack_from("=I", data, operand)
            case 0x54:
                value &= operand
            case 0x15:
                at += yes if value == operand else no
            case 0x35:
                at += yes if value >= operand else no
            case 0x06:
                return operand


@pytest.fixture(params=[X86_64, AARCH64], ids=["x86-64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> Architecture:
    found: Architecture = request.param
    return found


def asked(machine: Architecture, name: str, *arguments: int, kind: str = "compute") -> int:
    code, length = program(calls(kind, PID), UNKNOWN, machine)
    assert len(code) == 8 * length
    return ruling(code, machine.numbers[name], *arguments, audit=machine.audit)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("read", (0,), ALLOWED),
        ("openat", (-100, 1, 0o2000000), ALLOWED),
        ("openat", (-100, 1, 0o2), EPERM),
        ("openat", (-100, 1, 0o1), EPERM),
        ("openat", (-100, 1, 0o100), EPERM),
        ("openat", (-100, 1, 0o1000), EPERM),
        ("openat", (-100, 1, 0o10000000), EPERM),
        ("openat", (-100, 1, 0o20200000), EPERM),
        ("openat2", (-100, 1, 2), ENOSYS),
        ("clone", (THREADS,), ALLOWED),
        ("clone", (FORK,), EPERM),
        ("clone", (THREADS | 0x40000000,), EPERM),
        ("clone3", (1, 88), ENOSYS),
        ("tgkill", (PID, 1, 6), ALLOWED),
        ("tgkill", (PID + 1, 1, 6), EPERM),
        ("prlimit64", (0, 7, 0, 1), ALLOWED),
        ("prlimit64", (PID + 1, 7, 0, 1), EPERM),
        ("prlimit64", (0, 7, 1, 0), EPERM),
        ("prlimit64", (0, 7, 1 << 32, 0), EPERM),
        ("sched_setaffinity", (0,), ALLOWED),
        ("sched_setaffinity", (PID + 1,), EPERM),
        ("ioctl", (1, 0x5401), ALLOWED),
        ("ioctl", (1, 0x5412), EPERM),
        ("fcntl", (1, 3), ALLOWED),
        ("fcntl", (1, 8), EPERM),
        ("prctl", (15,), ALLOWED),
        ("prctl", (4,), EPERM),
        ("socket", (2,), EPERM),
        ("unshare", (0x10000000,), EPERM),
        ("seccomp", (0,), EPERM),
        ("capset", (0,), EPERM),
    ],
    ids=str,
)
def test_a_call_is_ruled_by_its_arguments(machine: Architecture, name: str, arguments: tuple[int, ...], expected: int):
    assert asked(machine, name, *arguments) == expected


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [("socket", (2,), ALLOWED), ("socket", (10,), ALLOWED), ("socket", (16,), EPERM), ("socket", (17,), EPERM)],
    ids=["inet", "inet6", "netlink", "packet"],
)
def test_who_calls_endpoints_has_sockets_of_the_internet_alone(machine, name, arguments, expected):
    assert asked(machine, name, *arguments, kind="probe") == expected


def test_a_call_that_nobody_wrote_down_fails(machine):
    code, _ = program(calls("compute", PID), UNKNOWN, machine)
    known = set(machine.numbers.values())
    unheard = [number for number in range(600) if number not in known]
    assert {ruling(code, number, audit=machine.audit) for number in unheard} == {EPERM}


def test_calls_of_another_architecture_fail_whatever_their_number(machine):
    code, _ = program(calls("compute", PID), UNKNOWN, machine)
    assert {ruling(code, number, audit=0x40000003) for number in range(600)} == {EPERM}


def test_calls_of_another_width_fail():
    code, _ = program(calls("compute", PID), UNKNOWN, X86_64)
    assert ruling(code, X86_64.numbers["read"], audit=X86_64.audit) == ALLOWED
    assert ruling(code, 0x40000000 | X86_64.numbers["read"], audit=X86_64.audit) == EPERM


def test_a_rule_of_several_arguments_wants_all_and_one_of_several_rules_is_enough():
    rules = {"read": ((Argument(0, 1), Argument(1, 2)), (Argument(0, 3),))}
    code, _ = program(rules, (), X86_64)
    allowed = [(a, b) for a in range(5) for b in range(4) if ruling(code, 0, a, b, audit=X86_64.audit) == ALLOWED]
    assert allowed == [(1, 2), (3, 0), (3, 1), (3, 2), (3, 3)]
