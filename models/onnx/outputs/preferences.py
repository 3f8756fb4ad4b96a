"""Which number of a row speaks for its class, the largest or the smallest, as far as a graph was read."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from models.onnx.graph import ONNX, constants, producers
from models.onnx.reading.ranges import UNKNOWN, Range
from models.onnx.reading.walking import ranges


class Best(IntEnum):
    """Best says which number of a row speaks for its class; a sign change turns it."""

    SMALLEST = -1
    UNKNOWN = 0
    LARGEST = 1


@dataclass
class Preferences:
    """Preferences are what was found of the values of a graph so far, and what tells of the next one."""

    model: ModelProto
    best: dict[str, Best] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known, self._ranges = constants(self.model.graph), ranges(self.model)
        self._makers = producers(self.model.graph)

    def of(self, value: str) -> Best:
        return self.best.get(value, Best.UNKNOWN)

    def range(self, value: str) -> Range:
        return self._ranges.get(value, UNKNOWN)

    def is_constant(self, value: str) -> bool:
        return value in self._known

    def constant(self, value: str) -> NDArray[Any] | None:
        return self._known.get(value)

    def sign(self, value: str) -> int:
        """Give the sign that all numbers of a constant have; 0 where it is none, or they have several."""
        numbers = self._known.get(value)
        if numbers is None or not numbers.size or numbers.dtype.kind not in "fiu":
            return 0
        return 1 if (numbers > 0).all() else -1 if (numbers < 0).all() else 0

    def is_one(self, value: str) -> bool:
        return self.sign(value) == 1 and bool((self._known[value] == 1).all())

    def squared(self, value: str) -> str | None:
        """Name what a value is the square or the absolute value of, number by number."""
        maker = self.maker(value)
        if maker is None:
            return None
        exponent = self._known.get(maker.input[1], np.ones(1)) if maker.op_type == "Pow" else np.ones(1)
        is_even = bool((exponent > 0).all() and (np.mod(exponent, 2) == 0).all())
        is_product = maker.op_type == "Mul" and maker.input[0] == maker.input[1]
        return maker.input[0] if maker.op_type == "Abs" or is_even or is_product else None

    def is_product(self, value: str) -> bool:
        """Tell whether a value is made of two that both depend on the rows."""
        maker = self.maker(value)
        made_of = () if maker is None or maker.op_type not in ("Mul", "Div") else maker.input
        return len(set(made_of)) == 2 and not any(self.is_constant(each) for each in made_of)

    def is_normed(self, value: str) -> bool:
        """Tell whether a value was divided by its length."""
        maker = self.maker(value)
        if maker is None or maker.op_type not in ("Div", "LpNormalization"):
            return False
        return maker.op_type == "LpNormalization" or self.of(maker.input[1]) is Best.SMALLEST

    def holds_squares(self, value: str) -> bool:
        """Tell whether a product sums lengths among others, which torch.cdist puts beside the numbers themselves."""
        maker = self.maker(value)
        while maker is not None and maker.op_type in ("Max", "Clip"):
            maker = self.maker(maker.input[0])
        beside = self.maker(maker.input[0]) if maker is not None and maker.op_type == "MatMul" else None
        if beside is None or beside.op_type != "Concat":
            return False
        return any(self.of(part) is Best.SMALLEST for part in beside.input)

    def maker(self, value: str) -> NodeProto | None:
        """Give the standard operator that made a value."""
        found = self._makers.get(value)
        return found if found is not None and found.domain in ONNX else None
