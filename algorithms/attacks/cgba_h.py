"""CGBA-H: along a semicircle from a boundary point, then straight back, for boundaries that bend much. Labels alone.

Reza, Rahmati, Wu, Dai: CGBA: Curvature-aware Geometric Black-box Attack, ICCV 2023, arXiv:2308.03163. Each iteration
estimates the boundary's normal from the labels of a cloud, steps onto the semicircle of CGBA as far towards the normal
as is adversarial, and comes straight back to the boundary. What is not in the paper:
`algorithms/searches/labels/boundary_walk.py`.
"""

from typing import Literal

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind
from algorithms.searches.directions.choice import widening
from algorithms.searches.directions.params import wants
from algorithms.searches.labels.arc import RIGHT
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.line import Segment
from algorithms.searches.labels.semicircle import SemicircleParams, angle_to, estimate, minimum, semicircle
from algorithms.threats.threat import Threat

HALVINGS = 24  # of the angle: a smaller one is no move in float32


class CGBAHParams(SemicircleParams):
    name: Literal["cgba_h"] = "cgba_h"


def run(case: Case, threat: Threat, params: CGBAHParams) -> Conversation:
    """Walk until the iterations are spent, epsilon is reached, or no start is adversarial; claim ever nearer points."""
    walk = BoundaryWalk(case, threat, widening(case, params), params.tolerance)

    def advance(k: int) -> Step[None]:
        """Estimate, step onto the semicircle, and come back: one iteration (Reza et al. 2023, section 3.3)."""
        normal = yield from estimate(walk, params, k)
        landed = None if normal is None else (yield from step(walk, normal))
        if landed is not None:
            yield from walk.follow(Segment(case.x, landed, threat))

    yield from walk.along(advance, iterations=params.iterations)


def step(walk: BoundaryWalk, normal: Numbers) -> Step[Rows | None]:
    """Turn half of the way from the point to the normal, then a quarter and so on, until that is adversarial.

    None where it never is: neither paper nor code has an end here.
    """
    arc = semicircle(walk, normal)
    angle = angle_to(arc, normal)
    for halved in range(1, HALVINGS + 1):
        there = arc.at(1 - angle * 0.5**halved / RIGHT)
        if np.array_equal(there, walk.point):
            return None
        if (yield from walk.is_adversarial(there)):
            return there
    return None


METHOD = Method(
    name="cgba_h",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2,),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Reza, Rahmati, Wu, Dai, CGBA: Curvature-aware Geometric Black-box Attack, ICCV 2023, arXiv:2308.03163",
    params=CGBAHParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=CGBAHParams(initial_directions=15),
    chunk=25,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
    keeps_lattice=True,
)
