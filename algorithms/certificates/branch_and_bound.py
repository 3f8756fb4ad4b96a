"""Branch and bound: a question about a radius decided, or a radius closed in on, by splitting what bounds cannot prove.

Bunel, Turkaslan, Torr, Kohli, Kumar 2018, arXiv:1711.00455; Bunel et al. 2020 (BaBSR), De Palma et al. 2021 (FSB),
Wang et al. 2021 (beta-CROWN), arXiv:2103.06624; Shi et al. 2024 (GenBaB), arXiv:2405.21063, for curves other than
rectifiers. The search lives with the model
(`models/onnx/bounds/branching/`), which keeps its domains; the method says about which radius it goes on, and for how
many domains.

Departures: the ball is cut to the box; rounding of the float32 model is part of every bound; a point is believed when
the served model says so.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from algorithms.mathematics.norms import NORMS
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation
from algorithms.seam.claims import Abstained, LowerBound
from algorithms.seam.cost import Cost
from algorithms.searches.splitting.closing import Closing
from algorithms.searches.splitting.questions import Questions, TriedRadius
from algorithms.threats.threat import Threat

STAGE = 1.5  # after each growth of the domains by this, what is known is claimed


class BranchAndBoundParams(Params):
    name: Literal["branch_and_bound"] = "branch_and_bound"
    domains: int = Field(
        2000, ge=1, le=10_000_000, description="parts of the region bounded at most, for each sample: more never harm"
    )


def minimum(params: BranchAndBoundParams, threat: Threat) -> Cost:
    """Count the clean row, one point asked, and the final re-query: bounds cost neither queries nor gradients."""
    del params, threat
    return Cost(queries=3)


def run(case: Case, threat: Threat, params: BranchAndBoundParams) -> Conversation:
    """End in the largest LowerBound and the nearest UpperBound; with an epsilon in one of them, or in Abstained."""
    questions = Questions(case, threat, params.domains)
    if case.hint.point is not None:
        yield from questions.try_point(case.hint.point)
    if threat.epsilon is None:
        yield from Closing(questions).run()
    else:
        yield from _decide(questions, threat.epsilon)


def _decide(questions: Questions, epsilon: float) -> Conversation:
    at = TriedRadius(epsilon)
    stage, before = 1, -1
    while questions.distance > epsilon:
        yield from questions.go_on(at, max(1, stage - at.domains))
        questions.curve.add(questions.spent, at.bound)
        yield questions.note({"bound": at.bound if np.isfinite(at.bound) else None})
        if at.is_proven:
            yield LowerBound(epsilon)
            return
        yield Abstained("not_proven")
        is_stuck = at.domains == before and stage >= questions.most
        if not at.can_go_on or questions.left <= 0 or is_stuck:
            return
        stage, before = min(questions.most, int(STAGE * max(stage, at.domains)) + 1), at.domains


METHOD = Method(
    name="branch_and_bound",
    version="2",
    family="certificate",
    threat_model="white_box",
    needs=(Access.LABELS, Access.BOUNDS),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves="exact",
    reference="Wang et al., Beta-CROWN: Efficient Bound Propagation with Per-neuron Split Constraints for Complete and"
    " Incomplete Neural Network Robustness Verification, NeurIPS 2021, arXiv:2103.06624",
    params=BranchAndBoundParams,
    run=run,
    cohort=False,
    takes_hints=True,
    minimum=minimum,
    smallest=BranchAndBoundParams(domains=16),
    chunk=4,
)
