"""FAB begun anew from far away, as often as its steps allow: the nearest boundary is seldom the first one met.

A network that was trained against attacks may be flat, or slope the wrong way, all around a sample. Seen from far
points that are adversarial, each run comes down to another place of the boundary, and the nearest of these is far
nearer than where any single run ends. A step follows whichever rival leads, at one gradient; it needs no second one
where an adversarial point goes back, for the hyperplane is that which was seen in front of it.

Each run comes to rest by itself: where it has not come nearer lately, the next one begins. The first begins at the
sample, as FAB does. Of long runs the others begin by turns at a random point of the box, and part of the way to one
from the nearest success. Short ones all begin at random points of the box, hurry, and are given up early where they
stay behind: as many gradients see more places of the boundary, which is worth more where a few features decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from algorithms.attacks.fab.counts import come_back, settled, steps_of
from algorithms.attacks.fab.mixture import mixed
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Conversation
from algorithms.seam.question import Owners
from algorithms.searches.labels.starts import AnyRow
from algorithms.searches.minimum_norm.iterates import Iterates, Seen
from algorithms.threats.threat import Threat

PATIENCE, GAIN = 16, 0.01  # a run rests that has not come nearer by this share in so many steps
BEHIND = 1.1  # times the nearest success: how far a run may stay away from it and still count as near
FADE = 0.7  # of that share, where the boundary was lost for more than one step; down to the paper's 1 - beta
ASIDE = 0.3  # of the way from the nearest success to a random point


@dataclass(frozen=True)
class Habit:
    """A habit is how runs are made: how they begin, how fast they come back, when they are given up."""

    is_beside: bool  # whether every other run begins beside the nearest success
    first_back: float  # share of its distance that an adversarial point first gives up
    behind: int  # steps without coming nearer of a run that stays behind the nearest success


HABITS: Mapping[str, Habit] = {"long": Habit(True, 0.3, PATIENCE), "short": Habit(False, 0.4, 6)}


@dataclass
class Runs:
    """Runs are one a sample at a time: how near it has come, and for how long it has not come nearer. All (n,)."""

    iterates: Iterates
    habit: Habit
    least_back: float
    begun: NDArray[np.int64] = field(init=False)  # runs before this one
    nearest_ever: Numbers = field(init=False)  # of all runs, measured as their steps are
    nearest: Numbers = field(init=False)  # of this run
    idle: NDArray[np.int64] = field(init=False)  # steps since it came nearer
    lost: NDArray[np.int64] = field(init=False)  # steps since a point was adversarial
    back: Numbers = field(init=False)  # share of the distance that an adversarial point gives up
    geometry: Threat = field(init=False)  # in which runs step, and are measured

    def __post_init__(self) -> None:
        n = len(self.iterates.x)
        self.begun, self.idle, self.lost = np.zeros((3, n), np.int64)
        self.nearest, self.back = np.full(n, np.inf), np.full(n, self.first_back)
        self.geometry = steps_of(self.iterates.threat)
        successes = self.iterates.successes
        hinted = self.geometry.lengths(successes.nearest.astype(np.float64) - self.iterates.x)
        self.nearest_ever = np.where(np.isfinite(successes.distance), hinted, np.inf)

    @property
    def first_back(self) -> float:
        return max(self.habit.first_back, self.least_back)

    def see(self, owners: Owners, seen: Seen) -> Mask:
        """Take in where these samples' points (m,) stand; returns whose run is at rest."""
        away, lost = self.geometry.lengths(self.iterates.changes(owners)), self.lost[owners]
        is_nearer = seen.wins & (away < (1 - GAIN) * self.nearest[owners])
        self.nearest[owners] = np.where(seen.wins, np.minimum(away, self.nearest[owners]), self.nearest[owners])
        self.idle[owners] = np.where(is_nearer, 0, self.idle[owners] + 1)
        faded = np.maximum(FADE * self.back[owners], self.least_back)
        self.back[owners] = np.where(seen.wins & (lost > 1), faded, self.back[owners])
        self.lost[owners] = np.where(seen.wins, 0, lost + 1)
        self.nearest_ever[owners] = np.minimum(self.nearest_ever[owners], self.nearest[owners])
        is_behind = self.nearest[owners] > BEHIND * self.nearest_ever[owners]
        patience = np.where(is_behind, self.habit.behind, PATIENCE)
        return np.asarray((self.idle[owners] >= patience) | ~(seen.wins | seen.slopes.any(axis=1)))

    def begin(self, owner: int) -> None:
        """Begin the next run of one sample anywhere; by turns beside its nearest success, where the habit is so."""
        iterates, successes = self.iterates, self.iterates.successes
        run, one = int(self.begun[owner]), slice(owner, owner + 1)
        start = AnyRow(iterates.x[one], iterates.threat).draw(iterates.cohort.streams[owner].at(run), run)
        if self.habit.is_beside and run % 2 and np.isfinite(successes.distance[owner]):
            nearest = successes.nearest[one].astype(np.float64)
            start = iterates.threat.clip(nearest + ASIDE * (start - nearest), iterates.x[one])
        iterates.points[one] = start
        self.begun[owner] += 1
        self.nearest[owner], self.back[owner] = np.inf, self.first_back
        self.idle[owner] = self.lost[owner] = 0


def wander(iterates: Iterates, habit: Habit, *, steps: int, eta: float, beta: float) -> Conversation:
    """Take so many steps a sample, a gradient each; claim each nearest success, and halve the way back at the end."""
    yield from iterates.begin()
    iterates.points = iterates.x.copy()
    runs = Runs(iterates, habit, 1 - beta)
    for _ in range(steps):
        owners = iterates.going()
        if not len(owners):
            break
        seen = yield from iterates.look(owners, "margin")
        at_rest = runs.see(owners, seen)
        iterates.points[owners] = _step(iterates, owners, seen, runs.back[owners], eta)
        for owner in owners[at_rest]:
            runs.begin(int(owner))
    yield from come_back(iterates.successes)
    yield from iterates.tell()


def _step(iterates: Iterates, owners: Owners, seen: Seen, back: Numbers, eta: float) -> Rows:
    """Adversarial points go back towards their samples by a share; then all step onto the hyperplane they saw."""
    x, here = iterates.x[owners], iterates.points[owners].astype(np.float64)
    share = np.where(seen.wins, back, 0.0)[:, None]
    moved = here + share * (x - here)
    gaps = seen.margins + ((moved - here) * seen.slopes).sum(axis=1)
    return settled(iterates.threat, mixed(steps_of(iterates.threat), moved, x, gaps, seen.slopes, eta), x)
