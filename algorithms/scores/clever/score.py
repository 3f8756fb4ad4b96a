"""CLEVER: a score for robustness, margin over the estimated largest gradient norm nearby (Weng et al., ICLR 2018).

N_b batches of N_s points are drawn in a ball around the sample; one Jacobian a point serves every rival and every norm;
only each batch's largest norms are kept, and the law fitted to them estimates the largest norm of all.

Where we depart from the paper and its code, after measuring: each norm samples its own ball; the points are radially
uniform, so that all scales are met; the radius follows the sample's own scale (`auto`); the radius caps the score, as
in the paper and unlike the code; the fit takes no larger shape than the maxima can tell. `preset: paper` is the paper's
scheme. N_s changes what is estimated, so scores of different presets are not comparable.
"""

from dataclasses import replace

from algorithms.mathematics.norms import NORMS
from algorithms.mathematics.streams import BLOCK
from algorithms.method import Method
from algorithms.scores.clever import first
from algorithms.scores.clever.linearity import GRADIENTS, held_against_scores
from algorithms.scores.clever.lipschitz import ESTIMATOR
from algorithms.scores.clever.measuring import measure, neighborhood
from algorithms.scores.clever.neighborhood import STEPS
from algorithms.scores.clever.params import CleverParams
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation
from algorithms.seam.claims import Estimate, Kind
from algorithms.seam.cost import Cost
from algorithms.threats.threat import Threat


def minimum(params: CleverParams, threat: Threat) -> Cost:
    """Count the clean row; the gradient at the sample, the longest walk, every batch; a second look at equal maxima."""
    queries, gradients = _minimum_of_first(params, threat)
    return Cost(queries, gradients + GRADIENTS)


def _minimum_of_first(params: CleverParams, threat: Threat) -> Cost:
    del threat
    walk = len(STEPS) * BLOCK if params.radius == "auto" else 0
    return Cost(queries=1, gradients=1 + walk + params.batches * params.batch_size)


def run(case: Case, threat: Threat, params: CleverParams) -> Conversation:
    """End in an Estimate, or in Abstained: `gradient_masked` or `gradient_not_finite`."""
    near = neighborhood(case, threat, params)
    found = yield from measure(near, params, ESTIMATOR)
    if isinstance(found, Estimate) and found.details["shape"] is None and near.margins.min() > 0:  # all maxima agree
        found = yield from held_against_scores(near, found)
    yield found


_NEWEST = Method(
    name="clever",
    called="CLEVER",
    version="2",
    family="score",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="refused",
    proves=Kind.ESTIMATE,
    reference="Weng et al., Evaluating the Robustness of Neural Networks, ICLR 2018, arXiv:1801.10578",
    params=CleverParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=CleverParams(batches=4, batch_size=8),
    chunk=2,
    chunks_at_once=16,
    reported=("max_sample_score", "radius", "shape", "ks_p", "end_point"),
)
METHOD = replace(_NEWEST, earlier=(replace(_NEWEST, version="1", run=first.run, minimum=_minimum_of_first),))
