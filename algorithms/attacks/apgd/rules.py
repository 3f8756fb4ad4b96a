"""How Auto-PGD moves and when it halves its step: with momentum in l2 and linf, sparsely in l1."""

from dataclasses import dataclass, field

import numpy as np

from algorithms.attacks.apgd.ascent import Ascending, FlatPoints
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.searches.tallies.successes import Successes

ALPHA = 0.75  # share of the new move beside the last one (Croce & Hein 2020, sec. 3.1)
RHO = 0.75  # of the moves since a checkpoint that have to raise the loss (condition 1)
FIRST, SHORTER, SHORTEST = 22, 3, 6  # per cent: p_1, and how the stretches between checkpoints shrink (sec. 3.2)

SPARSITY = 0.2  # first share of features that move (Croce & Hein 2021, sec. 3.1)
STRETCH = 0.04  # share of the steps between checkpoints
FEWER = 1.5  # k is the number of features changed so far over this; also what the step is divided by
FALLS = 0.95  # the support has shrunk where it is below this share of what it was
LEAST = 10.0  # the step is never less than the radius over this


def checkpoints(steps: int) -> set[int]:
    """Compute w_j = ceil(p_j N) with p_0 = 0, p_1 = .22, p_(j+1) = p_j + max(p_j - p_(j-1) - .03, .06)."""
    found, last, now = set(), 0, FIRST
    while now < 100:
        found.add(-(-now * steps // 100))
        last, now = now, now + max(now - last - SHORTER, SHORTEST)
    return found


@dataclass
class Momentum:
    """Moves by the last direction beside the steepest one; the step begins at 2 r and halves at checkpoints.

    z = P(x + eta d(grad)),  x^(k+1) = P(x + alpha (z - x) + (1 - alpha) (x - x^(k-1)))
    """

    successes: Successes
    steps: int
    risen: Numbers = field(init=False)  # moves since the last checkpoint that raised the loss
    f_max: Numbers = field(init=False)  # at the last checkpoint
    was_halved: Mask = field(init=False)  # there

    def __post_init__(self) -> None:
        self.checkpoints = sorted(checkpoints(self.steps))
        self.last = 0  # checkpoint
        self.is_first = True  # move

    def begin(self, state: Ascending) -> None:
        state.eta = 2.0 * state.radius
        self.risen, self.f_max = np.zeros(len(state.f)), state.f_max.copy()
        self.was_halved = np.zeros(len(state.f), np.bool_)

    def move(self, state: Ascending) -> FlatPoints:
        direction = self.successes.threat.ascent_direction(state.slopes)
        z = self._project(state.x + state.eta[:, None] * direction, state)
        if self.is_first:
            self.is_first = False
            return z
        x = state.x.astype(np.float64)
        return self._project(x + ALPHA * (z - x) + (1 - ALPHA) * (x - state.before), state)

    def _project(self, points: Numbers, state: Ascending) -> FlatPoints:
        found: FlatPoints = self.successes.project(points, state.owners, state.radius)
        return found

    def look_back(self, state: Ascending, k: int, rises: Mask) -> None:
        """Halve the step and go back to x_max: 1. too few moves rose; or 2. neither step nor f_max has changed."""
        self.risen += rises
        if k not in self.checkpoints:
            return
        first = self.risen < RHO * (k - self.last)
        second = ~self.was_halved & (state.f_max == self.f_max)
        halved = first | second
        state.eta = np.where(halved, state.eta / 2, state.eta)
        restart(state, halved)
        self.risen, self.f_max, self.was_halved, self.last = np.zeros(len(state.f)), state.f_max.copy(), halved, k

    def keep(self, kept: Mask) -> None:
        self.risen, self.f_max, self.was_halved = self.risen[kept], self.f_max[kept], self.was_halved[kept]


@dataclass
class Sparse:
    """Moves the k features of the largest slopes alike; both k and the step follow how many features x_max changes.

    u = x + eta s / ||s||_1, s = sign of the k largest slopes;  x^(k+1) = P(u), P exact on ball and box
    """

    successes: Successes
    steps: int
    k: Numbers = field(init=False)  # features that move
    support: Numbers = field(init=False)  # features that x_max changed at the last checkpoint

    def begin(self, state: Ascending) -> None:
        """Start with a fifth of the features; where a point is given to start from, with those that it changes."""
        state.eta = state.radius.copy()
        d = state.x.shape[1]
        self.support = self._changed(state)
        is_sparse = self.support < d / 2  # a random start changes almost all
        self.k = np.where(is_sparse, self.support / FEWER, SPARSITY * d)
        self.support = np.where(is_sparse, self.support, d)

    def move(self, state: Ascending) -> FlatPoints:
        size = np.abs(state.slopes)
        d = size.shape[1]
        last = d - np.maximum(np.floor(self.k), 1).astype(np.int64)  # of rising sizes, the first that moves
        least = np.take_along_axis(np.sort(size, axis=1), last[:, None], axis=1)
        s = np.where(size >= least, np.sign(state.slopes).astype(np.float64), 0.0)
        share = np.maximum(np.abs(s).sum(axis=1), 1.0)
        moved = state.x + (state.eta / share)[:, None] * s
        found: FlatPoints = self.successes.project(moved, state.owners, state.radius)
        return found

    def look_back(self, state: Ascending, k: int, rises: Mask) -> None:
        """Where x_max has become sparser begin again from there at the full step, else shorten the step."""
        del rises  # only how many features x_max changes is looked at
        if k % max(1, int(STRETCH * self.steps)):
            return
        support = self._changed(state)
        falls = support < FALLS * self.support
        shorter = np.maximum(state.eta / FEWER, state.radius / LEAST)
        state.eta = np.where(falls, state.radius, shorter)
        restart(state, falls)
        self.k, self.support = support / FEWER, support

    def keep(self, kept: Mask) -> None:
        self.k, self.support = self.k[kept], self.support[kept]

    def _changed(self, state: Ascending) -> Numbers:
        moved = state.x_max != self.successes.x[state.owners]
        return np.asarray(np.count_nonzero(moved, axis=1), np.float64)


def restart(state: Ascending, who: Mask) -> None:
    """Go back to x_max, with the gradient that was found there."""
    state.x, state.slopes = state.x.copy(), state.slopes.copy()
    state.x[who], state.slopes[who], state.f = (
        state.x_max[who],
        state.slopes_max[who],
        np.where(who, state.f_max, state.f),
    )


def rule_of(norm: Norm) -> type[Momentum] | type[Sparse]:
    """Choose how to move in a norm."""
    return Sparse if norm is Norm.L1 else Momentum
