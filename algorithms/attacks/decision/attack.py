"""Decision: plays the moves of the field's label-only attacks by what they earn, from as near as other samples show.

A walk along the boundary (`algorithms/searches/labels/boundary_walk.py`). Each iteration it estimates the boundary's
normal, in all of the space, among low frequencies, or in the span of the upload; it lands by the jump of HopSkipJump
(Chen et al., IEEE S&P 2020, arXiv:1904.02144), at the tangent point of Ma et al. (NeurIPS 2021, arXiv:2111.07492), or
on the semicircle of CGBA (Reza et al., ICCV 2023, arXiv:2308.03163). Or it turns in random planes of one of the spaces
as SurFree does (Maho et al., CVPR 2021, arXiv:2011.12807), in linf turns over signs as RayS does (Chen, Gu, KDD 2020,
arXiv:2006.12792). What brings the point nearest for its queries is played most.

Two things are in none of the papers. An estimate counts those before it, fading; and what a few samples of the job
have shown, before the others are begun, is where the others begin (`algorithms/artifacts/warm_up.py`).
"""

from collections.abc import Mapping

from algorithms.artifacts.warm_up import SHARE
from algorithms.attacks.decision import shown
from algorithms.attacks.decision.earnings import Earnings
from algorithms.attacks.decision.moves import ByNormal, Flips, Landings, Move
from algorithms.attacks.decision.params import DecisionParams
from algorithms.attacks.decision.spaces import spaces
from algorithms.attacks.decision.turns import PlaneTurns
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind, Note
from algorithms.seam.cost import Cost
from algorithms.searches.labels.boundary_walk import REST, BoundaryWalk
from algorithms.threats.threat import Threat

PATIENCE = 2  # moves more for each further space, before a walk that gains next to nothing is at rest


def minimum(params: DecisionParams, threat: Threat) -> Cost:
    """Count the clean row, a start and a step back, one estimate and a landing, the final re-query."""
    del threat
    return Cost(queries=params.initial_directions + 6)


def run(case: Case, threat: Threat, params: DecisionParams) -> Conversation:
    """Walk until the iterations are spent, epsilon is reached, or no start is adversarial; claim ever nearer points."""
    laws = spaces(case, threat)
    known = shown.ways(case, threat)
    patience = REST + PATIENCE * (len(laws) - 1)
    walk = BoundaryWalk(case, threat, [laws["full"]], params.tolerance, known=known, patience=patience)
    landings = Landings(walk)
    normals = {space: ByNormal(walk, law, params, landings) for space, law in laws.items()}
    is_l2 = threat.norm is Norm.L2
    turns: Mapping[str, Move] = {f"{space}_turns": PlaneTurns(walk, law) for space, law in laws.items() if is_l2}
    flips: Mapping[str, Move] = {} if is_l2 else {"flips": Flips(walk, params.tolerance)}
    moves: Mapping[str, Move] = {**normals, **flips, **turns}
    earnings = Earnings(len(moves), shown.earned(case, len(moves)))
    if SHARE in case.prepared:
        yield Note({"warm_up_queries": int(case.prepared[SHARE][0])})

    def advance(k: int) -> Step[None]:
        if k == 1:
            for each in normals.values():
                each.forget()
        chosen = earnings.choose()
        before, asked = walk.distance, walk.asked
        yield from list(moves.values())[chosen].play(k)
        earnings.learn(chosen, before, walk.distance, walk.asked - asked)
        yield Note({"earned": dict(zip(moves, earnings.told, strict=True))})

    yield from walk.along(advance, iterations=params.iterations)


METHOD = Method(
    name="decision",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="this service's own, on the walk of Chen, Jordan, Wainwright, IEEE S&P 2020, arXiv:1904.02144",
    params=DecisionParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=DecisionParams(initial_directions=10, iterations=12),
    chunk=25,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    keeps_lattice=True,
    warms_up=lambda params: (params.warm_samples, params.warm_queries),
)
