"""What a model under audit says of itself, and what it gives away."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]  # (m, *shape), inside the box, in the caller's units
Labels = NDArray[np.int64]  # (m,)
Scores = NDArray[np.float32 | np.float64]  # (m, classes), logits wherever they can be had


class Access(StrEnum):
    """An access is what a model gives away. A method runs where everything it needs is among the model's offers."""

    LABELS = "labels"
    SCORES = "scores"
    GRADIENTS = "gradients"
    BOUNDS = "bounds"
    NEIGHBOURS = "neighbours"
    TREES = "trees"


class Model(Protocol):
    """A model is a classifier under audit.

    It answers by its offers. The file of a question (`algorithms/seam/questions/`) names the access it takes and the
    small protocol that the offer of that access speaks. Every answer to a row is the same alone and in company:
    implementations fix their batch shapes and threads. What a model does not offer it is never asked.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Give the shape of one row, without the batch axis."""
        ...

    @property
    def classes(self) -> int: ...

    @property
    def offers(self) -> Mapping[Access, Any]:
        """Say who answers: the model itself, or a part of it that speaks the protocols of that access."""
        ...

    @property
    def substitutes(self) -> Any:
        """Say who answers with gradients in which substitutes stand for the steps of the model; None: nobody."""
        ...

    @property
    def gives_probabilities(self) -> bool:
        """Tell whether its scores are probabilities, not logits: they end at 1, where rounding hides how sure it is."""
        ...
