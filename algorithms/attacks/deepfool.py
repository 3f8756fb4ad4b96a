"""DeepFool: straight to the nearest boundary as it looks to first order, again and again until the label changes.

Moosavi-Dezfooli, Fawzi, Frossard, CVPR 2016, algorithm 2, and its linf form. The classic, for comparison and as a start
for others: it stops at the first success. Departures: every point is brought into the box, which the paper leaves out,
and features that lie at its ends count no longer where a boundary is looked for beyond them; the classes looked at are
those with the largest clean scores; the way back to the sample is halved at the end, since the paper's overshoot
alone would report a distance 2 % too large of a model whose boundary is flat.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.boundaries.first_order import RIVALS, leading_rivals
from algorithms.searches.boundaries.linearized import Boundaries, linearize
from algorithms.searches.tallies.successes import Successes
from algorithms.searches.tallies.vanishing import Vanishing
from algorithms.threats.threat import Threat


class DeepFoolParams(Params):
    name: Literal["deepfool"] = "deepfool"
    steps: int = Field(50, ge=1, le=10_000, description="steps at most, one gradient for each rival looked at")
    overshoot: float = Field(0.02, ge=0, le=1, description="eta: by which share the whole change goes on")
    rivals: int = Field(RIVALS, ge=1, le=1000, description="classes looked at: those with the largest clean scores")


def minimum(params: DeepFoolParams, threat: Threat) -> Cost:
    """Count the clean row, a look at one point, the final re-query; one step."""
    del threat
    return Cost(queries=3, gradients=params.rivals)


def run(cohort: Cohort, threat: Threat, params: DeepFoolParams) -> Conversation:
    """Follow the boundary until the label changes; claim that point, and halve the way back to the sample."""
    successes = Successes(cohort, threat)
    x, rivals, vanishing = (
        successes.x.astype(np.float64),
        leading_rivals(cohort, params.rivals),
        Vanishing(len(cohort.x)),
    )
    r = np.zeros_like(x)  # the sum of all steps
    points = successes.x.copy()
    for _ in range(params.steps):
        owners = np.flatnonzero(cohort.live & np.isinf(successes.distance))
        if not len(owners):
            break
        seen = yield from linearize(successes, points[owners], owners, rivals[owners])
        vanishing.see(owners, seen.found)
        r[owners] += _step(
            seen._replace(slopes=_inward(seen.slopes, points[owners], successes.threat)), successes.threat
        )
        points[owners] = successes.threat.clip(x[owners] + (1 + params.overshoot) * r[owners], successes.x[owners])
        scores = yield from successes.ask(points[owners], owners)
        through = successes.margin(scores, owners) > 0
        yield from successes.pull_back(owners[through], points[owners[through]])
    yield from vanishing.tell(cohort.live)


def _inward(slopes: NDArray[np.float64], points: Rows, threat: Threat) -> NDArray[np.float64]:
    """The slopes (k, m, d) of what can still move that way from points (k, d); 0 of what lies at its end."""
    lower, upper = (np.broadcast_to(side, points.shape)[:, None, :] for side in threat.limits(points))
    at = points[:, None, :]
    return np.where((slopes > 0) & (at >= upper) | (slopes < 0) & (at <= lower), 0.0, slopes)


def _step(seen: Boundaries, threat: Threat) -> NDArray[np.float64]:
    """r_i = |f_l| / ||w_l||_q^q |w_l|^(q-1) sign(w_l), of the l with the least |f_l| / ||w_l||_q: (k, d)."""
    k, m, d = seen.slopes.shape
    lengths = threat.dual_lengths(seen.slopes.reshape(k * m, d)).reshape(k, m)
    away: Numbers = np.divide(np.abs(seen.gaps), lengths, out=np.full((k, m), np.inf), where=seen.found)
    place = np.arange(k), away.argmin(axis=1)
    reach = np.where(np.isfinite(away[place]), away[place], 0.0)
    return np.asarray(reach[:, None] * threat.ascent_direction(seen.slopes[place]))


METHOD = Method(
    name="deepfool",
    version="2",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted",),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Moosavi-Dezfooli et al., DeepFool: a Simple and Accurate Method to Fool Deep Neural Networks, CVPR "
    "2016, arXiv:1511.04599",
    params=DeepFoolParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=DeepFoolParams(rivals=1),
    chunk=64,
    chunks_at_once=8,
)
