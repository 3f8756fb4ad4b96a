"""One question of each kind about rows of a model, as arrays to be compared."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.seam.access import Access, Rows
from algorithms.seam.questions.gradient_norms import Ball, Differences
from algorithms.seam.questions.margins import Region
from algorithms.threats.threat import Threat
from models.opening import OpenedModel

NETS = ("cnn", "resnet block", "digits")
QUESTIONS = ("scores", "gradients", "norms", "crown", "intervals")


def rows_of(model: OpenedModel, count: int) -> Rows:
    return np.random.default_rng(5).random((count, *model.shape), dtype=np.float32)


def ask(model: OpenedModel, question: str, rows: Rows) -> NDArray[Any]:
    """Ask the same of each of these rows, whatever others are there: (m, ...)."""
    labels, others = np.zeros(len(rows), np.int64), np.arange(1, model.classes)
    if question == "scores":
        return np.asarray(cast(Any, model).scores(rows))
    if question == "gradients":
        return np.asarray(model.offers[Access.GRADIENTS].gradients(rows, _first_against_last)[1])
    if question == "norms":
        balls = [
            Ball(row, 0.5, Threat(Norm.L2), "radial", 100, Stream(0, i, "clever"), 0) for i, row in enumerate(rows)
        ]
        asked = [Differences(ball, 0, others) for ball in balls]
        return np.stack(model.offers[Access.GRADIENTS].largest_gradient_norms(asked))
    region = Region(rows, np.full(len(rows), 0.01), Threat(Norm.LINF))
    rivals = np.broadcast_to(others, (len(rows), len(others))).copy()
    return np.asarray(model.offers[Access.BOUNDS].margins(region, labels, rivals, question))


def _first_against_last(scores: Any, positions: NDArray[np.int64]) -> NDArray[np.float32]:
    del positions
    seeds = np.zeros(tuple(scores.shape), np.float32)
    seeds[:, 0], seeds[:, -1] = 1, -1
    return seeds
