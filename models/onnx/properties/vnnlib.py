"""VNN-LIB 1.0, as the verification competition's files have it: bounds of inputs X_i, linear conditions on outputs Y_i.

Read into its disjunctive normal form. Every limit is checked before anything grows: a text is somebody else's.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from algorithms.errors import Refused
from models.onnx.properties.conditions import Property, PropertyCase, WantedOutputs

TEXT, TOKENS, DEEPEST, ALTERNATIVES = 2**23, 2**20, 16, 2**12
TOKEN = re.compile(r"[()]|[^\s();]+|;[^\n]*")
VARIABLE = re.compile(r"([XY])_(0|[1-9]\d{0,7})")
NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?")

Term = str | list["Term"]


@dataclass(frozen=True)
class Row:
    """A row says that the sum of numbers times variables is no more than a limit."""

    numbers: tuple[tuple[str, int, float], ...]  # (X or Y, place, number)
    limit: float


Conjunction = tuple[Row, ...]


def read_property(text: str, inputs: int, outputs: int) -> Property:
    """Read a property of a model with so many numbers in and out. Raises Refused(property_invalid)."""
    if len(text) > TEXT:
        raise _refused(f"it is longer than {TEXT:,} characters")
    alternatives: list[Conjunction] = [()]
    for statement in _terms(text):
        if not isinstance(statement, list) or not statement:
            raise _refused("a statement is no list in parentheses")
        if statement[0] == "assert" and len(statement) == 2:
            alternatives = _both(alternatives, _alternatives(statement[1], 0))
        elif statement[0] == "declare-const" and len(statement) == 3 and statement[2] == "Real":
            _variable(statement[1])
        else:
            raise _refused("a statement is neither (declare-const NAME Real) nor (assert CONDITION)")
    return _cases(alternatives, inputs, outputs)


def _refused(what: str) -> Refused:
    return Refused(f"The property cannot be read: {what}. Send VNN-LIB 1.0 over X_i and Y_i.", code="property_invalid")


def _terms(text: str) -> Iterator[Term]:
    """Each statement, as nested lists of words."""
    open_: list[list[Term]] = []
    for count, found in enumerate(TOKEN.finditer(text)):
        word = found.group()
        if count > TOKENS:
            raise _refused(f"it has more than {TOKENS:,} words")
        if word.startswith(";"):
            continue
        if word == "(":
            if len(open_) == DEEPEST:
                raise _refused(f"it is nested more than {DEEPEST} deep")
            open_.append([])
        elif not open_:
            raise _refused("a word or a parenthesis stands outside of all statements")
        elif word == ")":
            whole = open_.pop()
            if open_:
                open_[-1].append(whole)
            else:
                yield whole
        else:
            open_[-1].append(word)
    if open_:
        raise _refused("a parenthesis is not closed")


def _alternatives(term: Term, depth: int) -> list[Conjunction]:
    """Any of these conjunctions."""
    if not isinstance(term, list) or not term or not isinstance(term[0], str):
        raise _refused("a condition is no list that begins with its operator")
    operator, parts = term[0], term[1:]
    if operator == "or":
        found = [one for part in parts for one in _alternatives(part, depth + 1)]
    elif operator == "and":
        found = [()]
        for part in parts:
            found = _both(found, _alternatives(part, depth + 1))
    elif operator in ("<=", ">=") and len(parts) == 2:
        less, more = parts if operator == "<=" else parts[::-1]
        found = [(_row(less, more),)]
    else:
        raise _refused("a condition is none of and, or, <= and >=")
    if not found or len(found) > ALTERNATIVES:
        raise _refused(f"it has no alternatives, or more than {ALTERNATIVES:,}")
    return found


def _both(one: Sequence[Conjunction], other: Sequence[Conjunction]) -> list[Conjunction]:
    if len(one) * len(other) > ALTERNATIVES:
        raise _refused(f"it has more than {ALTERNATIVES:,} alternatives")
    return [(*first, *second) for first, second in product(one, other)]


def _row(less: Term, more: Term) -> Row:
    """less <= more, all variables on one side."""
    numbers: dict[tuple[str, int], float] = {}
    limit = 0.0
    for term, sign in ((less, 1.0), (more, -1.0)):
        for key, number in _sum(term, sign):
            if key is None:
                limit -= number
            else:
                numbers[key] = numbers.get(key, 0.0) + number
    return Row(tuple((*key, number) for key, number in sorted(numbers.items())), limit)


def _sum(term: Term, factor: float) -> Iterator[tuple[tuple[str, int] | None, float]]:
    """Numbers and variables that are added up, each with its factor; None for a number alone."""
    if isinstance(term, str):
        yield (_variable(term), factor) if VARIABLE.fullmatch(term) else (None, factor * _number(term))
    elif term and term[0] == "+" and len(term) > 1:
        for part in term[1:]:
            yield from _sum(part, factor)
    elif term and term[0] == "-" and len(term) > 1:
        yield from _sum(term[1], factor if len(term) > 2 else -factor)
        for part in term[2:]:
            yield from _sum(part, -factor)
    elif len(term) == 3 and term[0] == "*" and isinstance(term[1], str):
        yield from _sum(term[2], factor * _number(term[1]))
    else:
        raise _refused("a sum is made of something else than +, -, and * by a number first")


def _variable(term: Term) -> tuple[str, int]:
    found = VARIABLE.fullmatch(term) if isinstance(term, str) else None
    if found is None:
        raise _refused("a name is none of X_0, X_1, ... and Y_0, Y_1, ...")
    return found.group(1), int(found.group(2))


def _number(word: str) -> float:
    if not NUMBER.fullmatch(word) or not math.isfinite(float(word)):
        raise _refused("a word is neither a finite number nor a variable")
    return float(word)


def _cases(alternatives: Sequence[Conjunction], inputs: int, outputs: int) -> Property:
    """One case for each box, with all that is wanted in it."""
    cases: dict[tuple[bytes, bytes], list[WantedOutputs]] = {}
    boxes: dict[tuple[bytes, bytes], tuple[np.ndarray, np.ndarray]] = {}
    for rows in alternatives:
        lower, upper, wanted = _box(rows, inputs), _box(rows, inputs, above=True), _wanted(rows, outputs)
        if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
            raise _refused(f"not all of the model's {inputs} inputs are bounded on both sides")
        if (lower <= upper).all():
            key = (lower.tobytes(), upper.tobytes())
            boxes[key] = (lower, upper)
            cases.setdefault(key, []).append(wanted)
    return tuple(PropertyCase(*boxes[key], tuple(parts)) for key, parts in cases.items())


def _box(rows: Conjunction, inputs: int, *, above: bool = False) -> np.ndarray:
    """Lower bounds of all inputs, or upper ones."""
    found = np.full(inputs, np.inf if above else -np.inf)
    for row in rows:
        places = [(place, number) for kind, place, number in row.numbers if kind == "X" and number]
        if not places:
            continue
        if len(places) > 1 or len(row.numbers) > 1 or places[0][0] >= inputs:
            raise _refused(f"a condition on inputs is no bound of one of the model's {inputs}")
        place, number = places[0]
        if (number > 0) is above:
            bound = row.limit / number
            found[place] = min(found[place], bound) if above else max(found[place], bound)
    return found


def _wanted(rows: Conjunction, outputs: int) -> WantedOutputs:
    kept = [row for row in rows if not any(kind == "X" for kind, _, _ in row.numbers)]
    matrix = np.zeros((len(kept), outputs))
    for i, row in enumerate(kept):
        for _, place, number in row.numbers:
            if place >= outputs:
                raise _refused(f"a condition is on an output that the model has not: it has {outputs}")
            matrix[i, place] = number
    if not kept:
        raise _refused("an alternative has no condition on outputs")
    return WantedOutputs(matrix, np.array([row.limit for row in kept]))
