"""Frank-Wolfe: a step towards the point of the ball at which the loss, taken as linear, is least; nothing is projected.

Chen, Zhou, Yi, Gu, AAAI 2020, algorithm 1. All iterates are convex combinations of points of the ball, and most lie
well within it. Departures: the ball is cut to the box before its least point is looked for, so that in l1 no vertex is
out of reach; the loss is a margin unless told otherwise, first that of the rival which is nearest to first order. The
untargeted loss is turned before the least point is looked for; their white-box code turns the step instead, which
leads away from the sample.

Without a radius the smallest that succeeds is searched, each try from the last success, drawn into the smaller ball.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithms.mathematics.arrays import Array, Mask, Numbers
from algorithms.mathematics.losses import derivative
from algorithms.mathematics.norms import NORMS
from algorithms.mathematics.projections import short_of_rounding
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Labels, Rows
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import Kind, Note
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.seam.questions.gradients import AskGradient
from algorithms.searches.boundaries.first_order import RIVALS, FirstOrder, rank_rivals
from algorithms.searches.climbs.smallest_radius import search
from algorithms.searches.tallies.successes import Successes, on_host
from algorithms.searches.tallies.vanishing import Vanishing
from algorithms.threats.threat import Threat

TOLERANCE = 0.01  # a search ends where the smallest success is within 1 % of the largest failure


class FrankWolfeParams(Params):
    name: Literal["frank_wolfe"] = "frank_wolfe"
    loss: Literal["margin", "cross_entropy"] = Field(
        "margin",
        description="what is climbed; margin: of the nearest rival, then of whichever leads. paper: cross_entropy",
    )
    steps: int = Field(40, ge=1, le=100_000, description="T: gradient steps of one run")
    step_size: float = Field(0.1, gt=0, le=1, description="gamma: the share of the way to the least point")
    momentum: float = Field(0.9, ge=0, lt=1, description="beta: the share of earlier gradients")
    search_steps: int = Field(12, ge=1, le=40, description="radii tried where no epsilon is given")


def minimum(params: FrankWolfeParams, threat: Threat) -> Cost:
    """Count the clean row, one look at the end of a run and the final re-query; the nearest rival, and one run."""
    return Cost(queries=3, gradients=params.steps + (1 if threat.targeted else RIVALS))


def run(cohort: Cohort, threat: Threat, params: FrankWolfeParams) -> Conversation:
    """Run at the radius asked for, or search the smallest that succeeds; claim successes, and note diagnostics."""
    successes = Successes(cohort, threat)
    yield from successes.begin_at_hints()
    ranked = yield from rank_rivals(successes)
    attack = FrankWolfe(successes, ranked, params)
    if threat.epsilon is not None:
        within = successes.distance <= threat.epsilon
        yield from attack.at_radius(np.full(len(within), threat.epsilon), ~within)
    else:
        first = np.minimum(ranked.distance, cohort.reached)
        yield from search(successes, attack.at_radius, first, tries=params.search_steps, tolerance=TOLERANCE)
    for owner in np.flatnonzero(cohort.live):
        yield Note(attack.diagnostics(int(owner)), owner=int(owner))
    yield from attack.vanishing.tell(cohort.live)


class FrankWolfe:
    """A `FrankWolfe` attacks a cohort, and can be asked to do so at any radius."""

    def __init__(self, successes: Successes, ranked: FirstOrder, params: FrankWolfeParams) -> None:
        n = len(successes.cohort.labels)
        self.successes, self.ranked, self.params = successes, ranked, params
        self.gap, self.before = np.full(n, np.nan), np.full(n, np.nan)
        self.vanishing = Vanishing(n)

    def at_radius(self, radius: Numbers, wanted: Mask) -> Step[Mask]:
        """Run within each sample's radius until it is adversarial; returns the mask (n,) of those that are."""
        won = np.zeros(len(radius), np.bool_)
        for aims in self._aims():
            trying = np.flatnonzero(wanted & ~won & self.successes.cohort.live & ~self.vanishing.always)
            if len(trying):
                won[(yield from self._run(trying, radius[trying], aims))] = True
        return won

    def _aims(self) -> Iterator[Labels | None]:
        """The classes (n,) that the loss leads to, one run after the other; None: whichever leads."""
        if self.successes.cohort.targets is not None:
            yield self.successes.cohort.targets
        else:
            if self.params.loss == "margin":
                yield self.ranked.rivals[:, 0]
            yield None

    def _run(self, owners: Owners, radius: Numbers, aims: Labels | None) -> Step[list[int]]:
        """Returns who became adversarial; claims them on the way. In the symbols of the paper."""
        x0, threat, won = self.successes.x[owners], self.successes.threat, list[int]()
        radius = short_of_rounding(radius, threat.lengths(x0))
        offset = self._start(owners, radius)  # x_t - x_0 (m, d)
        m: Numbers = np.zeros_like(offset)
        for t in range(self.params.steps):
            x = threat.clip(x0 + offset, x0)
            scores, slopes = yield from self._ask(owners, x, aims)
            through = yield from self.successes.confirm(owners, x, self.successes.margin(scores, owners) > 0)
            won += yield from self._win(owners[through], x[through])
            m = -slopes if t == 0 else self.params.momentum * m - (1 - self.params.momentum) * slopes
            v = threat.least(m, x0, radius)
            self.gap[owners] = (slopes * (threat.least(-slopes, x0, radius) - offset)).sum(axis=1)
            stay = ~through & self.successes.cohort.live[owners] & ~self.vanishing.always[owners]
            if not stay.any():
                return won
            owners, radius, x0 = owners[stay], radius[stay], x0[stay]
            offset, m = offset[stay] + self.params.step_size * (v[stay] - offset[stay]), m[stay]
        x = threat.clip(x0 + offset, x0)
        scores = yield from self.successes.ask(x, owners)
        through = self.successes.margin(scores, owners) > 0
        return won + (yield from self._win(owners[through], x[through]))

    def _start(self, owners: Owners, radius: Numbers) -> Numbers:
        """From the nearest success, drawn into the ball, or from the sample where there is none."""
        offset = self.successes.nearest[owners].astype(np.float64) - self.successes.x[owners]
        away = self.successes.distance[owners]
        share = np.where(np.isfinite(away), np.minimum(radius / np.where(away > 0, away, 1.0), 1.0), 0.0)
        return np.asarray(share[:, None] * offset)

    def _ask(self, owners: Owners, x: Rows, aims: Labels | None) -> Step[tuple[Array, NDArray[np.float64]]]:
        """Scores at the points, and the slopes (m, d) of the loss that is climbed; 0 where they are no numbers."""

        def cotangent(scores: Array, positions: Owners) -> Array:
            these = owners[positions]
            classes = self.successes.classes(scores, these, None if aims is None else aims[these])
            return derivative(self.params.loss, scores, *classes)

        scores, slopes = yield from AskGradient(self.successes.shaped(x), owners, cotangent=cotangent)
        flat = np.reshape(on_host(slopes), x.shape).astype(np.float64)
        flat = np.where(np.isfinite(flat), flat, 0.0)
        self.vanishing.see(owners, flat)
        return scores, flat

    def _win(self, owners: Owners, x: Rows) -> Step[list[int]]:
        """Note how far away the points are, and pull them back."""
        if len(owners):
            self.before[owners] = on_host(self.successes.threat.lengths(x - self.successes.x[owners]))
        return (yield from self.successes.pull_back(owners, x))

    def diagnostics(self, owner: int) -> dict[str, float | None]:
        """Tell the last point's Frank-Wolfe gap, and how far the last success was before it was pulled back."""
        gap, before = self.gap[owner], self.before[owner]
        return {
            "frank_wolfe_gap": None if np.isnan(gap) else float(gap),
            "before_pull_back": None if np.isnan(before) else float(before),
        }


METHOD = Method(
    name="frank_wolfe",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Chen, Zhou, Yi, Gu, A Frank-Wolfe Framework for Efficient and Effective Adversarial Attacks, AAAI 2020, "
    "arXiv:1811.10828",
    params=FrankWolfeParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=FrankWolfeParams(steps=8, step_size=0.4),
    chunk=64,
    chunks_at_once=8,
)
