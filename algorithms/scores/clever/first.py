"""The first version of CLEVER, as released recipes run it to the bit; who asks for `clever` gets the newest.

What differs: the shape is kept within [1, 50] and the likelihood carries 0.01 (b / range)^2, which is what the code of
Weng et al. has in effect (its comment speaks of the shape); `shape` is that of a fit without penalty, and above 10 the
status is `no_finite_endpoint`; equal maxima are `degenerate`, and no score of the model is held against them.
"""

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.extreme_value import Restraint
from algorithms.scores.clever.lipschitz import Estimator
from algorithms.scores.clever.measuring import measure, neighborhood
from algorithms.scores.clever.params import CleverParams
from algorithms.seam.case import Case, Conversation
from algorithms.threats.threat import Threat

LARGEST = 50.0
NO_END_POINT = 10.0


def _largest_shape(n: int) -> float:
    del n
    return LARGEST


def by_shape(maxima: Numbers) -> tuple[float, bool]:
    """Doubt an end point where the best shape without a penalty is large."""
    shape = Restraint(_largest_shape).fit(maxima).shape
    return shape, shape > NO_END_POINT


ESTIMATOR = Estimator(Restraint(_largest_shape, penalty=0.01), by_shape)


def run(case: Case, threat: Threat, params: CleverParams) -> Conversation:
    """End in an Estimate, or in Abstained: `gradient_masked` or `gradient_not_finite`."""
    yield (yield from measure(neighborhood(case, threat, params), params, ESTIMATOR))
