"""Bandits: what earlier rows said of the slope is kept as a prior, and two rows a step correct it.

Ilyas, Engstrom, Madry, ICLR 2019, arXiv:1807.07978, with the prior over time and over tiles of pixels (Bandits-TD).

Departures: how much the two losses differ depends on the scale of a model's scores, so their difference is taken over
its root mean square so far; steps are shares of the radius; the loss is a margin unless told otherwise, and may be one
towards a target. All rows lie in the box. Without a radius the smallest is searched.
"""

from collections.abc import Callable

import numpy as np

from algorithms.attacks.bandits.params import BanditsParams
from algorithms.attacks.bandits.tiles import Tiles
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget, Method
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.climbs.estimated import EstimatedClimb, threads_for
from algorithms.searches.scores.unseen import look_without_scores
from algorithms.threads import Work, side_by_side
from algorithms.threats.threat import Threat

PROBE = {Norm.LINF: 0.1, Norm.L2: 0.01}  # eta, in the code of the authors
STEP = {Norm.LINF: 0.2, Norm.L2: 0.1}  # 0.01 at a radius of 0.05, 0.5 at one of 5 (the same)
RATE = {Norm.LINF: 0.03, Norm.L2: 0.25}  # what their online rates of 100 and 0.1 come to, over a step's own size
CERTAIN = 1 - 1e-6  # a prior in linf nearer to 1 would never be moved again


def minimum(params: BanditsParams, threat: Threat) -> Cost:
    """Count the clean row, the sample itself, two rows and a look at where they lead, the final re-query."""
    del params, threat
    return Cost(queries=6)


def run(cohort: Cohort, threat: Threat, params: BanditsParams) -> Conversation:
    """Climb until a point at the radius asked for is adversarial, or the smallest such radius is found."""
    with side_by_side(threads_for(cohort.x, pairs=1)) as work:
        bandits = Bandits(cohort, threat, params, work)
        yield from bandits.climb()
    yield from look_without_scores(cohort, threat, bandits.plateaus.are_blind & ~np.isfinite(bandits.reached))


class Bandits(EstimatedClimb):
    """Bandits have for each sample a prior v (n, tiles), the noise it is tried with, and the size of differences."""

    patience = 25

    def __init__(self, cohort: Cohort, threat: Threat, params: BanditsParams, work: Work) -> None:
        self.params, self.norm = params, threat.norm
        super().__init__(cohort, threat, steps=params.steps, pairs=1, loss=params.loss, work=work)
        n = len(self.x)
        self.tiles = Tiles.of(self.shape, params.tile)
        self.rngs = [stream.at(0) for stream in cohort.streams]
        self.prior = np.zeros((n, self.tiles.count), np.float32)
        self.noise = np.zeros_like(self.prior)
        self.squares, self.looks = np.zeros(n), np.zeros(n, np.int64)
        self.rate = RATE[self.norm] if params.online_rate is None else params.online_rate
        self.share = STEP[self.norm] if params.step_size is None else params.step_size
        # In linf what is learned of a tile should not hang on how many there are: artanh v is no length.
        self.unit = np.sqrt(self.tiles.count) / params.exploration if self.norm is Norm.LINF else 1.0
        self.learn: Callable[[Rows, Rows], Rows] = _exponentiated if self.norm is Norm.LINF else np.add

    def widths(self) -> tuple[Numbers, Numbers]:
        """Find eta, and the length of an offset that crosses about the largest ball: in l2 (n,)."""
        n, d = self.x.shape
        eta = PROBE[self.norm] if self.params.probe is None else self.params.probe
        spread = np.sqrt(d) if self.norm is Norm.LINF else 1.0
        return np.full(n, eta * self.threat.box.typical_side), self.largest_radius() * spread

    def begin(self, who: Owners) -> None:
        """Keep the prior: the slope is much the same in another ball."""

    def probe(self, who: Owners, ahead: Rows, behind: Rows) -> None:
        """Put x + eta q_1 ahead and x + eta q_2 behind, q the directions of v + n and v - n."""
        k = self.tiles.count
        noise = np.empty((len(who), k), np.float32)
        for row, owner in zip(noise, who.tolist(), strict=True):
            self.rngs[owner].standard_normal(out=row, dtype=np.float32)
        noise *= np.float32(self.params.exploration / np.sqrt(k))
        self.noise[who] = noise
        center, eta = self.points[who], self.plateaus.step[who].astype(np.float32)
        for sign, rows in ((1, ahead[:, 0]), (-1, behind[:, 0])):
            q = self.tiles.spread(self.prior[who] + sign * noise)
            size = np.sqrt(np.einsum("ij,ij->i", q, q))
            np.multiply(q, (eta / np.where(size > 0, size, 1))[:, None], out=rows)
            np.add(rows, center, out=rows)
            self.threat.clip(rows, center, out=rows)

    def step(self, who: Owners, offsets: Rows, rises: Numbers, levels: Numbers) -> None:
        """Correct the prior by what its two rows said, and go a step along it."""
        del offsets, levels
        rise = rises[:, 0]
        self.squares[who] += rise**2
        self.looks[who] += rise != 0
        usual = np.sqrt(self.squares[who] / np.maximum(1, self.looks[who]))
        told = np.where(usual > 0, rise / np.where(usual > 0, usual, 1.0), 0.0)
        gain = (self.rate * self.unit * told).astype(np.float32)[:, None] * self.noise[who]
        self.prior[who] = self.learn(self.prior[who], gain)
        length = (self.share * self.radius[who]).astype(np.float32)[:, None]
        self.points[who] = self.confine(who, self.points[who] + length * self._direction(self.prior[who]))

    def _direction(self, prior: Rows) -> Rows:
        """The steepest way (m, d) along a prior (m, tiles); in linf its signs, of which there are fewer by tiles."""
        if self.norm is Norm.LINF:
            return self.tiles.spread(np.sign(prior))
        return np.asarray(self.threat.ascent_direction(self.tiles.spread(prior)), np.float32)


def _exponentiated(prior: Rows, gain: Rows) -> Rows:
    """Move each number of a prior in (-1, 1) by an exponentiated gradient (Ilyas et al. 2019, section 3.3).

    p = (v + 1) / 2 becomes p e^g / (p e^g + (1 - p) e^-g), so that artanh v grows by g.
    """
    return np.clip(np.tanh(np.arctanh(prior) + gain), -CERTAIN, CERTAIN)


METHOD = Method(
    name="bandits",
    version="1",
    family="attack",
    threat_model="black_box_score",
    needs=(Access.SCORES,),
    norms=(Norm.LINF, Norm.L2),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Ilyas, Engstrom, Madry, Prior Convictions: Black-Box Adversarial Attacks with Bandits and Priors, "
    "ICLR 2019, arXiv:1807.07978",
    params=BanditsParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=BanditsParams(online_rate=0.3, step_size=0.3),
    smallest_budget=Budget(queries=300),
    chunk=100,
    chunks_at_once=4,
)
