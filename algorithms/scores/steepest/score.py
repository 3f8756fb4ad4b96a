"""The score by steepest ascent: margin over the largest gradient norm that climbs through a ball arrive at.

The bound is CLEVER's (Weng et al., ICLR 2018, Theorem 3.2). Where CLEVER infers the largest norm from the norms at
random points, here climbers look for it, and what the margins lose on their ways counts too. A larger norm may always
be left to find, so this is an estimate, from above.

Climbs go on in rounds, each with shorter steps and within the ball that is left when the slopes of the last are known.
Each keeps the half of the rivals that was nearest, so that at the end most climbers work on what decides.
"""

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import NORMS
from algorithms.method import Method, Params
from algorithms.scores.steepest.ascent import KEPT, Ascent
from algorithms.scores.steepest.steepness import Steepness
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Abstained, Details, Estimate, Kind
from algorithms.seam.cost import Cost
from algorithms.searches.boundaries.rivals import rivals_of
from algorithms.threats.threat import Threat

ROUNDS = 4
SHRINK = 0.6  # of probes and steps from round to round
ROOM = 1.02  # of the ball that is left, over the distance that slopes show
VANISHED = 1e30  # a first-order distance this long: the gradient is rounding, or nothing
EXPLAINED = 1.05  # times the steepest gradient: ways steeper than that are made of something that gradients miss


class SteepestParams(Params):
    """Parameters are how many points climb, how long, and within which ball."""

    name: Literal["steepest"] = "steepest"
    climbers: int = Field(36, ge=1, le=1024, description="points that climb at once; also the most rivals looked at")
    steps: int = Field(8, ge=1, le=1000, description="of a climber in each of the 4 rounds, three gradients each")
    radius: Literal["auto"] | Annotated[float, Field(gt=0, le=1e6)] = Field(
        "auto", description="R of the ball; auto: the largest R with margin / L(R) >= R, which then is the score"
    )


def minimum(params: SteepestParams, threat: Threat) -> Cost:
    """Count the clean row; gradients at the sample, of climbs, and of the rivals where a round begins."""
    del threat
    climbs = ROUNDS * params.climbers * (3 * params.steps + 1)
    beginnings = math.ceil(params.climbers / KEPT) * (params.climbers + 2)
    return Cost(queries=1, gradients=2 * params.climbers + climbs + beginnings)


def run(case: Case, threat: Threat, params: SteepestParams) -> Conversation:
    """End in an Estimate, or in Abstained: `gradient_masked` or `gradient_not_finite`."""
    rivals, margins = rivals_of(case, params.climbers)
    ascent = Ascent(case, threat, rivals, Steepness(margins), params.climbers, params.steps)
    yield (yield from _measure(ascent, None if params.radius == "auto" else params.radius))


def _measure(ascent: Ascent, radius: float | None) -> Step[Estimate | Abstained]:
    slopes, r = ascent.slopes, len(ascent.rivals)
    facts: Details = {"rivals_evaluated": r, "climbers": ascent.climbers, "steps": ascent.steps}
    yield from ascent.look(np.repeat(ascent.x, r, axis=0), np.arange(r))
    if not ascent.is_finite():
        return Abstained("gradient_not_finite", details=facts)
    first_order = float(slopes.shown().min())
    facts["first_order_distance"] = first_order if first_order < VANISHED else None
    if radius is None and first_order >= VANISHED:  # nothing to take a scale from
        return Abstained("gradient_masked", details=facts)
    shown = yield from _climb(ascent, radius, first_order)
    if not ascent.is_finite():
        return Abstained("gradient_not_finite", details=facts)
    if not np.any(slopes.steepest_gradients(np.inf)):
        return Abstained("gradient_masked", details=facts)
    return Estimate(shown[-1], details=facts | _read(ascent, shown, radius))


def _climb(ascent: Ascent, radius: float | None, first_order: float) -> Step[list[float]]:
    """The score after each round. Ends early on the boundary itself, and where an answer is not finite."""
    active, shown = np.arange(len(ascent.rivals)), [float(_distances(ascent.slopes, radius).min())]
    for number in range(ROUNDS if shown[0] > 0 else 0):
        active = active[np.argsort(_distances(ascent.slopes, radius)[active], kind="stable")]
        active = active[: math.ceil(len(ascent.rivals) / 2**number)]
        ball = radius or min(first_order, ROOM * shown[-1])
        yield from ascent.climb(active, ball, SHRINK**number)
        if not ascent.is_finite():
            break
        shown.append(float(_distances(ascent.slopes, radius).min()))
    return shown


def _distances(slopes: Steepness, radius: float | None) -> Numbers:
    return slopes.shown() if radius is None else slopes.within(radius)


def _read(ascent: Ascent, shown: list[float], radius: float | None) -> Details:
    """What there is to say about the score."""
    value, slopes = shown[-1], ascent.slopes
    rival, ball = int(_distances(slopes, radius).argmin()), radius or value
    gradient, way = slopes.steepest_gradients(ball)[rival], slopes.steepest_falls(ball)[rival]
    warnings = {
        "gradients_miss_slopes": way > EXPLAINED * gradient,
        "beyond_box": value > float(ascent.threat.farthest(ascent.x)[0]),
    }
    return {
        "status": "censored_at_radius" if radius is not None and value >= radius else "ok",
        "rival": int(ascent.rivals[rival]),
        "radius": ball,
        "max_gradient_norm": float(gradient),
        "steepest_way": float(way),
        "by_round": shown,
        "clipped": ascent.threat.is_cut(ascent.x, ball),
        "warnings": [warning for warning, holds in warnings.items() if holds],
    }


METHOD = Method(
    name="steepest",
    version="1",
    family="score",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="refused",
    proves=Kind.ESTIMATE,
    reference="Weng et al., ICLR 2018, Theorem 3.2, and an ascent of our own, arXiv:1801.10578",
    params=SteepestParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=SteepestParams(climbers=4, steps=2),
    chunk=2,
    chunks_at_once=16,
    reported=("first_order_distance", "max_gradient_norm", "radius"),
)
