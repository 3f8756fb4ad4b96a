"""Which of two audited models is more robust, by how much and how surely, in sentences.

The numbers are those of the report that names the other as its baseline: paired sample by sample, with an exact sign
test and a distribution-free interval. What is proven is read from the brackets.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from brinell.records import Comparison, Report, SampleRow

SURE = 0.05  # two-sided p-value below which a split is not put down to chance
DOUBTS = ("error", "warning")  # severities of the alarms of a model's own audit that its distances cannot be read past
WHAT = {"upper": "the nearest adversarial point found", "lower": "the certified bound"}  # else the method of a score


class Audited(NamedTuple):
    """An audited model is its name and its report."""

    name: str
    report: Report


def sentences(ours: Audited, baseline: Audited) -> Iterator[str]:
    """Yields what `ours.report`, which names the other as its baseline, says of both."""
    by_measure = {comparison["measure"]: comparison for comparison in ours.report["comparisons"]}
    if found := by_measure.get("upper"):
        yield _verdict(found, ours, baseline)
        yield from _told(found, ours.name, baseline.name)
        yield "What an attack finds is only an upper end: a stronger attack could find nearer points for either model."
    if certified := by_measure.get("lower"):
        yield from _told(certified, ours.name, baseline.name)
        yield _proven(ours, baseline)
    for measure, score in by_measure.items():
        if measure not in WHAT:
            yield from _told(score, ours.name, baseline.name)
    yield from sorted({remark for comparison in by_measure.values() if (remark := comparison.get("remark"))})
    yield f"Answers right before any change: {_accuracy(ours)}; {_accuracy(baseline)}."


def _verdict(found: Comparison, ours: Audited, baseline: Audited) -> str:
    """A model is not called the more robust one on distances that its own audit doubts."""
    if found["p_value"] >= SURE or found["larger"] == found["smaller"]:
        return f"These {found['paired']} samples cannot tell which model is more robust; compare on more of them."
    winner, loser = (ours, baseline) if found["larger"] > found["smaller"] else (baseline, ours)
    if doubts := [alarm["code"] for alarm in winner.report["alarms"] if alarm["severity"] in DOUBTS]:
        return (
            f"Attacks had to go farther to fool {winner.name} than {loser.name}, but its audit raised "
            f"{' and '.join(doubts)}: how robust it is may be overstated, so this does not tell which is more robust."
        )
    return f"{winner.name} is more robust than {loser.name}."


def _told(comparison: Comparison, ours: str, baseline: str) -> Iterator[str]:
    """From the side of whichever is ahead."""
    is_ahead = comparison["larger"] >= comparison["smaller"]
    winner, loser = (ours, baseline) if is_ahead else (baseline, ours)
    more, less = sorted((comparison["larger"], comparison["smaller"]), reverse=True)
    measure, p = comparison["measure"], comparison["p_value"]
    what = WHAT.get(measure, f"the {measure} estimate")
    farther, nearer = ("lies farther from the sample", "nearer") if measure in WHAT else ("is larger", "smaller")
    lead = f"For {winner}, {what}" if p < SURE else f"By {what} neither model is clearly ahead: for {winner} it"
    yield (
        f"{lead} {farther} on {more} of {comparison['paired']} samples, {nearer} on {less}: if neither were ahead, a "
        f"split as uneven would come up {_chance(p)} (exact sign test, p = {p:.2g})."
    )
    if (ratio := _ratio(comparison, is_ahead=is_ahead)) is not None:
        its = "Its distance" if measure in WHAT else "Its estimate"
        yield f"{its} is {ratio} times that of {loser} in the median, over samples both models read correctly."


def _chance(p: float) -> str:
    return f"once in {1 / p:,.0f} times" if p < 0.5 else "most of the time"


def _ratio(comparison: Comparison, *, is_ahead: bool) -> str | None:
    """`1.8 (95% interval 1.5 to 2.1)`"""
    median, low, high = comparison["median_ratio"], comparison["low"], comparison["high"]
    if not median:
        return None
    if not is_ahead:
        median, low, high = 1 / median, 1 / high if high else None, 1 / low if low else None
    interval = "too few samples for an interval" if low is None or high is None else f"{low:.2f} to {high:.2f}"
    return f"{median:.2f} (95% interval {interval})"


def _proven(ours: Audited, baseline: Audited) -> str:
    pairs = list(_pairs(ours.report["samples"], baseline.report["samples"]))
    ahead = sum(_is_certainly_farther(here, there) for here, there in pairs)
    behind = sum(_is_certainly_farther(there, here) for here, there in pairs)
    return (
        f"Proven, whatever attack may come: {ours.name} is more robust on {ahead} of {len(pairs)} samples, "
        f"{baseline.name} on {behind} (the certified bound of one lies beyond the adversarial point of the other)."
    )


def _pairs(here: Sequence[SampleRow], there: Sequence[SampleRow]) -> Iterator[tuple[SampleRow, SampleRow]]:
    others = {sample["index"]: sample for sample in there}
    return ((sample, others[sample["index"]]) for sample in here if sample["index"] in others)


def _is_certainly_farther(one: SampleRow, other: SampleRow) -> bool:
    return one["lower"] is not None and other["upper"] is not None and one["lower"] > other["upper"]


def _accuracy(audited: Audited) -> str:
    rate = audited.report["summary"]["clean_accuracy"]
    return f"{audited.name} {'unknown' if rate is None else format(rate['value'], '.1%')}"
