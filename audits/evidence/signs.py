"""What one sample shows of those things that a reader must know before believing a number. Pure.

The signs are those of Carlini et al. 2019 (arXiv:1902.06705) and Pintor et al. 2022, as far as findings can show them.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.claims import Finding
from audits.document.rows import SampleRow
from audits.evidence.brackets import reached
from jobs.summary import MOVED_CODES

CLOSER = 0.9  # a black-box attack is better if its distance is below this share of the white-box one's
BASELINE_REACH = 1.5  # the baseline suffices if it needs no more than this many times the distance of the best attack
MOSTLY_ZERO = 0.5  # share of vanishing gradients of a climb
ROUNDING = 1e-6  # share by which two computations of one distance in float32 may differ

Shown = bool | None  # None: this sample cannot show it
GradientSort = Literal["expected", "flat", "none"]
"""What gradients a model's kind has: a network's are `expected`, offered or not; votes of trees and of neighbors are
`flat` all over; an endpoint has `none` to give."""


@dataclass(frozen=True)
class Sample:
    """A sample is one row of the report with the findings behind it, and the methods of the audit."""

    row: SampleRow
    findings: Mapping[str, Finding]  # by method
    methods: Mapping[str, Method]
    epsilon: float | None
    widest: float  # no two inputs are farther apart; inf where the box has no end
    features: int  # numbers in a row
    gradients: GradientSort = "expected"
    is_targeted: bool = False
    hinted: frozenset[str] = frozenset()  # methods that began where others had ended

    def tried(self, is_one: Callable[[Method], bool]) -> frozenset[str]:
        """Names the methods of a sort that looked at this sample."""
        return frozenset(name for name in self.findings if is_one(self.methods[name]))

    def distance(self, methods: Iterable[str]) -> float | None:
        """Returns the smallest distance that one of the methods found."""
        found = (reached(self.findings[name]) for name in methods)
        return min((distance for distance in found if distance is not None), default=None)


def is_attack(method: Method) -> bool:
    return method.finds_points


def is_white_box(method: Method) -> bool:
    return is_attack(method) and method.threat_model == "white_box"


def is_black_box(method: Method) -> bool:
    return is_attack(method) and method.threat_model != "white_box"


def lower_above_upper(sample: Sample) -> Shown:
    row = sample.row
    return None if row.lower is None or row.upper is None else row.lower > row.upper


def answers_differ(sample: Sample) -> Shown:
    predictions = {finding.predicted for finding in sample.findings.values()}
    return len(predictions) > 1 or any(map(_took_back, sample.findings.values()))


def _took_back(finding: Finding) -> bool:
    return _reason(finding) == "not_confirmed" or "unconfirmed" in finding.details


def black_box_wins(sample: Sample) -> Shown:
    """At a given epsilon only a success counts: how close to the sample the point then lies was nobody's aim.

    An attack that began at another's point has seen what the other saw.
    """
    seeing = sample.tried(is_white_box)
    black, white = sample.distance(sample.tried(is_black_box) - sample.hinted), sample.distance(seeing)
    if not sample.row.is_correct or not seeing or black is None:
        return None
    if white is None or sample.epsilon is not None:
        return white is None
    return black < CLOSER * white


def baseline_suffices(sample: Sample) -> Shown:
    """Noise comes about as near as the attacks that search, where it should not. Without a search it says nothing.

    At a given epsilon only a success counts: whoever has one is done. Where there are few features, so many random
    points are a search themselves; so they are among the cells of trees and of neighbors, where some are always near.
    """
    baselines = sample.tried(lambda method: method.is_baseline)
    searches = sample.tried(is_attack) - baselines
    points = sum(sample.findings[name].queries for name in baselines)
    if not sample.row.is_correct or not baselines or not searches:
        return None
    if sample.gradients == "flat" or sample.features < _searched_by(points):
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
    return 2 * BASELINE_REACH**2 * math.log(max(1, points) / 0.01)


def unseen(gradients: GradientSort) -> Callable[[Sample], Shown]:
    """Makes the sign that attacks ran on a model with such gradients, and none of them saw inside."""

    def shows(sample: Sample) -> Shown:
        searches = sample.tried(lambda method: is_attack(method) and not method.is_baseline)
        if (sample.gradients == "expected") != (gradients == "expected") or not searches or not sample.row.is_correct:
            return None
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


def codes_moved(sample: Sample) -> Shown:
    return any(bool(finding.details.get(MOVED_CODES)) for finding in sample.findings.values())


def gradients_vanish(sample: Sample) -> Shown:
    followers = sample.tried(lambda method: Access.GRADIENTS in method.needs)
    told = [_tells_of_masking(sample.findings[name]) for name in followers]
    return any(told) if told and sample.row.is_correct else None


def _tells_of_masking(finding: Finding) -> bool:
    details = finding.details
    zero = details.get("zero_gradient_share")
    return (
        _reason(finding) == "gradient_masked"
        or "gradient_partly_masked" in details.get("warnings", ())
        or (isinstance(zero, float) and zero >= MOSTLY_ZERO)
    )


def never_falls(sample: Sample) -> Shown:
    """With room for any change, every sample has an adversarial point unless the model is constant.

    Towards one class it may have none: no input need be read as that class.
    """
    if sample.is_targeted:
        return None
    has_room = sample.epsilon is None or sample.epsilon >= sample.widest / 2
    return sample.row.upper is None if has_room and sample.tried(is_attack) and sample.row.is_correct else None


def score_too_high(score: str) -> Callable[[Sample], Shown]:
    """Makes the sign of a score: a point was found nearer than it says."""

    def shows(sample: Sample) -> Shown:
        row, value = sample.row, sample.row.value_of(score)
        if value is None or row.upper is None or not row.is_correct:
            return None
        return value > (1 + ROUNDING) * row.upper

    return shows


def _reason(finding: Finding) -> object:
    return finding.details.get("reason")
