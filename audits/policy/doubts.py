"""What alarms do to a pass, and who answers for one all the same. Pure.

An error says that a number is wrong: nothing passes on it, and nobody can answer for it. A sign of masking says that
attacks may have been blind: it holds back the passes that rest on what attacks did not find, unless it is waived.
A pass by a certificate, by a point that was found, or by clean answers needs no attack to have seen anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from audits.document.verdict import Waiver
from audits.policy.policy import Rule

_BETTER_ATTACKS_LOWER = frozenset({"empirical_robust_accuracy", "median_upper_bound"})
_BETTER_ATTACKS_RAISE = frozenset({"attack_success_rate"})


@dataclass(frozen=True)
class Doubts:
    """Doubts are the codes of raised alarms: `errors` forbid a pass, `masks` hold it back."""

    errors: Sequence[str] = ()
    masks: Sequence[str] = ()


@dataclass(frozen=True)
class Answered:
    """Answered are the waivers that count for some doubts, the doubts without one, and what is said of ended ones."""

    waived: tuple[Waiver, ...]
    unanswered: tuple[str, ...]
    remarks: tuple[str, ...]


def rests_on_silence(rule: Rule) -> bool:
    """Tell whether better attacks could take the rule's pass away."""
    if rule.metric in _BETTER_ATTACKS_LOWER:
        return rule.at_least is not None or rule.max_drop_from_baseline is not None
    return rule.metric in _BETTER_ATTACKS_RAISE and rule.at_most is not None


def answers(masks: Sequence[str], waivers: Sequence[Waiver], today: date) -> Answered:
    """Find who answers for each of the raised alarms of masking."""
    each = [(code, *answering([waiver for waiver in waivers if waiver.alarm == code], today)) for code in masks]
    return Answered(
        waived=tuple(waiver for _, waiver, _ in each if waiver),
        unanswered=tuple(code for code, waiver, _ in each if waiver is None),
        remarks=tuple(remark for *_, remark in each if remark),
    )


def answering(waivers: Sequence[Waiver], today: date) -> tuple[Waiver | None, str]:
    """Find, of waivers of one thing, the first that counts today, or else a sentence about one that did."""
    live = [waiver for waiver in waivers if waiver.counts_on(today)]
    if live or not waivers:
        return (live[0] if live else None), ""
    about = f" of {waivers[0].alarm}" if waivers[0].alarm else ""
    return None, f"The waiver{about} by {waivers[0].by} ended on {waivers[0].until}."


def held_back(codes: Sequence[str]) -> str:
    """Say why a pass waits, and how somebody may answer for it."""
    alarms = f"the alarm {codes[0]}" if len(codes) == 1 else f"the alarms {' and '.join(codes)}"
    says, them = ("says", "it") if len(codes) == 1 else ("say", "each of them")
    return (
        f"It would pass, but {alarms} {says} that attacks may have been blind, and their silence is no safety. See what"
        f" the report says of {'it' if len(codes) == 1 else 'them'}; whoever answers for the pass all the same waives"
        f" {them} in the policy: {', '.join(map(_as_written, codes))}."
    )


def _as_written(code: str) -> str:
    return f"{{alarm: {code}, reason: …, by: …, until: …}}"
