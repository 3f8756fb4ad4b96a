"""VNN-LIB 1.0 and 2.0: bounds of inputs, linear conditions on outputs, joined by `and` and `or`.

Demarchi et al. 2023 (1.0, as the verification competition's files have it), Daggitt et al. 2025 (2.0). A text is read
into its disjunctive normal form.
"""

import math
from collections.abc import Callable, Sequence
from itertools import product

from models.properties.cases import HELD, Conjunction, NormalForm, Row, cases
from models.properties.conditions import Property
from models.properties.sums import LinearSum, read_sum
from models.properties.terms import Group, Phrase, Word, refusal, statements
from models.properties.variables import Variables

ALTERNATIVES = 2**12
VERSIONS = ("<1.0>", "<2.0>")


def read_property(text: str, inputs: int, outputs: int) -> Property:
    """Read a property of a model with so many numbers in and out.

    Raises Refused(invalid_request), and Refused(shape_mismatch) where it is about other numbers than the model has.
    """
    variables = Variables({"X": inputs, "Y": outputs})
    found: list[list[Conjunction]] = []
    line = 1
    for statement in statements(text):
        line = statement.line
        if statement.head == "assert" and len(statement.parts) == 2:
            found.append(_alternatives(statement.parts[1], variables))
        elif statement.head == "declare-const":
            variables.declare(statement)
        elif statement.head == "declare-network":
            variables.declare_network(statement)
        elif statement.head != "vnnlib-version" or not _is_known(statement):
            raise refusal(f"{statement} is no statement of VNN-LIB 1.0 or 2.0 that is decided about", line)
    return cases(_all_of(found, line), inputs, outputs, line)


def _is_known(statement: Group) -> bool:
    return len(statement.parts) == 2 and statement.parts[1] in [Word(version, statement.line) for version in VERSIONS]


def _alternatives(term: Phrase, variables: Variables) -> list[Conjunction]:
    """Any of these conjunctions."""
    if isinstance(term, Word):
        raise refusal(f"{term} is no condition", term.line)
    operator, parts = term.head, term.parts[1:]
    if operator == "or" and parts:
        found = [one for part in parts for one in _alternatives(part, variables)]
        _refuse_many(len(found), max(map(len, found)), term.line)
        return found
    if operator == "and" and parts:
        whole = _all_of([_alternatives(part, variables) for part in parts], term.line)
        _refuse_many(len(whole.alternatives), len(whole.common) + max(map(len, whole.alternatives)), term.line)
        return [(*whole.common, *one) for one in whole.alternatives]
    if operator in COMPARISONS and len(parts) == 2:
        less, more = (read_sum(part, variables) for part in parts)
        return COMPARISONS[operator](less.plus(more, -1.0), term.line)
    raise refusal(f"{term} is none of and, or, <=, >=, <, >, == and != of two sums", term.line)


def _row(sum_: LinearSum, line: int, *, strict: bool = False) -> Row:
    if not math.isfinite(sum_.constant) or not all(map(math.isfinite, sum_.factors.values())):
        raise refusal("its numbers grow beyond what is finite", line)
    return Row(sum_, strict, line)


def _negative(sum_: LinearSum) -> LinearSum:
    return LinearSum({}, 0.0).plus(sum_, -1.0)


# How a - b compares with zero: which conjunctions say so.
COMPARISONS: dict[str, Callable[[LinearSum, int], list[Conjunction]]] = {
    "<=": lambda gap, line: [(_row(gap, line),)],
    ">=": lambda gap, line: [(_row(_negative(gap), line),)],
    "<": lambda gap, line: [(_row(gap, line, strict=True),)],
    ">": lambda gap, line: [(_row(_negative(gap), line, strict=True),)],
    "==": lambda gap, line: [(_row(gap, line), _row(_negative(gap), line))],
    "!=": lambda gap, line: [(_row(gap, line, strict=True),), (_row(_negative(gap), line, strict=True),)],
}


def _all_of(parts: Sequence[list[Conjunction]], line: int) -> NormalForm:
    """Of each part any conjunction, multiplied out."""
    common: list[Row] = []
    whole: list[Conjunction] = [()]
    for part in parts:
        if len(part) == 1:
            common.extend(part[0])
            continue
        _refuse_many(len(whole) * len(part), max(map(len, whole)) + max(map(len, part)), line)
        whole = [(*first, *second) for first, second in product(whole, part)]
    return NormalForm(common, whole)


def _refuse_many(alternatives: int, longest: int, line: int) -> None:
    if alternatives > ALTERNATIVES:
        raise refusal(f"there are more than {ALTERNATIVES:,} alternatives", line)
    if alternatives * longest > HELD:
        raise refusal(f"the alternatives have more than {HELD:,} conditions together", line)
