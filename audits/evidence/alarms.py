"""Alarms: what a reader must know before believing a number. Each has a stable code, an explanation, a consequence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from audits.document.estimates import SCORES, title
from audits.document.report import Alarm
from audits.document.verdict import MASKING
from audits.evidence import labels, masking, signs
from audits.evidence.signs import Sample, Shown

EXAMPLES = 20
SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Check:
    """A check raises its alarm from this `share` of the samples on, by two of them or all; where it is 0, for any.

    A sample that shows it `clearly` is enough whatever the share.
    """

    code: str
    severity: Literal["error", "warning", "note"]
    explanation: str
    consequence: str
    shows: Callable[[Sample], Shown]
    share: float = 0.0
    clearly: Callable[[Sample], Shown] = lambda _: False

    @property
    def holds_back(self) -> bool:
        """A note tells of what is in order."""
        return self.code in MASKING and self.severity != "note"


def _above_attack(score: str) -> Check:
    return Check(
        f"{score}_above_attack",
        "note",
        f"The {title(score)} score lies above a distance at which an attack succeeded.",
        f"On these samples the estimate is proven too high. Use {title(score)} to rank, not to vouch.",
        signs.score_too_high(score),
    )


CHECKS = (
    Check(
        "lower_above_upper",
        "error",
        "A certificate claims that no change within some distance matters, and a stored point nearer than that fools "
        "the model.",
        "One of the two is wrong: a bug in a certificate, or a model that answers by other rules than its file says. "
        "No rule passes on this audit. Do not rely on it; please report it with the model.",
        signs.lower_above_upper,
    ),
    Check(
        "model_not_deterministic",
        "error",
        "The model answered the very same row differently at different times.",
        "Distances and certificates speak of a fixed function and are not comparable here. Fix the model's randomness "
        "(dropout, noise, batch statistics) and audit it again.",
        signs.answers_differ,
    ),
    Check(
        "masked_gradients",
        "warning",
        "The gradients vanish where the model should still be changing its mind.",
        "Attacks and scores that follow gradients are blind here, so their silence is no evidence of robustness. Look "
        "at the distances of the attacks that need no gradient.",
        masking.gradients_vanish,
    ),
    Check(
        "saturated_scores",
        "warning",
        "One class has a probability of exactly 1: rounding has removed what lies between.",
        "Attacks that watch scores see a flat landscape. Export the model with its logits and audit that.",
        masking.saturated,
    ),
    Check(
        "black_box_beats_white_box",
        "warning",
        "An attack that sees less of the model found a nearer point than the ones that see its gradients.",
        "The gradients mislead, by masking or by a hard loss: the robustness measured with them is too high.",
        masking.black_box_wins(masking.CLOSER),
        share=0.05,
        clearly=masking.black_box_wins(masking.TWICE_AS_CLOSE),
    ),
    Check(
        "noise_suffices",
        "warning",
        "Random noise, without any search, finds an adversarial point about as near as the best attack that searches.",
        "Either the attacks were blind, or the model is fragile to ordinary disturbances, or a few of its features "
        "decide everything. Nobody needs to be an adversary to break it.",
        masking.baseline_suffices,
        share=0.05,
    ),
    Check(
        "no_white_box",
        "warning",
        "The model is of a kind that has gradients, and no attack looked for changes by them.",
        "What the other attacks did not find is weak evidence: a front end that cuts the input into steps hides a "
        "model from them too. The model's withheld accesses and the skipped methods say why; where they do not, no "
        "method that goes by gradients was asked for: add one. Else export the model with its scores and without "
        "rounding, certify it, or let somebody who knows answer for it.",
        masking.unseen("expected"),
        share=1.0,
    ),
    Check(
        "whole_features_moved",
        "warning",
        "The model turns some features into whole numbers, or compares them with categories, and points were found by "
        "changing these.",
        "There is nothing between two codes, so how far such a point lies says little: a cut turns 1.97 into 1. Hold "
        "these features, which the model's card lists: one audit for each code, its box with that code at both ends.",
        signs.codes_moved,
    ),
    Check(
        "masking",
        "warning",
        "The gradients speak of another landscape than the attacks met: they promise the boundary at less than a tenth "
        "of the nearest distance found, or at more than five times it.",
        "Gradients too steep to lead anywhere hide what is near from attacks that follow them, as do gradients too "
        "flat. Look at the attacks that need none, with a larger recipe; export logits without rounding, ripples or "
        "squashing in front of them.",
        masking.misled,
        share=0.05,
    ),
    Check(
        "attack_below_full_success",
        "warning",
        "Some samples were never broken although any change was allowed, where every attack should succeed.",
        "The attacks ran out of budget or are blind, or the model gives one answer everywhere. Their upper bounds are "
        "too high: use a larger recipe before you trust them.",
        signs.never_falls,
    ),
    Check(
        "no_white_box",
        "note",
        "Models of this kind give out no gradients: all attacks looked from outside.",
        "Their distances are too large by more than those of attacks that see gradients would be.",
        masking.unseen("none"),
        share=1.0,
    ),
    *(_above_attack(score) for score in SCORES),
)


def shown_by(sample: Sample, alarms: Sequence[Alarm]) -> tuple[str, ...]:
    """Names those of the raised alarms that this sample shows."""
    codes = {alarm.code for alarm in alarms}
    return tuple(check.code for check in CHECKS if check.code in codes and check.shows(sample))


def raised(samples: Sequence[Sample], *, classes: int | None = None) -> tuple[Alarm, ...]:
    """Raises the alarms that the samples show, most severe first. `classes`: of a model whose samples have labels."""
    about_labels = None if classes is None else labels.suspicious([sample.row for sample in samples], classes)
    found = filter(None, (about_labels, *(_alarm(check, samples) for check in CHECKS)))
    return tuple(sorted(found, key=lambda alarm: SEVERITIES.index(alarm.severity)))


def _alarm(check: Check, samples: Sequence[Sample]) -> Alarm | None:
    answers = [(sample.row.index, check.shows(sample)) for sample in samples]
    able = [(index, shown) for index, shown in answers if shown is not None]
    shown = [index for index, shown in able if shown]
    if not _are_enough(len(shown), len(able), check.share) and not any(map(check.clearly, samples)):
        return None
    return Alarm(
        code=check.code,
        severity=check.severity,
        count=len(shown),
        samples=len(able),
        examples=tuple(shown[:EXAMPLES]),
        explanation=check.explanation,
        consequence=check.consequence,
        holds_back=check.holds_back,
    )


def _are_enough(shown: int, able: int, share: float) -> bool:
    """Tell whether so many samples raise an alarm: where it wants a share, one of several is an exception."""
    return shown > 0 and shown >= share * able and (share == 0 or shown > 1 or able == 1)
