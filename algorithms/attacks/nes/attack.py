"""NES: a gradient estimated from the scores of random pairs of rows is climbed like a gradient.

Ilyas, Engstrom, Athalye, Lin, ICML 2018, arXiv:1804.08598: with all scores (query-limited), with the highest alone
(partial information), or with none (label-only). Where all scores are seen it climbs from the sample; where the target
may be out of sight, or only labels are seen, it comes from an adversarial point and keeps it adversarial.

Departures: the loss is a margin unless told otherwise; steps and radii are shares, so that samples need not lie between
0 and 1; all rows lie in the box. Without a radius it searches the smallest. Where rows around a point get equal scores
even when spread as widely as the ball, the sample is given to the search by labels.
"""

import numpy as np

from algorithms.attacks.nes.approach import approach
from algorithms.attacks.nes.ascent import NESAscent
from algorithms.attacks.nes.params import NESParams
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import BATCH_BYTES
from algorithms.seam.questions.together import in_step
from algorithms.searches.climbs.estimated import threads_for
from algorithms.searches.directions.params import wants
from algorithms.threads import side_by_side
from algorithms.threats.threat import Threat

HELD_BYTES = 4 * BATCH_BYTES  # of rows around points, by samples that come from adversarial points side by side


def minimum(params: NESParams, threat: Threat) -> Cost:
    """Count the clean row, one estimate, a look at the point it leads to, the final re-query."""
    del threat
    return Cost(queries=3 + 2 * params.pairs * (params.smoothing if params.information == "labels" else 1))


def run(cohort: Cohort, threat: Threat, params: NESParams) -> Conversation:
    """Climb from the samples where scores show the way; come from adversarial points where they do not."""
    rest = np.ones(len(cohort.labels), np.bool_)
    if params.information == "scores" or (params.information == "top_k" and cohort.targets is None):
        with side_by_side(threads_for(cohort.x, params.pairs)) as work:
            ascent = NESAscent(cohort, threat, params, work)
            yield from ascent.climb()
        rest, params = ascent.plateaus.are_blind, params.model_copy(update={"information": "scores"})
    owners = np.flatnonzero(rest & cohort.live)
    size = max(1, HELD_BYTES // (8 * params.pairs * cohort.cases[0].x.size))
    for start in range(0, len(owners), size):
        some = owners[start : start + size].tolist()
        talks = {owner: approach(cohort.cases[owner], threat, params) for owner in some}
        yield from in_step(talks, cohort.live)


METHOD = Method(
    name="nes",
    version="1",
    family="attack",
    threat_model="black_box_score",
    needs=(Access.SCORES,),
    norms=(Norm.LINF, Norm.L2),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Ilyas, Engstrom, Athalye, Lin, Black-box Adversarial Attacks with Limited Queries and Information, "
    "ICML 2018, arXiv:1804.08598",
    params=NESParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=NESParams(pairs=3),
    chunk=100,
    chunks_at_once=4,
    wants_pool=True,
    wants=wants,
    labels_with=("information", "labels"),
)
