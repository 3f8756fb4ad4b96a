"""How numbers and findings are said to a reader, the same in every rendering. Pure.

A bound is rounded to the side on which it stays true: lower bounds down, upper bounds up.
"""

import math
import unicodedata
from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from audits.document.estimates import MedianInterval
from audits.document.report import Alarm, Picture, Report
from audits.document.verdict import RuleOutcome, Waiver
from jobs.summary import Interval

NOTHING = "–"
NORMS = {"l1": "L1", "l2": "L2", "linf": "L∞", "l0": "L0"}
_DIGITS = 3  # significant ones
_SMALL = Decimal("0.0001")  # below it, powers of ten
_LONG = 1e15  # from here on, float64 tells no single numbers apart
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # controls, direction marks, halves of characters, line separators
_NOT_XML = "\ufffe\uffff"  # XML 1.0, 2.2


def plain(text: str) -> str:
    """Takes from a text what could reorder, hide or end the line it stands in."""
    return "".join("�" if unicodedata.category(char) in _UNSEEN or char in _NOT_XML else char for char in text)


def number(value: float | None) -> str:
    """Says a number to the nearest, without zeros at its end."""
    text = nearly(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def signed(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{nearly(abs(value))}"


def nearly(value: float | None) -> str:
    """Says an estimate, to the nearest."""
    return _rounded(value, ROUND_HALF_EVEN)


def at_least(value: float | None) -> str:
    """Says a lower bound, rounded down; a whole number, as counts of changes are, as it is."""
    return _whole(value) or _rounded(value, ROUND_FLOOR)


def at_most(value: float | None) -> str:
    """Says an upper bound, rounded up; a whole number as it is."""
    return _whole(value) or _rounded(value, ROUND_CEILING)


def _whole(value: float | None) -> str:
    """Says a whole number; nothing of another."""
    return f"{value:.0f}" if value is not None and float(value).is_integer() and abs(value) < _LONG else ""


def _rounded(value: float | None, rounding: str) -> str:
    if value is None:
        return NOTHING
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "∞"
    exact = Decimal(repr(float(value)))
    rounded = exact.quantize(Decimal(1).scaleb(min(0, exact.adjusted() - _DIGITS + 1)), rounding=rounding)
    return f"{rounded:f}" if abs(rounded) >= _SMALL else f"{rounded:.{_DIGITS - 1}e}"


def count(value: int) -> str:
    """Says a whole number with a thin space between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def share(value: float | None, digits: int = 1) -> str:
    """Says a rate in percent, exactly enough to be held against a bound."""
    if value is None:
        return NOTHING
    text = f"{100 * value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}\u202f%"


def span(interval: Interval | None) -> str:
    """Says the interval of a rate, rounded outwards."""
    if interval is None:
        return NOTHING
    low, high = math.floor(1000 * interval.low + 1e-9) / 10, math.ceil(1000 * interval.high - 1e-9) / 10
    return f"{low:g}–{high:g}\u202f%"


def between(median: MedianInterval | None) -> str:
    """Says the interval of a median, rounded outwards; nothing where there is none."""
    if median is None:
        return ""
    low, high = (math.inf if end is None else end for end in (median.low, median.high))
    return f"95\u202f%: {at_least(low)} to {at_most(high)}"


def duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(count_of_bytes: int) -> str:
    value, unit = float(count_of_bytes), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"


def many(n: int, one: str, more: str = "") -> str:
    """Counts in words: `3 samples`, `1 sample`."""
    return f"{count(n)} {one if n == 1 else more or one + 's'}"


def spaced(name: str) -> str:
    return name.replace("_", " ")


def counted(n: int, kind: str) -> str:
    """Counts findings of a kind in words: `20 upper bounds`, `1 estimate`, `3 misclassified`."""
    word = spaced(kind)
    return many(n, word) if word.endswith(("bound", "estimate")) else f"{count(n)} {word}"


def closed(text: str) -> str:
    """Ends a sentence that came from elsewhere with a full stop, unless it ends with a mark of its own."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def is_rate(metric: str) -> bool:
    return metric.endswith(("_accuracy", "_rate"))


def measured(metric: str, value: float | None) -> str:
    """Says a value of a metric, in its unit."""
    return share(value, 2) if is_rate(metric) else number(value)


def observed(rule: RuleOutcome) -> str:
    return measured(rule.metric, rule.observed)


def interval(rule: RuleOutcome) -> str:
    """Says the interval of a rule; nothing where it would mean nothing."""
    if rule.low is None and rule.high is None:
        return ""
    return f"{measured(rule.metric, rule.low)} to {measured(rule.metric, rule.high)}"


def requirement(rule: RuleOutcome) -> str:
    """Says what the rule asks."""
    where = f" within {number(rule.at)}" if rule.at is not None else ""
    sure = f", with {share(rule.confidence)} confidence" if rule.confidence is not None else ""
    return f"{spaced(rule.metric)}{where} {' and '.join(_asked(rule))}{sure}"


def _asked(rule: RuleOutcome) -> Iterator[str]:
    if rule.at_least is not None:
        yield f"at least {measured(rule.metric, rule.at_least)}"
    if rule.at_most is not None:
        yield f"at most {measured(rule.metric, rule.at_most)}"
    if rule.max_drop_from_baseline is not None:
        was = f" ({measured(rule.metric, rule.baseline)})" if rule.baseline is not None else ""
        yield f"at most {number(100 * rule.max_drop_from_baseline)} points below the baseline{was}"


def outcome(rule: RuleOutcome) -> str:
    """Says what was asked, and what was observed: `Not met: clean accuracy at least 95 %; observed 80 %`."""
    said = {"pass": "Met", "noted": "Met", "inconclusive": "Not decided"}.get(rule.verdict, "Not met")
    seen = f"observed {observed(rule)}" if rule.observed is not None else "nothing was observed"
    within = f" ({interval(rule)})" if rule.observed is not None and interval(rule) else ""
    return f"{said}: {requirement(rule)}; {seen}{within}."


def remark(rule: RuleOutcome) -> str:
    """Says why a rule was decided so, what would decide it, and who answers for it."""
    parts = [rule.detail] if rule.detail else []
    if rule.needed_samples is not None:
        parts.append(f"About {many(rule.needed_samples, 'sample')} would decide it, were the rate to stay.")
    parts += [f"The alarm {waiver.alarm} is {waived(waiver)}" for waiver in rule.waived_alarms]
    if rule.waiver:
        parts.append(f"W{waived(rule.waiver)[1:]}")
    return " ".join(parts)


def waived(waiver: Waiver) -> str:
    """Says who answers, until when and why."""
    until = f" until {waiver.until}" if waiver.until else ""
    return closed(f"waived by {waiver.by}{until}: {waiver.reason}")


def holding(report: Report, alarm: Alarm) -> str:
    """Says what an alarm of masking does to the policy; nothing where it does nothing."""
    if not alarm.holds_back or not report.rules:
        return ""
    held = [rule.name for rule in report.rules if alarm.code in rule.held_back_by]
    if held:
        return f"It holds back {many(len(held), 'rule')} that would pass: {', '.join(held)}."
    waivers = (waiver for rule in report.rules for waiver in rule.waived_alarms if waiver.alarm == alarm.code)
    answer = next(waivers, None)
    return f"It holds nothing back: {waived(answer)}" if answer else "No rule passes by what it doubts."


def answer(picture: Picture) -> str:
    """Says what the model makes of the adversarial point."""
    return "no longer so" if picture.read_as is None else f"read as {picture.read_as}"


def norm(report: Report) -> str:
    name = NORMS.get(report.threat.norm, report.threat.norm)
    return f"{name} of pixels" if report.threat.pixelwise else name
