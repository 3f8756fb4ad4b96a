"""The one training loop: minibatches from a seeded stream, Adam, and a state that can be put away and taken up again.

However often it is cut the numbers are the same: an epoch's order comes from its number alone, Adam's averages and the
number of steps are in the state, and everything is computed by one thread of the processor.

Adam is written out, since torch's own brings its compiler along when it is made, and a runner that is shut in cannot
load one.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from algorithms.artifacts.training import FIRST, SECOND, STEPS
from algorithms.artifacts.wish import Arrays
from algorithms.mathematics.streams import Stream

BETA_1, BETA_2, TINY = 0.9, 0.999, 1e-8  # Kingma & Ba, ICLR 2015

Loss = Callable[[Mapping[str, torch.Tensor], torch.Tensor], torch.Tensor]
"""(weights, numbers of rows (m,)) -> a number to be made smaller."""


@dataclass(frozen=True)
class Course:
    """A course of training is so many steps, each on a batch of the rows 0 to `rows` - 1, all of them once an epoch."""

    rows: int
    batch: int
    steps: int
    rate: float  # at the beginning; it falls to nothing along half a cosine
    stream: Stream

    def rows_of(self, step: int) -> torch.Tensor:
        """Draws the numbers (m,) of the rows of a step."""
        batch = min(self.batch, self.rows)
        an_epoch = self.rows // batch
        epoch, place = divmod(step, an_epoch)
        order = self.stream.at(epoch).permutation(self.rows)
        return torch.from_numpy(order[place * batch : (place + 1) * batch])

    def rate_at(self, step: int) -> float:
        """Tells how long the steps are by then."""
        return float(self.rate * (1 + np.cos(np.pi * step / self.steps)) / 2)


def begin(weights: Arrays) -> Arrays:
    """Makes the state of a training that begins with these weights."""
    averages = {f"{part}{name}": np.zeros_like(array) for part in (FIRST, SECOND) for name, array in weights.items()}
    return {**weights, **averages, STEPS: np.array(0, np.int64)}


def train(state: Arrays, loss: Loss, course: Course, is_over: Callable[[float], bool]) -> Arrays:
    """Takes steps from a state on until there are no more, or `is_over` of the share taken says so: a new state."""
    with ThreadPoolExecutor(1, "training", initializer=torch.set_num_threads, initargs=(1,)) as alone:
        return alone.submit(_train, state, loss, course, is_over).result()


def _train(state: Arrays, loss: Loss, course: Course, is_over: Callable[[float], bool]) -> Arrays:
    held = {name: torch.tensor(array) for name, array in state.items() if name != STEPS}
    weights = {name: held[name].requires_grad_() for name in held if f"{FIRST}{name}" in held}
    step = int(state[STEPS])
    while step < course.steps and not is_over(step / course.steps):
        slopes = torch.autograd.grad(loss(weights, course.rows_of(step)), tuple(weights.values()))
        rate, step = course.rate_at(step), step + 1
        with torch.no_grad():
            for (name, weight), slope in zip(weights.items(), slopes, strict=True):
                first = held[f"{FIRST}{name}"].lerp_(slope, 1 - BETA_1)
                second = held[f"{SECOND}{name}"].mul_(BETA_2).addcmul_(slope, slope, value=1 - BETA_2)
                metric = (second / (1 - BETA_2**step)).sqrt_().add_(TINY)
                weight.addcdiv_(first, metric, value=-rate / (1 - BETA_1**step))
    arrays = {name: tensor.detach().numpy() for name, tensor in held.items()}
    return {**arrays, STEPS: np.array(step, np.int64)}
