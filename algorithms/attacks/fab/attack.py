"""Fast adaptive boundary: onto the boundary as it looks to first order, always drawn back towards the sample.

Croce & Hein, ICML 2020 (FAB), algorithm 1. A step leads to the nearest boundary by the exact projection onto its
hyperplane and the box, from the point and from the sample; both are mixed, and go a little beyond. A point that is
adversarial goes back towards the sample before the next step.

Departures: the classes whose boundaries are looked at are those with the largest clean scores; the last search along
the segment halves it; restarts at a radius of its own begin within half the first-order distance, where nothing was
found yet. And ours alone: towards whichever rival `leading`, begun anew from far away; and l0.
"""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from algorithms.attacks.fab.counts import come_back, settled, steps_of
from algorithms.attacks.fab.mixture import mixed
from algorithms.attacks.fab.wandering import HABITS, wander
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.boundaries.first_order import RIVALS, leading_rivals
from algorithms.searches.boundaries.linearized import Boundaries, linearize
from algorithms.searches.minimum_norm.iterates import Iterates
from algorithms.searches.tallies.successes import Successes
from algorithms.searches.tallies.vanishing import Vanishing
from algorithms.threats.threat import Threat


class FABParams(Params):
    name: Literal["fab"] = "fab"
    steps: int = Field(100, ge=1, le=10_000, description="steps of one run, one gradient for each rival looked at")
    restarts: int = Field(1, ge=1, le=100, description="runs: from the sample, then from random points near it")
    rivals: int = Field(RIVALS, ge=1, le=1000, description="classes looked at: those with the largest clean scores")
    towards: Literal["nearest", "each", "leading"] = Field(
        "nearest",
        description="which boundary a step leads to: the nearest; each rival's in a run of its own (FAB-T); or that of "
        "whichever leads, at one gradient a step of `steps` in all, begun anew from far away where it rests",
    )
    runs: Literal["long", "short"] = Field(
        "long",
        description="with towards leading: long runs, every other one beside the nearest success, or short ones, all "
        "from far away and given up early where they stay behind it",
    )
    overshoot: float = Field(1.05, ge=1, le=2, description="eta: a step goes so far, 1 being the hyperplane")
    backward: float = Field(0.9, gt=0, lt=1, description="beta: an adversarial point keeps this share of its distance")

    @model_validator(mode="after")
    def _has_runs_to_repeat(self) -> Self:
        if self.towards == "leading" and (self.restarts, self.rivals) != (1, RIVALS):
            raise ValueError(
                "with towards leading any class may lead, and runs begin anew by themselves: leave out "
                "restarts and rivals, and give more steps"
            )
        if self.towards != "leading" and self.runs == "short":
            raise ValueError("runs are short with towards leading alone: leave out runs, or ask for towards leading")
        return self


def minimum(params: FABParams, threat: Threat[Any]) -> Cost:
    """Count the clean row, a look at one success, the final re-query; one step."""
    looked_at = 1 if threat.targeted is not None or params.towards != "nearest" else params.rivals
    return Cost(queries=3, gradients=looked_at)


def run(cohort: Cohort, threat: Threat[Norm | Counting], params: FABParams) -> Conversation:
    """Run from the sample, and restart near it; claim each nearest success, and halve the way back to the sample."""
    if params.towards == "leading":
        habit, eta, beta = HABITS[params.runs], params.overshoot, params.backward
        yield from wander(Iterates(cohort, threat), habit, steps=params.steps, eta=eta, beta=beta)
        return
    fab = FAB(Successes(cohort, threat), params)
    yield from fab.successes.begin_at_hints()
    leading = leading_rivals(cohort, params.rivals)  # (n, m)
    for rivals in leading.T[:, :, None] if params.towards == "each" else (leading,):
        for restart in range(params.restarts):
            yield from fab.run(rivals, restart)
    yield from come_back(fab.successes)
    yield from fab.vanishing.tell(cohort.live)


