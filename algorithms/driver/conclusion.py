"""What is concluded of one sample: its finding, from both ends that are known of its robust radius.

The kind is what the method's row says it proves, where that is known, else what is known. An end that the value does
not tell stands in the details: `upper` with its `trace` and what its point is `read_as`, or `lower` and
`lower_confidence`. How the value of an attack fell stands there, too, as `curve`.

A finding about a class (`Kind.FOOLED`) knows no radius: its value is what an input cost that the model answers with it.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from algorithms.driver.trial import Trial
from algorithms.errors import Contradiction
from algorithms.seam.claims import NO_NORM, Details, Exact, Finding, Kind, LowerBound, Outcome
from algorithms.threats.threat import Threat

ROUNDING = 1e-6  # share by which two computations of one distance may differ
CLOSE = 1e-3  # share within which ends meet that are claimed to: a point must lie a little behind its boundary

_Ends = tuple[LowerBound | Exact | None, float | None]  # the proven radius, the distance of the confirmed point
_Answer = tuple[Kind, float | None, float | None, Details]  # kind, value, confidence, details


def conclude(trial: Trial, threat: Threat, proves: Kind) -> Outcome:
    """Conclude the finding of a sample that is over, and the point that shows it where there is one.

    Raises:
        Contradiction: a certain lower bound lies above a confirmed point.
    """
    ends = (None, None) if proves is Kind.FOOLED else _ends(trial, threat.epsilon)
    answers = list(_answers(trial, ends, threat.epsilon, proves))
    kind, value, confidence, details = next((answer for answer in answers if answer[0] is proves), answers[0])
    curve = {"curve": trial.best.curve} if kind is proves is Kind.UPPER_BOUND else {}
    finding = Finding(
        index=trial.index,
        label=trial.index if proves is Kind.FOOLED else trial.case.label,
        predicted=trial.predicted,
        kind=kind,
        norm=NO_NORM if proves is Kind.FOOLED else threat.norm.value,
        value=value,
        confidence=confidence,
        queries=trial.queries,
        gradients=trial.gradients,
        ended=trial.ended,
        details=trial.notes | curve | details | _other_ends(trial, ends, kind),
    )
    return Outcome(finding, trial.best_point() if trial.is_confirmed else None)


def _ends(trial: Trial, epsilon: float | None) -> _Ends:
    """The largest radius that no point refutes, and the distance of the confirmed point, checked against each other.

    Of radii that reach epsilon the surest is told; of equal ones the exact, which has a point beside it.
    """
    upper = trial.shown[-1][1] if trial.is_confirmed else None
    end = math.inf if upper is None else upper
    certain = max((bound.radius for bound in trial.lowers if bound.confidence == 1), default=0.0)
    if certain > (1 + ROUNDING) * end:
        raise Contradiction(
            f"The method proved a radius of {certain:.9g} for sample {trial.index}, and the model answers"
            f" otherwise at a distance of {end:.9g}: one of them is wrong."
        )

    def worth(bound: LowerBound | Exact) -> tuple[float, ...]:
        return min(bound.radius, epsilon or end), bound.confidence, bound.radius, isinstance(bound, Exact)

    lower = max((bound for bound in trial.lowers if bound.radius <= (1 + ROUNDING) * end), key=worth, default=None)
    return lower and replace(lower, radius=min(lower.radius, end)), upper


def _answers(trial: Trial, ends: _Ends, epsilon: float | None, proves: Kind) -> Iterator[_Answer]:
    """What may be said of the sample, one kind after the other, the stronger first. There is always one."""
    lower, upper = ends
    if proves is Kind.FOOLED and trial.is_confirmed:
        yield Kind.FOOLED, float(trial.queries), None, trial.shown[-1][0].details
    if lower is not None and lower.radius >= (epsilon or 0.0):  # at an epsilon, less is no answer
        yield Kind.LOWER_BOUND, min(lower.radius, epsilon or lower.radius), lower.confidence, lower.details
    if upper is not None:
        told = {"trace": trial.best.trace, "read_as": trial.read_as}
        yield Kind.UPPER_BOUND, upper, None, told | trial.shown[-1][0].details
    if (smoothed := trial.smoothed) is not None:
        yield Kind.SMOOTHED_LOWER_BOUND, smoothed.radius, smoothed.confidence, smoothed.details
    if trial.estimate is not None:
        yield Kind.ESTIMATE, trial.estimate.value, None, trial.estimate.details
    if trial.abstained is not None:
        yield Kind.ABSTAINED, None, None, {"reason": trial.abstained.reason} | trial.abstained.details
    elif lower is not None:
        yield Kind.ABSTAINED, None, None, {"reason": "not_proven"} | lower.details
    if trial.predicted != trial.case.label:
        yield Kind.MISCLASSIFIED, 0.0, None, {}
    silence = "not_found" if proves in (Kind.UPPER_BOUND, Kind.FOOLED) else "unfinished"
    yield Kind.ABSTAINED, None, None, {"reason": silence}


def _other_ends(trial: Trial, ends: _Ends, kind: Kind) -> Details:
    """What the finding's value does not tell."""
    (lower, upper), told = ends, Details()
    if lower is not None and kind is not Kind.LOWER_BOUND:
        told |= {"lower": lower.radius, "lower_confidence": lower.confidence}
    if upper is not None and kind is not Kind.UPPER_BOUND:
        told |= {"upper": upper, "trace": trial.best.trace, "read_as": trial.read_as}
    if isinstance(lower, Exact) and upper is not None and upper <= (1 + CLOSE) * lower.radius:
        told["exact"] = True
    return told
