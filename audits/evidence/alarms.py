"""Alarms: what a reader must know before believing a number. Each has a stable code, an explanation, a consequence.

The checks are those of Carlini et al. 2019 (arXiv:1902.06705) and Pintor et al. 2022, as far as findings can show them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from algorithms.seam.claims import Finding, Kind
from audits.document.report import Alarm, SampleRow
from audits.evidence.table import NOISE

EXAMPLES = 20
CLOSER = 0.9  # a black-box attack is better if its distance is below this share of the white-box one's
NOISE_REACH = 1.5  # plain noise suffices if it needs no more than this many times the distance of the best attack
MOSTLY_ZERO = 0.5  # share of vanishing gradients of a climb


@dataclass(frozen=True)
class Sample:
    """One row of the report with the findings behind it."""

    row: SampleRow
    findings: dict[str, Finding]  # by method
    white_box: frozenset[str]  # names of attacks
    black_box: frozenset[str]
    epsilon: float | None
    widest: float  # no two inputs are farther apart; inf where the box has no end
    is_targeted: bool = False

    def distance(self, methods: Iterable[str]) -> float | None:
        """The smallest that one of them found."""
        found = (self.findings[name] for name in methods if name in self.findings)
        return min((f.value for f in found if f.kind is Kind.UPPER_BOUND and f.value is not None), default=None)


Shown = bool | None  # None: this sample cannot show it


@dataclass(frozen=True)
class Check:
    """`share`: the alarm is raised from this share of the samples on; any sample at all where it is 0."""

    code: str
    severity: Literal["error", "warning", "note"]
    explanation: str
    consequence: str
    shows: Callable[[Sample], Shown]
    share: float = 0.0


def _lower_above_upper(sample: Sample) -> Shown:
    row = sample.row
    return None if row.lower is None or row.upper is None else row.lower > row.upper


def _answers_differ(sample: Sample) -> Shown:
    predictions = {finding.predicted for finding in sample.findings.values()}
    return len(predictions) > 1 or any(map(_took_back, sample.findings.values()))


def _took_back(finding: Finding) -> bool:
    return _reason(finding) == "not_confirmed" or "unconfirmed" in finding.details


def _black_box_wins(sample: Sample) -> Shown:
    """At a given epsilon only a success counts: how close to the sample the point then lies was nobody's aim."""
    black, white = sample.distance(sample.black_box), sample.distance(sample.white_box)
    if not sample.row.is_correct or not sample.white_box & sample.findings.keys() or black is None:
        return None
    if white is None or sample.epsilon is not None:
        return white is None
    return black < CLOSER * white


def _noise_suffices(sample: Sample) -> Shown:
    if not sample.row.is_correct or NOISE not in sample.findings:
        return None
    noise = sample.distance([NOISE])
    best = sample.distance((sample.white_box | sample.black_box) - {NOISE})
    if noise is None:
        return False
    return sample.epsilon is not None or best is None or noise <= NOISE_REACH * best


def _saturated(sample: Sample) -> Shown:
    return any(finding.details.get("saturated") is True for finding in sample.findings.values())


def _gradients_vanish(sample: Sample) -> Shown:
    told = [_tells_of_masking(f) for name, f in sample.findings.items() if name == "clever" or name in sample.white_box]
    return any(told) if told and sample.row.is_correct else None


def _tells_of_masking(finding: Finding) -> bool:
    details = finding.details
    zero = details.get("zero_gradient_share")
    return (
        _reason(finding) == "gradient_masked"
        or "gradient_partly_masked" in details.get("warnings", ())
        or (isinstance(zero, float) and zero >= MOSTLY_ZERO)
    )


def _never_falls(sample: Sample) -> Shown:
    """With room for any change, every sample has an adversarial point unless the model is constant.

    Towards one class it may have none: no input need be read as that class.
    """
    if sample.is_targeted:
        return None
    has_room = sample.epsilon is None or sample.epsilon >= sample.widest / 2
    attacked = (sample.white_box | sample.black_box) & sample.findings.keys()
    return sample.row.upper is None if has_room and attacked and sample.row.is_correct else None


