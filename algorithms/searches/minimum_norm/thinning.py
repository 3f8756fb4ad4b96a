"""Thinning: of an adversarial point with few changes, one change after the other is taken back.

Where the model then answers as before, the other changes make up for it, if they can: they go to the ends of the box
that the slopes point to, then by half and by a quarter of its side. The greedy rule is that of Carlini & Wagner's l0
attack (S&P 2017, section VI-B), which solves anew on what is left; here a handful of looks decide.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask
from algorithms.mathematics.counting import spread, weights
from algorithms.mathematics.geometry import by_pixel
from algorithms.seam.access import Rows
from algorithms.seam.case import Step
from algorithms.seam.question import Owners
from algorithms.searches.minimum_norm.iterates import Iterates, Seen

MOVES = (1.0, 0.5, 0.25)  # shares of the box's side by which what is left is moved, look after look
NOTHING_LEFT = -1


def thin(iterates: Iterates, steps: int) -> Step[None]:
    """Take changes back for so many looks, a gradient each, or until every one of them is needed."""
    owners = _broken(iterates, iterates.going())
    if not steps or not len(owners):
        return
    thinning = Thinning(iterates)
    iterates.points[owners] = iterates.successes.nearest[owners]
    seen = yield from iterates.look(owners, "margin")
    thinning.stand(owners, seen.slopes)
    for _ in range(steps - 1):
        owners = thinning.going(owners)
        if not len(owners):
            return
        seen = yield from iterates.look(owners, "margin")
        thinning.hear(owners, seen)


def _broken(iterates: Iterates, owners: Owners) -> Owners:
    broken: Owners = owners[
        np.isfinite(iterates.successes.distance[owners]) & (iterates.successes.distance[owners] > 1)
    ]
    return broken


class Thinning:
    """A thinning knows of each sample which change it is trying to do without, and which are known to be needed."""

    def __init__(self, iterates: Iterates) -> None:
        self.iterates, self.pixels = iterates, iterates.threat.pixels
        n = len(iterates.x)
        self.base: Rows = iterates.points.copy()  # (n, d) the points that changes are taken from
        self.slopes: NDArray[np.float64] = np.zeros(iterates.x.shape)  # at these points
        self.needed: Mask = np.zeros((n, by_pixel(iterates.x[:1], self.pixels).shape[1]), np.bool_)  # (n, p)
        self.without = np.full(n, NOTHING_LEFT)  # (n,) the change, of p, that is done without
        self.moved = np.zeros(n, np.int64)  # how often the others have moved since

    def going(self, owners: Owners) -> Owners:
        """Name those of these samples that have a change left to try."""
        staying: Owners = np.intersect1d(owners[self.without[owners] != NOTHING_LEFT], self.iterates.going())
        return staying

    def stand(self, owners: Owners, slopes: NDArray[np.float64]) -> None:
        """Begin anew at these samples' points, where the slopes (m, d) are known."""
        self.base[owners], self.slopes[owners] = self.iterates.points[owners], slopes
        self.needed[owners] = False
        self._take_next(owners)

    def hear(self, owners: Owners, seen: Seen) -> None:
        """Go on from points that are still adversarial; of the others move what is left, or give the change back."""
        self.stand(owners[seen.wins], seen.slopes[seen.wins])
        failed, slopes = owners[~seen.wins], seen.slopes[~seen.wins]
        is_over = self.moved[failed] == len(MOVES)
        over = failed[is_over]
        self.needed[over, self.without[over]] = True
        self._take_next(over)
        self._move(failed[~is_over], slopes[~is_over])

    def _take_next(self, owners: Owners) -> None:
        """Of each point the change that matters least is taken back, of those that are not known to be needed."""
        iterates, base = self.iterates, self.base[owners]
        matters = weights(base - iterates.x[owners].astype(np.float64), self.slopes[owners], self.pixels)
        matters = np.where((matters > 0) & ~self.needed[owners], matters, np.inf)
        is_left = np.isfinite(matters).any(axis=1)
        self.without[owners] = np.where(is_left, matters.argmin(axis=1), NOTHING_LEFT)
        self.moved[owners] = 0
        iterates.points[owners] = np.where(self._taken(owners), iterates.x[owners], base)

    def _move(self, owners: Owners, slopes: NDArray[np.float64]) -> None:
        """What is left of the changes follows the slopes."""
        iterates, x = self.iterates, self.iterates.x[owners]
        share = np.array(MOVES)[self.moved[owners]][:, None]
        may_move = (self.base[owners] != x) & ~self._taken(owners)
        sides = np.broadcast_to(iterates.threat.box.sides, x.shape)
        reach = np.where(np.isfinite(sides), sides, np.abs(self.base[owners] - x).max(axis=1, keepdims=True))
        points = np.where(may_move, iterates.points[owners] + share * np.sign(slopes) * reach, iterates.points[owners])
        iterates.points[owners] = iterates.threat.clip(points.astype(x.dtype), x)
        self.moved[owners] += 1

    def _taken(self, owners: Owners) -> Mask:
        """Mark the features (m, d) of the change that is done without."""
        places = np.arange(self.needed.shape[1])[None, :] == self.without[owners][:, None]
        return spread(places, self.pixels)
