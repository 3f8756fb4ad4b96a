"""Auto-PGD: ascent whose step needs no tuning, restarted; at a radius, or at the smallest radius where it succeeds.

Croce & Hein, ICML 2020, with their l1 of ICML 2021: there the first steps are made in balls of three and of two radii,
and what they reach is brought into the ball that is asked about.

Without a radius each try begins at the nearest success so far, brought into the smaller ball.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithms.attacks.apgd.ascent import AdaptiveAscent, FlatPoints
from algorithms.attacks.apgd.rules import rule_of
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.losses import has_dlr
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Labels
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import Kind, Note
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.boundaries.first_order import RIVALS, leading_rivals, rank_rivals
from algorithms.searches.climbs.smallest_radius import search
from algorithms.searches.tallies.stationarity import Stationarity
from algorithms.searches.tallies.successes import Successes
from algorithms.searches.tallies.vanishing import Vanishing
from algorithms.threats.threat import Threat

TOLERANCE = 0.005  # a search ends where the smallest success is within half a per cent of the largest failure
WIDE = ((3.0, 0.3), (2.0, 0.3), (1.0, 0.4))  # radii and shares of the steps in l1 (Croce & Hein 2021, sec. 3.2)


class APGDParams(Params):
    name: Literal["apgd"] = "apgd"
    loss: Literal["cross_entropy", "dlr", "margin", "targeted_dlr"] = Field(
        "dlr",
        description="what is climbed; targeted_dlr: towards one rival after the other. Of two classes: the margin",
    )
    aim: Literal["nearest", "loss"] = Field(
        "nearest",
        description="untargeted, at each radius first towards the rival that is nearest to first order; loss: only "
        "where the loss leads, as the papers do. targeted_dlr has aims of its own",
    )
    steps: int = Field(100, ge=1, le=10_000, description="gradient steps of one ascent")
    restarts: int = Field(1, ge=1, le=100, description="ascents at each radius, each from a random point of its own")
    targets: int = Field(RIVALS, ge=1, le=1000, description="rivals that targeted_dlr aims at, the likeliest first")
    search_steps: int = Field(12, ge=1, le=40, description="radii tried where no epsilon is given")

    @property
    def is_aimed(self) -> bool:
        """Tell whether untargeted ascents go towards the nearest rival before they go where the loss leads."""
        return self.aim == "nearest" and self.loss != "targeted_dlr"


def minimum(params: APGDParams, threat: Threat) -> Cost:
    """Count the clean row, one look at the end of an ascent and the final re-query; the first guess, and one ascent."""
    if threat.targeted is not None:
        guess = 1 if threat.epsilon is None else 0
    else:
        guess = RIVALS if threat.epsilon is None or params.is_aimed else 0
    return Cost(queries=3, gradients=params.steps + guess)


def misfit(params: APGDParams, classes: int) -> str | None:
    """Say why the loss has no meaning among so many classes, and what has. With two, its place takes the margin."""
    if params.loss == "targeted_dlr" and classes == 3:
        return "targeted_dlr compares four scores, and this model has three classes: take loss dlr or margin."
    return None


@dataclass
class APGD:
    """An `APGD` attacks a cohort, and can be asked to do so at any radius."""

    successes: Successes
    params: APGDParams
    nearest: Labels | None = None  # (n,) rivals that are tried before the loss leads; None: there are none

    def __post_init__(self) -> None:
        n, norm = len(self.successes.cohort.labels), self.successes.threat.norm
        self.draws = np.zeros(n, np.int64)  # random starts so far: each stream's counter
        self.stationarity, self.vanishing = Stationarity(n), Vanishing(n)
        loss = "dlr" if self.params.loss == "targeted_dlr" else self.params.loss
        rule = rule_of(norm)
        self.ascent = AdaptiveAscent(
            self.successes, self.stationarity, self.vanishing, loss, lambda steps: rule(self.successes, steps)
        )

    def at_radius(self, radius: Numbers, wanted: Mask) -> Step[Mask]:
        """Ascend within each sample's radius until it is adversarial; returns the mask (n,) of those that are."""
        won = np.zeros(len(radius), np.bool_)
        for aims in self._aims():
            for restart in range(self.params.restarts):
                trying = np.flatnonzero(wanted & ~won & self.successes.cohort.live)
                known = np.isfinite(self.successes.distance[trying]) & (restart == 0)
                for part, is_known in ((trying[known], True), (trying[~known], False)):
                    if len(part):
                        won[(yield from self._ascend(part, radius[part], aims, is_known=is_known))] = True
        return won

    def _aims(self) -> Iterator[Labels | None]:
        """What the loss aims at (n,), one after the other; None: wherever it leads."""
        cohort = self.successes.cohort
        if cohort.targets is not None:
            yield cohort.targets
        elif self.params.loss == "targeted_dlr" and has_dlr(cohort.classes, is_targeted=True):
            yield from leading_rivals(cohort, self.params.targets).T
        else:
            if self.nearest is not None:
                yield self.nearest
            yield None

    def _ascend(self, owners: Owners, radius: Numbers, aims: Labels | None, *, is_known: bool) -> Step[list[int]]:
        """From the nearest success, or from a random point: then in l1 through wider balls."""
        steps = self.params.steps
        if is_known:
            start = self.successes.project(self.successes.nearest[owners], owners, radius)
            return (yield from self.ascent.climb(owners, start, radius, aims, steps=steps))[0]
        if self.successes.threat.norm is not Norm.L1 or steps < len(WIDE):
            start = self._random(owners, radius)
            return (yield from self.ascent.climb(owners, start, radius, aims, steps=steps))[0]
        points, left = self._random(owners, WIDE[0][0] * radius), steps
        for factor, share in WIDE:
            points = self.successes.project(points, owners, factor * radius)
            part = left if factor == 1 else int(np.ceil(share * steps))
            won, points = yield from self.ascent.climb(
                owners, points, factor * radius, aims, steps=max(1, part), leave=factor == 1
            )
            left -= part
        return won

    def _random(self, owners: Owners, radius: Numbers) -> FlatPoints:
        """A point of the sphere, whose law is the norm's own; in l1 Gaussian noise brought into the ball."""
        shape, points = self.successes.shape, self.successes.x[owners].astype(np.float64)
        for row, (i, r) in enumerate(zip(owners, radius, strict=True)):
            rng = self.successes.cohort.streams[i].at(int(self.draws[i]))
            points[row] += self._noise(rng, shape, float(r)).reshape(-1)
        self.draws[owners] += 1
        found: FlatPoints = self.successes.project(points, owners, radius)
        return found

    def _noise(self, rng: np.random.Generator, shape: tuple[int, ...], radius: float) -> NDArray[np.float64]:
        if self.successes.threat.norm is Norm.L1:
            return rng.standard_normal(shape)
        return np.asarray(self.successes.threat.draw_on_sphere(rng, 1, shape, radius=radius)[0])