def _clever_too_high(sample: Sample) -> Shown:
    row = sample.row
    return None if row.clever is None or row.upper is None or not sample.row.is_correct else row.clever > row.upper


def _reason(finding: Finding) -> object:
    return finding.details.get("reason")


CHECKS = (
    Check(
        "lower_above_upper",
        "error",
        "A certificate claims that no change within some distance matters, and a stored point nearer than that fools "
        "the model.",
        "One of the two is wrong: a bug in a certificate, or a model that answers by other rules than its file says. "
        "No rule passes on this audit. Do not rely on it; please report it with the model.",
        _lower_above_upper,
    ),
    Check(
        "model_not_deterministic",
        "error",
        "The model answered the very same row differently at different times.",
        "Distances and certificates speak of a fixed function and are not comparable here. Fix the model's randomness "
        "(dropout, noise, batch statistics) and audit it again.",
        _answers_differ,
    ),
    Check(
        "masked_gradients",
        "warning",
        "The gradients vanish where the model should still be changing its mind.",
        "Attacks and scores that follow gradients are blind here, so their silence is no evidence of robustness. Look "
        "at the distances of the attacks that need no gradient.",
        _gradients_vanish,
    ),
    Check(
        "saturated_scores",
        "warning",
        "One class has a probability of exactly 1: rounding has removed what lies between.",
        "Attacks that watch scores see a flat landscape. Export the model with its logits and audit that.",
        _saturated,
    ),
    Check(
        "black_box_beats_white_box",
        "warning",
        "An attack that sees less of the model found a nearer point than the ones that see its gradients.",
        "The gradients mislead, by masking or by a hard loss: the robustness measured with them is too high.",
        _black_box_wins,
        share=0.05,
    ),
    Check(
        "noise_suffices",
        "warning",
        "Random noise, without any search, finds an adversarial point about as near as the best attack.",
        "Either the model is fragile to ordinary disturbances, or there are so few features that noise is a search. "
        "Nobody needs to be an adversary to break it.",
        _noise_suffices,
        share=0.05,
    ),
    Check(
        "attack_below_full_success",
        "warning",
        "Some samples were never broken although any change was allowed, where every attack should succeed.",
        "The attacks ran out of budget or are blind, or the model gives one answer everywhere. Their upper bounds are "
        "too high: use a larger recipe before you trust them.",
        _never_falls,
    ),
    Check(
        "clever_above_attack",
        "note",
        "The CLEVER score lies above a distance at which an attack succeeded.",
        "On these samples the estimate is proven too high. Use CLEVER to rank, not to vouch.",
        _clever_too_high,
    ),
)


def shown_by(sample: Sample, alarms: Sequence[Alarm]) -> tuple[str, ...]:
    """Codes of those of the raised alarms that this sample shows."""
    codes = {alarm.code for alarm in alarms}
    return tuple(check.code for check in CHECKS if check.code in codes and check.shows(sample))


def raised(samples: Sequence[Sample]) -> tuple[Alarm, ...]:
    """Most severe first."""
    return tuple(alarm for check in CHECKS if (alarm := _alarm(check, samples)))


def _alarm(check: Check, samples: Sequence[Sample]) -> Alarm | None:
    answers = [(sample.row.index, check.shows(sample)) for sample in samples]
    able = [(index, shown) for index, shown in answers if shown is not None]
    shown = [index for index, shown in able if shown]
    if not shown or len(shown) < check.share * len(able):
        return None
    return Alarm(
        code=check.code,
        severity=check.severity,
        count=len(shown),
        samples=len(able),
        examples=tuple(shown[:EXAMPLES]),
        explanation=check.explanation,
        consequence=check.consequence,
    )
