"""Learning another model's answers: a new network, trained on the cross entropy of its answers and those."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import log_softmax

from algorithms.mathematics.streams import Stream
from algorithms.seam.access import Rows
from models.onnx.imitation.network import Design, Imitator, scale
from models.training import loop

BATCH, RATE = 32, 2e-3
STEPS, EPOCHS, MOST_STEPS = 300, 20, 2000  # the longest takes half a minute of one processor: a unit of work
DROPPED = 0.5  # of what full layers read (Srivastava et al., JMLR 2014): points found then cross more often
BEGINNING, DROPPING = 0, 1  # draws of the stream `substitute`; the epochs have one of their own


def fit(
    design: Design,
    rows: Rows,
    answers: NDArray[np.float32],
    *,
    seed: int,
    number: int,
    tell: Callable[[float], None] = lambda _: None,
) -> Imitator:
    """Train a network in a round, by its number, on rows (m, *shape) and what a model answers (m, classes).

    Answers are probabilities; a row without one, all 0, teaches nothing. The same rows, answers, seed and number give
    the same weights of a design on one kind of processor. `tell`: how far it is.
    """
    stream = Stream(seed, number, "substitute")
    shift, width = scale(rows, design)
    x, y = Imitator(design, shift, width, {}).entered(torch.from_numpy(rows)), torch.from_numpy(answers)
    rng = stream.at(DROPPING)

    def drop(values: Tensor) -> Tensor:
        return values * torch.from_numpy(rng.random(values.shape, np.float32) >= DROPPED) / (1 - DROPPED)

    def loss(weights: Mapping[str, Tensor], batch: Tensor) -> Tensor:
        network = Imitator(design, shift, width, weights)
        return -(y[batch] * log_softmax(network.logits_within(x[batch], drop), 1)).sum(1).mean()

    def is_over(share: float) -> bool:
        tell(share)
        return False

    steps = min(MOST_STEPS, max(STEPS, EPOCHS * -(-len(rows) // BATCH)))
    course = loop.Course(len(rows), BATCH, steps, RATE, Stream(seed, number, "substitute.epochs"))
    begun = design.begin(stream.at(BEGINNING))
    state = loop.train(loop.begin(begun), loss, course, is_over)
    return Imitator(design, shift, width, {name: torch.from_numpy(state[name]) for name in begun})
