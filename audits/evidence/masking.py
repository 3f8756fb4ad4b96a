"""What one sample shows of gradients or scores that hide how near the boundary is. Pure.

The signs are those of Carlini et al. 2019 (arXiv:1902.06705), Athalye et al. 2018 (arXiv:1802.00420) and Pintor et al.
2022, as far as findings can show them.
"""

import math
from collections.abc import Callable

from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.claims import Details, Finding, Kind
from audits.evidence.signs import GradientSort, Sample, Shown, is_attack, is_search, is_white_box, reason_of, sees_truly

CLOSER, TWICE_AS_CLOSE = 0.9, 0.5  # shares of the distance of the attacks that see gradients
BASELINE_REACH = 1.25  # the baseline suffices if it needs no more than this many times the distance of the best search
CHANCE_REACH = 1.5  # random points that may come so near to what a search finds are one
MOSTLY_ZERO = 0.5  # share of vanishing gradients of a climb
TOO_STEEP, TOO_FLAT = 0.1, 5.0  # shares of the distance found; by ordinary networks a score is .3 to 1.3 of it
TOO_STEEP_FOR_A_LINE = 0.5  # where the gradient is the same all over the ball, within the box: it is the distance then
NEARLY = 1.1  # the distance found is next to the one that is proven
NO_SLOPE = ("gradient_masked", "gradient_not_finite")


def black_box_wins(closer: float) -> Callable[[Sample], Shown]:
    """Makes the sign that an attack from outside came nearer, to this share of the distance found from inside.

    At a given epsilon only a success counts: how close to the sample the point then lies was nobody's aim. An attack
    that began at another's point has seen what the other saw. One that goes by substitutes for gradients saw none:
    where it came nearer, the true ones mislead.
    """

    def shows(sample: Sample) -> Shown:
        seeing = sample.tried(sees_truly)
        black, white = sample.distance(sample.tried(is_attack) - seeing - sample.told), sample.distance(seeing)
        if not sample.row.is_correct or not seeing or black is None:
            return None
        if white is None or sample.epsilon is not None:
            return white is None
        return black < closer * white

    return shows


def baseline_suffices(sample: Sample) -> Shown:
    """Noise comes about as near as the attacks that search, where it should not. Without a search it says nothing.

    At a given epsilon only a success counts: whoever has one is done. Where there are few features, so many random
    points are a search themselves; so they are in l1 and l0, where features are few that move alone, and among the
    cells of trees and of neighbors, where some are always near.
    """
    if sample.gradients == "flat" or sample.noise_searches:
        return None
    baselines, searches = sample.tried(lambda method: method.is_baseline), sample.tried(is_search)
    points = sum(sample.findings[name].queries for name in baselines)
    if not sample.row.is_correct or not baselines or not searches or sample.features < _searched_by(points):
        return None
    reached, best = sample.distance(baselines), sample.distance(searches)
    if reached is None or best is None or sample.epsilon is not None:
        return reached is not None and best is None
    return reached <= BASELINE_REACH * best


def _searched_by(points: int) -> float:
    """How many features random points search: with fewer, one of them may well lie in the steepest direction.

    Along a random direction a flat boundary with weight on all d features lies c times as far as along the steepest
    one, with P(c <= 1.5) <= exp(-d / (2 * 1.5**2)) by Hoeffding's inequality on the random signs; held below 1 % for
    all points together.
    """
    return 2 * CHANCE_REACH**2 * math.log(max(1, points) / 0.01)


def unseen(gradients: GradientSort) -> Callable[[Sample], Shown]:
    """Makes the sign that attacks ran on a model with such gradients, and none of them saw inside.

    Where it is proven that there is next to nothing nearer than what was found, nobody overlooked anything.
    """

    def shows(sample: Sample) -> Shown:
        searches = sample.tried(is_search)
        if (sample.gradients == "expected") != (gradients == "expected") or not searches or not sample.row.is_correct:
            return None
        if sample.row.lower and sample.row.upper and sample.row.upper <= NEARLY * sample.row.lower:
            return False
        return not any(_saw_inside(sample.findings[name]) for name in sample.tried(is_white_box))

    return shows


def _saw_inside(finding: Finding) -> bool:
    """An attack that was given gradients saw inside unless all of them vanished; one that needs none always does."""
    zero = finding.details.get("zero_gradient_share")
    return zero is None or (finding.gradients > 0 and zero < 1)


def saturated(sample: Sample) -> Shown:
    """Of trees that all agree a probability of 1 is a count, not rounding."""
    if sample.gradients == "flat":
        return None
    return any(finding.details.get("saturated") is True for finding in sample.findings.values())


def gradients_vanish(sample: Sample) -> Shown:
    """Where nobody followed the true gradients, and an attack by substitutes could, the graph's steps hide them."""
    told = [_tells_of_masking(sample.findings[name]) for name in sample.tried(_follows_gradients)]
    told = told or [True for _ in sample.tried(lambda method: method.by_substitutes)]
    return any(told) if told and sample.row.is_correct else None


def _tells_of_masking(finding: Finding) -> bool:
    details = finding.details
    zero = details.get("zero_gradient_share")
    return (
        reason_of(finding) in NO_SLOPE
        or "gradient_partly_masked" in details.get("warnings", ())
        or (isinstance(zero, float) and zero >= MOSTLY_ZERO)
    )


def _follows_gradients(method: Method) -> bool:
    return Access.GRADIENTS in method.needs


def misled(sample: Sample) -> Shown:
    """Shows where gradients speak of another landscape than the one that attacks met.

    Margin over the largest gradient norm nearby is a distance that nothing smaller than it can undo, to first order.
    Far below the distance found: gradients too steep to lead anywhere, as ripples and steps have them, or attacks that
    overlooked what lies near. Far above it: gradients so flat that the model changes its mind without them.
    """
    scores = [sample.findings[name] for name in sample.tried(_follows_gradients)]
    promised = [(_promised(score), score.details) for score in scores if score.kind is Kind.ESTIMATE and score.value]
    if not promised or not sample.row.is_correct or not sample.tried(is_search):
        return None
    upper, epsilon = sample.row.upper, sample.epsilon
    if upper is None:  # nothing within epsilon, or at any distance
        return any(distance < _least(details) * (epsilon or math.inf) for distance, details in promised)
    is_too_steep = any(distance < _least(details) * upper for distance, details in promised)
    return (is_too_steep and epsilon is None) or max(distance for distance, _ in promised) > TOO_FLAT * upper


def _promised(score: Finding) -> float:
    """The distance read off gradients: the plain one where a law was fitted beside it."""
    plain = score.details.get("max_sample_score")
    assert score.value is not None  # of an estimate
    return plain if isinstance(plain, float) else score.value


def _least(details: Details) -> float:
    """The share of the distance found that gradients may promise at the least."""
    is_line = details.get("status") == "degenerate" and details.get("clipped") is False
    return TOO_STEEP_FOR_A_LINE if is_line else TOO_STEEP
