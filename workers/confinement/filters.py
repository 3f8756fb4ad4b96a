"""A filter of system calls as the kernel reads it: classic BPF over (number, architecture, arguments).

What is not allowed fails with EPERM and nobody dies of it: libraries try this and that, and go on without.
"""

import errno
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workers.confinement.numbers import Architecture

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06  # linux/bpf_common.h
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where in struct seccomp_data
_ALLOW = 0x7FFF0000
_ERROR = 0x00050000
_INSTRUCTION = struct.Struct("=HBBI")

Program = list[tuple[int, int, int, int]]  # code, jump if true, jump if false, operand


@dataclass(frozen=True)
class Argument:
    """An argument of a call: of its lower 32 bits, or the `upper` ones, those of `mask` must be `value`."""

    position: int
    value: int
    mask: int = 0xFFFFFFFF
    upper: bool = False


Condition = tuple[Argument, ...]
"""What all has to be true of a call's arguments. A call with several rules keeps to one of them; () is true."""


def program(
    rules: Mapping[str, Sequence[Condition]], unknown: Iterable[str], architecture: Architecture
) -> tuple[bytes, int]:
    """Writes the filter that lets through what is in `rules`: returns its bytes and the count of its instructions.

    Calls of `unknown` fail with ENOSYS, as in a kernel that has them not: libraries then take the older call.
    """
    numbers = architecture.numbers
    code: Program = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture.audit), _failure(errno.EPERM)]
    code.append((_LOAD, 0, 0, _NUMBER))
    if architecture.foreign is not None:
        code += [(_AT_LEAST, 0, 1, architecture.foreign), _failure(errno.EPERM)]
    for name, alternatives in rules.items():
        if name in numbers:
            code += _call(numbers[name], alternatives)
    for name in unknown:
        code += [(_EQUAL, 0, 1, numbers[name]), _failure(errno.ENOSYS)]
    code.append(_failure(errno.EPERM))
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in code), len(code)


def _call(number: int, alternatives: Sequence[Condition]) -> Program:
    body: Program = []
    for rule in alternatives:
        body += _rule(rule)
    if all(alternatives):
        body.append(_failure(errno.EPERM))
    return [(_EQUAL, 0, len(body), number), *body]


def _rule(rule: Condition) -> Program:
    """Returns where all is true, and goes on behind itself where something is not."""
    code: Program = []
    for left, argument in zip(range(3 * len(rule), 0, -3), rule, strict=True):
        offset = _ARGUMENTS + 8 * argument.position + 4 * argument.upper  # both architectures are little-endian
        code += [(_LOAD, 0, 0, offset), (_AND, 0, 0, argument.mask), (_EQUAL, 0, left - 2, argument.value)]
    return [*code, (_RETURN, 0, 0, _ALLOW)]


def _failure(number: int) -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, _ERROR | number)
