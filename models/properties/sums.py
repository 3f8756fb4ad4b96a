"""Sums of numbers times variables, as VNN-LIB writes them."""

import math
import re
from dataclasses import dataclass

from models.properties.terms import Phrase, Word, refusal
from models.properties.variables import Coordinate, Variables

NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?", re.ASCII)


@dataclass(frozen=True)
class LinearSum:
    """A linear sum is a number, and more numbers times one variable each."""

    factors: dict[Coordinate, float]
    constant: float

    def plus(self, other: "LinearSum", factor: float = 1.0) -> "LinearSum":
        """Add another one, times a factor."""
        factors = dict(self.factors)
        for place, number in other.factors.items():
            factors[place] = factors.get(place, 0.0) + factor * number
        return LinearSum(factors, self.constant + factor * other.constant)


NOTHING = LinearSum({}, 0.0)


def read_sum(term: Phrase, variables: Variables) -> LinearSum:
    """Read a number, a variable, or (+ ...), (- ...), (* ...) of such. Raises Refused for what is not linear."""
    if isinstance(term, Word):
        place = variables.place(term)
        return LinearSum({}, _number(term)) if place is None else LinearSum({place: 1.0}, 0.0)
    found = [read_sum(part, variables) for part in term.parts[1:]]
    if term.head == "+" and found:
        return _added(found, 1.0)
    if term.head == "-" and len(found) == 1:
        return NOTHING.plus(found[0], -1.0)
    if term.head == "-" and found:
        return found[0].plus(_added(found[1:], 1.0), -1.0)
    if term.head == "*" and found:
        return _product(found, term.line)
    raise refusal(f"{term} is no sum: it may be made of +, - and *", term.line)


def _added(parts: list[LinearSum], factor: float) -> LinearSum:
    """Summed up in one place: a sum may have as many parts as a text has words."""
    factors: dict[Coordinate, float] = {}
    for part in parts:
        for place, number in part.factors.items():
            factors[place] = factors.get(place, 0.0) + factor * number
    return LinearSum(factors, factor * sum(part.constant for part in parts))


def _product(parts: list[LinearSum], line: int) -> LinearSum:
    """All but one of them have to be numbers."""
    sums = [part for part in parts if part.factors]
    if len(sums) > 1:
        raise refusal("two variables are multiplied, and only linear conditions are decided about", line)
    factor = math.prod(part.constant for part in parts if not part.factors)
    return _added(sums, factor) if sums else LinearSum({}, factor)


def _number(word: Word) -> float:
    if word.numbers is not None or not NUMBER.fullmatch(word.text) or not math.isfinite(float(word.text)):
        raise refusal(f"{word} is neither a finite number nor a variable that is known", word.line)
    return float(word.text)
