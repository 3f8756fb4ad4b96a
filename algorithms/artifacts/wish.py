"""What a method wants made of other samples before its own are worked on: named arrays, declared before they are made.

Whoever makes them may be in other hands by then, so names, types and shapes are agreed on here, and what comes is held
against it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

Arrays = Mapping[str, NDArray[Any]]


class NotAsDeclared(ValueError):
    """Arrays have other names, types, shapes or numbers than was agreed on."""


@dataclass(frozen=True)
class Declared:
    """An array is declared by its type and its shape, whose first axis may be as short as `least`; None: it may not."""

    shape: tuple[int, ...]
    least: int | None = None
    dtype: DTypeLike = np.float32

    @property
    def nbytes(self) -> int:
        """Counts the most bytes that its numbers may take."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def admits(self, array: NDArray[Any]) -> bool:
        """Tells whether an array is of this type and shape, and finite."""
        if array.dtype != self.dtype or array.ndim != len(self.shape) or array.shape[1:] != self.shape[1:]:
            return False
        if self.shape and not (self.shape[0] if self.least is None else self.least) <= len(array) <= self.shape[0]:
            return False
        return bool(np.isfinite(array).all())


Declaration = Mapping[str, Declared]


def check(arrays: Arrays, declared: Declaration) -> None:
    """Raises NotAsDeclared for anything but the declared arrays, every one of them."""
    if arrays.keys() != declared.keys():
        raise NotAsDeclared("other arrays than were declared")
    for name, array in arrays.items():
        if not declared[name].admits(array):
            raise NotAsDeclared(f"an array is not what was declared: {name}")


class Wish(Protocol):
    """A wish says who grants it, of which samples that can be done, and what will come."""

    @property
    def kind(self) -> str:
        """Names what is made, for whoever makes it."""

    @property
    def purpose(self) -> str:
        """Says what other samples are needed for: `to span directions`."""

    @property
    def is_trained(self) -> bool:
        """Tells whether it takes a tensor library, and units of work one after the other, to make it."""

    def misfit(self, shape: tuple[int, ...], count: int) -> str | None:
        """Says why it cannot be made of so many samples of this shape, and what to do; None: it can."""

    def arrays(self, shape: tuple[int, ...], count: int) -> Declaration:
        """Declares what will be handed to the method, made of `count` samples of this shape."""

    def between(self, shape: tuple[int, ...], count: int) -> Declaration:
        """Declares what one unit of work leaves to the next; nothing: one unit does all."""