class FAB:
    """A `FAB` holds the points of a cohort, flat rows (n, d), and where each has been found adversarial."""

    def __init__(self, successes: Successes, params: FABParams) -> None:
        self.successes, self.params = successes, params
        self.threat, self.x = steps_of(successes.threat), successes.x
        n = len(self.x)
        self.points: Rows = self.x.copy()
        self.first_order = np.full(n, np.inf)
        self.draws = np.zeros(n, np.int64)
        self.vanishing = Vanishing(n)

    def run(self, rivals: NDArray[np.int64], restart: int) -> Step[None]:
        """Take all steps of one run towards the nearest of these rivals (n, m)."""
        self.points = self.x.copy() if restart == 0 else self._random()
        for _ in range(self.params.steps):
            owners = self._going()
            if not len(owners):
                return
            seen = yield from linearize(self.successes, self.points[owners], owners, rivals[owners])
            self.points[owners] = self._step(owners, seen)
            yield from self._look(owners)

    def _going(self) -> Owners:
        """Who is worth a step: who has budget left, and is not broken within epsilon."""
        epsilon, cohort = self.successes.threat.epsilon, self.successes.cohort
        return np.flatnonzero(cohort.live & (epsilon is None or self.successes.distance > epsilon))

    def _step(self, owners: Owners, seen: Boundaries) -> Rows:
        """Onto the boundary that is nearest to first order, drawn back towards the sample."""
        gaps, slopes = self._nearest(owners, seen)
        moved = mixed(self.threat, self.points[owners], self.x[owners], gaps, slopes, self.params.overshoot)
        return settled(self.successes.threat, moved, self.x[owners])

    def _nearest(self, owners: Owners, seen: Boundaries) -> tuple[Numbers, NDArray[np.float64]]:
        """The boundary that is nearest to first order, |gap| / ||slope||_q (eq. 8): gaps (k,), slopes (k, d)."""
        k, m, d = seen.slopes.shape
        steep = self.threat.dual_lengths(seen.slopes.reshape(k * m, d)).reshape(k, m)
        away = np.divide(np.abs(seen.gaps), steep, out=np.full((k, m), np.inf), where=seen.found)
        place = np.arange(k), away.argmin(axis=1)
        is_known = np.asarray(np.isfinite(away[place]))
        self.vanishing.see(owners, is_known[:, None])
        self.first_order[owners] = np.where(np.isinf(self.first_order[owners]), away[place], self.first_order[owners])
        gaps, slopes = seen.gaps[place], seen.slopes[place]
        return np.where(is_known, gaps, 0.0), np.where(is_known[:, None], slopes, 0.0)

    def _look(self, owners: Owners) -> Step[None]:
        """Ask which points are adversarial, claim the nearest, and move all of them back towards their samples."""
        points = self.points[owners]
        scores = yield from self.successes.ask(points, owners)
        wins: Mask = self.successes.margin(scores, owners) > 0
        yield from self.successes.claim(owners[wins], points[wins])
        x, back = self.x[owners[wins]], self.params.backward
        self.points[owners[wins]] = self.threat.clip(x + back * (points[wins] - x.astype(np.float64)), x)

    def _random(self) -> Rows:
        """Random valid points at half the distance that is known to break the samples (algorithm 1, line 4)."""
        epsilon = self.successes.threat.epsilon
        known = np.minimum(self.successes.distance, np.inf if epsilon is None else epsilon)
        radius = np.where(np.isfinite(known), known, self.first_order) / 2
        points = self.x.astype(np.float64)
        for i in np.flatnonzero(np.isfinite(radius)):
            rng = self.successes.cohort.streams[i].at(int(self.draws[i]))
            offsets = self.threat.draw_on_sphere(rng, 1, self.successes.shape, radius=float(radius[i]))
            points[i] += offsets.reshape(-1)
        self.draws += 1
        found: Rows = self.threat.clip(points, self.x)
        return found


METHOD = Method(
    name="fab",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=(*NORMS, Counting.L0),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Croce & Hein, Minimally Distorted Adversarial Examples with a Fast Adaptive Boundary Attack, ICML 2020, "
    "arXiv:1907.02044",
    params=FABParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=FABParams(steps=12),
    chunk=64,
    chunks_at_once=8,
)
