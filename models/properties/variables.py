"""What a property calls the numbers of a model: X_i and Y_i in VNN-LIB 1.0, and what it declares in 2.0."""

import math
import re
from dataclasses import dataclass, field

from algorithms.errors import Refused
from models.properties.terms import Group, Phrase, Word, refusal

PLAIN = re.compile(r"([XY])_(0|[1-9]\d{0,7})", re.ASCII)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
TYPES = {"Real", "real", "float32"}
SIDES = {"declare-input": "X", "declare-output": "Y"}

Coordinate = tuple[str, int]  # X or Y, and which number of the row


@dataclass
class Variables:
    """Variables become known as a text is read. `counts`: of the model's numbers, X and Y."""

    counts: dict[str, int]
    _tensors: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)  # name -> side, shape

    def place(self, word: Word) -> Coordinate | None:
        """Find the number that a word names; None: it names none. Raises Refused for a place that is not there."""
        if tensor := self._tensors.get(word.text):
            return self._within(word, *tensor)
        found = PLAIN.fullmatch(word.text)
        if found is None or word.numbers is not None or self._tensors:
            return None
        side, at = found.group(1), int(found.group(2))
        if at >= self.counts[side]:
            raise self._wrong_count(side, word)
        return side, at

    def declare(self, statement: Group) -> None:
        """Take in (declare-const X_0 Real) of 1.0. Raises Refused."""
        parts = statement.parts
        if len(parts) != 3 or not all(isinstance(part, Word) for part in parts):
            raise refusal("a declaration is not (declare-const X_0 Real)", statement.line)
        name, kind = parts[1], parts[2]
        assert isinstance(name, Word)
        if kind != Word("Real", kind.line) or not PLAIN.fullmatch(name.text):
            raise refusal(
                f"{name} is declared, where 1.0 has X_0, X_1, ... and Y_0, Y_1, ..., all Real", statement.line
            )
        self.place(name)

    def declare_network(self, statement: Group) -> None:
        """Take in (declare-network NAME (declare-input ...) (declare-output ...)) of 2.0. Raises Refused."""
        if self._tensors:
            raise refusal("there is a second network; a property here is about one model", statement.line)
        if len(statement.parts) < 2 or not isinstance(statement.parts[1], Word):
            raise refusal("a network has no name", statement.line)
        for part in statement.parts[2:]:
            self._declare_tensor(part)
        sides = [side for side, _ in self._tensors.values()]
        if sorted(sides) != ["X", "Y"]:
            raise refusal("a network is declared with one input and one output", statement.line)

    def _declare_tensor(self, part: Phrase) -> None:
        if isinstance(part, Word) or part.head not in SIDES:
            raise refusal(f"{part} is none of (declare-input ...) and (declare-output ...)", part.line)
        words = [word for word in part.parts if isinstance(word, Word)]
        if len(words) != 3 or len(part.parts) != 3 or words[2].numbers is None or not NAME.fullmatch(words[1].text):
            raise refusal(f"{part} is not ({part.head} NAME float32 [SHAPE])", part.line)
        name, kind, side = words[1].text, words[2].text, SIDES[part.head]
        if kind not in TYPES:
            raise refusal(f"{words[2]} is the type of {words[1]}; a model here takes and gives float32", part.line)
        shape = words[2].numbers
        if name in self._tensors or math.prod(shape) != self.counts[side]:
            raise self._wrong_count(side, words[1])
        self._tensors[name] = side, shape

    def _within(self, word: Word, side: str, shape: tuple[int, ...]) -> Coordinate:
        index = word.numbers or ()
        if len(index) != len(shape) or any(at >= size for at, size in zip(index, shape, strict=True)):
            raise refusal(f"{word} has no place {list(index)}: its shape is {list(shape)}", word.line)
        flat = 0
        for at, size in zip(index, shape, strict=True):
            flat = flat * size + at
        return side, flat

    def _wrong_count(self, side: str, word: Word) -> Refused:
        what = {"X": "takes", "Y": "gives out"}[side]
        return Refused(
            f"The property is about another model: {word} in line {word.line} does not fit, for the model {what}"
            f" {self.counts[side]:,} numbers a row. Send the property of this model, or name the model of this one.",
            code="shape_mismatch",
        )
