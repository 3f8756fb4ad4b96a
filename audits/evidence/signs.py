"""One sample with the findings behind it, and what it shows of those things that a reader must know. Pure.

What it shows of attacks that may have been blind is in `masking.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from algorithms.method import Method
from algorithms.seam.claims import Finding
from audits.document.rows import SampleRow
from audits.evidence.brackets import reached
from jobs.summary import MOVED_CODES

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
    noise_searches: bool = (
        False  # in l1 and l0, where few features moved alone are a search of all directions that count
    )
    told: frozenset[str] = frozenset()  # methods that began at points which attacks from inside may have found

    def tried(self, is_one: Callable[[Method], bool]) -> frozenset[str]:
        """Names the methods of a sort that looked at this sample."""
        return frozenset(name for name in self.findings if is_one(self.methods[name]))

    def distance(self, methods: Iterable[str]) -> float | None:
        """Returns the smallest distance that one of the methods found."""
        found = (reached(self.findings[name]) for name in methods)
        return min((distance for distance in found if distance is not None), default=None)


def is_attack(method: Method) -> bool:
    return method.finds_points


def is_search(method: Method) -> bool:
    """Whether it is an attack, and none that every attack has to beat."""
    return is_attack(method) and not method.is_baseline


def is_white_box(method: Method) -> bool:
    return is_attack(method) and method.threat_model == "white_box"


def sees_truly(method: Method) -> bool:
    """Whether it is an attack from inside that goes by what is there, and by no substitutes for it."""
    return is_white_box(method) and not method.by_substitutes


def lower_above_upper(sample: Sample) -> Shown:
    row = sample.row
    return None if row.lower is None or row.upper is None else row.lower > row.upper


def answers_differ(sample: Sample) -> Shown:
    predictions = {finding.predicted for finding in sample.findings.values()}
    return len(predictions) > 1 or any(map(_took_back, sample.findings.values()))


def _took_back(finding: Finding) -> bool:
    return reason_of(finding) == "not_confirmed" or "unconfirmed" in finding.details


def codes_moved(sample: Sample) -> Shown:
    return any(bool(finding.details.get(MOVED_CODES)) for finding in sample.findings.values())


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


def reason_of(finding: Finding) -> object:
    """Returns why a method abstained; None where it did not."""
    return finding.details.get("reason")
