"""What an algorithm may ask of a model, and nothing else."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from algorithms.seam.neighbors import Neighbors
    from algorithms.seam.questions import Ball, Region, Relaxation

Rows = NDArray[np.float32]  # (m, *shape), inside the box, in the caller's units
Labels = NDArray[np.int64]  # (m,)
Scores = NDArray[np.float32]  # (m, classes), logits wherever they can be had
Gradients = NDArray[np.float32]  # (m, *shape)


class Access(StrEnum):
    """What a model gives away. A method runs where everything it needs is among the model's offers."""

    LABELS = "labels"
    SCORES = "scores"
    GRADIENTS = "gradients"
    BOUNDS = "bounds"
    NEIGHBOURS = "neighbours"
    TREES = "trees"


Cotangent = Callable[[Any, NDArray[np.int64]], Any]
"""The derivative of a loss L = sum of one term a row: (scores (s, classes), positions (s,)) -> dL/dscores (s, classes).

`positions` says which of the asked rows these scores belong to, because a model works through a question in slices of
its own size. Answers in the scores' own array namespace (numpy or torch), row by row.
"""


class Model(Protocol):
    """A classifier under audit.

    Every answer to a row is the same alone and in company: implementations fix their batch shapes and threads
    (`design.md`: numbers do not depend on company). A model that does not offer an access never gets that question.
    """

    @property
    def offers(self) -> frozenset[Access]: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row, without the batch axis."""
        ...

    @property
    def classes(self) -> int: ...

    @property
    def gives_probabilities(self) -> bool:
        """Its scores are probabilities, not logits: they end at 1, where rounding hides how sure it is."""
        ...

    def labels(self, rows: Rows) -> Labels: ...

    def scores(self, rows: Rows) -> Scores: ...

    def gradients(self, rows: Rows, cotangent: Cotangent) -> tuple[Scores, Gradients]:
        """Scores, and the gradient of a loss L by the rows: one forward and one backward pass a row.

        Calls `cotangent(scores, positions)` once for each slice it works in, in any order and from any thread.
        """
        ...

    def steepest(self, ball: "Ball", label: int, rivals: NDArray[np.int64]) -> NDArray[np.float64]:
        """Largest dual norms met in a ball: max over its points z of ||grad(f_label - f_rival)(z)||_q.

        Returns (3, len(rivals)): q dual to l1, l2, linf, that is max-norm, 2-norm, 1-norm. The Jacobian rows of one
        point serve every rival and every norm; nothing larger than a block of points is ever held.
        A gradient that is not finite makes its entry NaN.
        """
        ...

    def neighbors(self) -> "Neighbors":
        """The points that a nearest-neighbor model compares its input with."""
        ...

    def margins(
        self, region: "Region", labels: Labels, rivals: NDArray[np.int64], relaxation: "Relaxation"
    ) -> NDArray[np.float64]:
        """Sound lower bounds (m, r) of f_label - f_rival over all points of each row's ball within the box.

        They hold for the scores as this model computes them, rounding included; -inf where nothing can be said. The
        same question has the same answer, and what was asked before does not matter.
        """
        ...
