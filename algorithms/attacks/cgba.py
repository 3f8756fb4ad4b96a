"""CGBA: along a semicircle from a boundary point to the sample, for boundaries that bend little. Labels alone.

Reza, Rahmati, Wu, Dai: CGBA: Curvature-aware Geometric Black-box Attack, ICCV 2023, arXiv:2308.03163. Each iteration
estimates the boundary's normal from the labels of a cloud, and halves the semicircle through the sample x, in the plane
of the normal and the way to the boundary point, until it has the boundary: points z(angle), from the boundary point at
angle 0 to x at 90 degrees. What is not in the paper: `algorithms/searches/labels/boundary_walk.py`.
"""

from typing import Literal

from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind
from algorithms.searches.directions.choice import widening
from algorithms.searches.directions.params import wants
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.semicircle import SemicircleParams, estimate, minimum, semicircle
from algorithms.threats.threat import Threat


class CGBAParams(SemicircleParams):
    name: Literal["cgba"] = "cgba"


def run(case: Case, threat: Threat, params: CGBAParams) -> Conversation:
    """Walk until the iterations are spent, epsilon is reached, or no start is adversarial; claim ever nearer points."""
    walk = BoundaryWalk(case, threat, widening(case, params), params.tolerance)

    def advance(k: int) -> Step[None]:
        """Estimate, and search the boundary on the semicircle (Reza et al. 2023, algorithms 1 and 2).

        It is halved from 45 degrees on. The paper's code tries 45, 67.5, 78.75, ... until a point is clean, and halves
        between that and angle 0; here between that and the last that was adversarial.
        """
        normal = yield from estimate(walk, params, k)
        if normal is not None:
            yield from walk.follow(semicircle(walk, normal))

    yield from walk.along(advance, iterations=params.iterations)


METHOD = Method(
    name="cgba",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2,),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Reza, Rahmati, Wu, Dai, CGBA: Curvature-aware Geometric Black-box Attack, ICCV 2023, arXiv:2308.03163",
    params=CGBAParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=CGBAParams(initial_directions=10),
    chunk=25,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
    keeps_lattice=True,
)
