"""AutoZOOM: an attack on scores in a space of few numbers, by slopes along random directions.

Tu et al., AAAI 2019, arXiv:1805.11770. What their code and ours differ in: lengths are measured by the side of the box,
what is short of success by what is short of it at the sample, so that one c fits models of any scale; differences are
wide enough for float32 scores, and losses are float64; rows beside the point may be the success that is told; kappa is
part of the loss; the auto-encoder makes changes, not images (`algorithms.artifacts.autoencoder`).
"""

import numpy as np

from algorithms.attacks.autozoom.params import AutoZOOMParams
from algorithms.attacks.autozoom.search import LatentSearch
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import BATCH_BYTES
from algorithms.searches.directions.params import wants
from algorithms.searches.scores.unseen import look_without_scores
from algorithms.searches.tallies.successes import Successes
from algorithms.threats.threat import Threat


def minimum(params: AutoZOOMParams, threat: Threat) -> Cost:
    """Count the clean row, a row beside it, the step that it shows, and the final re-query."""
    del params, threat
    return Cost(queries=5)


def run(cohort: Cohort, threat: Threat, params: AutoZOOMParams) -> Conversation:
    """Search for as many samples at a time as have few enough rows to be held at once."""
    successes = Successes(cohort, threat)
    size = max(1, BATCH_BYTES // (cohort.x[0].nbytes * (1 + params.fine_directions)))
    everyone = np.arange(len(cohort.x))
    are_blind = np.zeros(len(everyone), np.bool_)
    for start in range(0, len(everyone), size):
        search = LatentSearch(successes, params, everyone[start : start + size])
        yield from search.run()
        are_blind |= search.plateaus.are_blind
    yield from look_without_scores(cohort, threat, are_blind & ~np.isfinite(successes.distance))


METHOD = Method(
    name="autozoom",
    version="1",
    family="attack",
    threat_model="black_box_score",
    needs=(Access.SCORES,),
    norms=(Norm.L2,),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Tu et al., AutoZOOM: Autoencoder-based Zeroth Order Optimization Method for Attacking Black-box Neural "
    "Networks, AAAI 2019, arXiv:1805.11770",
    params=AutoZOOMParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=AutoZOOMParams(directions="full", learning_rate=0.05, switch=15),
    chunk=50,
    chunks_at_once=4,
    wants=wants,
)