def run(cohort: Cohort, threat: Threat, params: APGDParams) -> Conversation:
    """Climb at the radius asked for, or search the smallest that succeeds; claim successes, and note diagnostics."""
    successes = Successes(cohort, threat)
    yield from successes.begin_at_hints()
    is_aimed = params.is_aimed and cohort.targets is None
    ranked = (yield from rank_rivals(successes)) if is_aimed or threat.epsilon is None else None
    attack = APGD(successes, params, ranked.rivals[:, 0] if ranked and is_aimed else None)
    if threat.epsilon is not None:
        within = successes.distance <= threat.epsilon
        yield from attack.at_radius(np.full(len(within), threat.epsilon), ~within)
    elif ranked:
        first = np.minimum(ranked.distance, cohort.reached)
        yield from search(successes, attack.at_radius, first, tries=params.search_steps, tolerance=TOLERANCE)
    for owner in np.flatnonzero(cohort.live):
        yield Note({"fosc": attack.stationarity.fosc(int(owner))}, owner=int(owner))
    yield from attack.vanishing.tell(cohort.live)


METHOD = Method(
    name="apgd",
    version="2",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Croce & Hein, Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free "
    "Attacks, ICML 2020, arXiv:2003.01690",
    params=APGDParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    misfit=misfit,
    smallest=APGDParams(steps=8, search_steps=4),
    chunk=64,
    chunks_at_once=8,
)
