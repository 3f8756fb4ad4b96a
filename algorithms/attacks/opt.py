"""OPT: the shortest ray to the boundary, by random gradient-free descent of its length.

Cheng, Le, Chen, Zhang, Yi, Hsieh, Query-Efficient Hard-label Black-box Attack, ICLR 2019, arXiv:1807.04457,
algorithms 1 and 2. Each iteration measures g in q directions around theta by local searches (`crossings`), estimates

    gradient = 1/q sum over j of (g(theta + beta u_j) - g(theta)) / beta  u_j

less the mean of the differences, which would count wherever the box leaves a u_j only one way to go; and searches a
shorter ray along it (`descent`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.directions.params import wants
from algorithms.searches.labels.ray import Ray
from algorithms.searches.ray_lengths.crossings import DoublingSteps, PercentSteps, find_crossings
from algorithms.searches.ray_lengths.descent import DescentParams, RayDescent
from algorithms.threats.threat import Threat

PAPER_TOLERANCE = 1 / 500  # of beta, in the code of the authors


class OptParams(DescentParams):
    name: Literal["opt"] = "opt"
    probes: int = Field(30, ge=1, le=1000, description="q, the directions of an estimate")
    search: Literal["doubling", "paper"] = Field(
        "doubling",
        description="how the length of a ray is searched for from a guess: by steps that double, halved once, "
        "or by the paper's steps of 1 %, bisected to beta/500",
    )


def minimum(params: OptParams, threat: Threat) -> Cost:
    """Count the clean row, a start and a step back, one estimate, a step along it, the final re-query."""
    del threat
    return Cost(queries=2 * params.probes + 6)


def run(case: Case, threat: Threat, params: OptParams) -> Conversation:
    """Descend until the iterations are spent, epsilon is reached, or no start is adversarial; claim shorter rays."""
    descent = RayDescent(case, threat, params, PercentSteps() if params.search == "paper" else None)
    typical = descent.spread

    def advance() -> Step[None]:
        nonlocal typical
        seen = yield from measure(descent, params, typical)
        typical = seen.typical
        yield from descent.move(seen.gradient, seen.shortest)

    yield from descent.along(advance)


@dataclass(frozen=True)
class MeasuredRays:
    """Measured rays around one tell how the length changes with the direction, and which of them is shortest."""

    gradient: Numbers  # (*shape) of log g
    shortest: Rows | None  # (*shape), the adversarial end of a ray shorter than g
    typical: float  # the median of |g(theta + beta u) - g| / (beta g)


def measure(descent: RayDescent, params: OptParams, typical: float) -> Step[MeasuredRays]:
    """Measure g in q directions around where a descent stands, from steps as long as what probes differed by before."""
    cloud, beta, is_paper = descent.cloud(params.probes), descent.beta, params.search == "paper"
    points = np.concatenate(list(cloud.blocks()))  # (q, *shape)
    rays, u = Ray(cloud.x[None], points - cloud.x, 1.0, cloud.threat), descent.offsets(points)
    won = yield from descent.ask(points)
    steps = PercentSteps() if is_paper else DoublingSteps(max(typical * beta, descent.tolerance))
    tolerance = PAPER_TOLERANCE * beta if is_paper else np.inf
    at = yield from find_crossings(rays, won, descent.ask, steps, tolerance=tolerance)
    slopes = ((at.inner + at.outer) / 2 - 1) / beta  # (q,)
    uneven = slopes - slopes.mean() if len(slopes) > 1 else slopes
    best = int(np.argmin(at.outer))  # one that has not crossed is longer
    return MeasuredRays(
        gradient=(uneven @ u).reshape(cloud.x.shape) / params.probes,
        shortest=rays.at(at.outer)[best] if at.outer[best] < 1 else None,
        typical=float(np.median(np.abs(slopes))),
    )


METHOD = Method(
    name="opt",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Cheng et al., Query-Efficient Hard-label Black-box Attack, ICLR 2019, arXiv:1807.04457",
    params=OptParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=OptParams(probes=5),
    chunk=10,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
)
