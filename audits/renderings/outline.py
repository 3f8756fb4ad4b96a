"""What a report comes to, in a few sentences and a few figures: the part that a hurried reader reads. Pure.

Every figure carries the sign of what stands behind it: a proof, a point that was found, or only an estimate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from algorithms.seam.claims import Kind
from audits.document.closure import Closure
from audits.document.estimates import EstimateSummary, title
from audits.document.report import Report
from audits.renderings.words import at_least, at_most, between, count, duration, many, norm, number, share, spaced, span
from jobs.summary import Interval

Sign = Literal["proof", "witness", "estimate", "smoothed", ""]


@dataclass(frozen=True)
class Figure:
    name: str
    value: str
    note: str
    sign: Sign = ""


def headline(report: Report) -> str:
    """Says the verdict in one sentence."""
    if report.verdict is None:
        return "No policy was given: these are numbers without a verdict."
    told = [rule.verdict for rule in report.rules if rule.waiver is None]
    counts = {
        "not met": told.count("fail"),
        "not decided": told.count("inconclusive"),
        "met": told.count("pass"),
        "waived": len(report.rules) - len(told),
        "without a say": told.count("warn") + told.count("noted"),
    }
    listed = ", ".join(f"{n} {words}" for words, n in counts.items() if n)
    return f"{many(len(report.rules), 'rule')}: {listed}."


def sentences(report: Report) -> Iterator[str]:
    """Says what was found, without a word that needs a glossary."""
    if any(alarm.severity == "error" for alarm in report.alarms):
        yield "An alarm says that a number in this audit is wrong. Read the alarms before anything else."
    yield from _of_accuracy(report)
    yield from _of_radius(report)
    yield from _of_distance(report)


def _of_accuracy(report: Report) -> Iterator[str]:
    clean, n = report.summary.clean_accuracy, many(report.summary.samples, "sample")
    if clean is not None:
        yield f"Without any attack the model is right on {share(clean.value)} of {n}."
    elif report.summary.labels == "predicted":
        yield f"The {n} came without labels: every distance is to a change of the model's own answer."


def _of_radius(report: Report) -> Iterator[str]:
    low, high = report.summary.certified_accuracy, report.summary.empirical_robust_accuracy
    where = f"against changes of {norm(report)} size {number(report.threat.epsilon)}"
    if low and high:
        yield (
            f"Of these samples {share(low.value)} are proven right {where}, and {share(high.value)} were not broken: "
            "the truth lies between."
        )
    elif low:
        yield f"Of these samples {share(low.value)} are proven right {where}. Whether the rest breaks is not known."
    elif high:
        yield f"Of these samples {share(high.value)} were not broken {where}. Nothing is proven: it may be fewer."


def _of_distance(report: Report) -> Iterator[str]:
    low, high = report.summary.median_lower_bound, report.summary.median_upper_bound
    if high is not None:
        yield (
            f"For half of the samples a change of at most {at_most(high)} ({norm(report)}) was found that suffices "
            "to fool the model."
        )
    if low:
        half, does = ("them", "does") if high is not None else ("the samples", "fools the model")
        yield f"For half of {half} it is proven that no change below {at_least(low)} {does}."


def figures(report: Report) -> Iterator[Figure]:
    """Lists the figures that were computed, and no others."""
    summary, epsilon = report.summary, report.threat.epsilon
    within = "at any distance" if epsilon is None else f"within {number(epsilon)}"
    yield from _rate("Clean accuracy", summary.clean_accuracy, "")
    yield from _rate(f"Certified accuracy {within}", summary.certified_accuracy, "proof")
    yield from _rate(f"Not broken {within}", summary.empirical_robust_accuracy, "witness")
    if summary.median_lower_bound is not None:
        note = _listed(norm(report), between(summary.median_lower_interval))
        yield Figure("Median certified distance", f"≥ {at_least(summary.median_lower_bound)}", note, "proof")
    if summary.median_upper_bound is not None:
        note = _listed(norm(report), between(summary.median_upper_interval))
        yield Figure("Median found distance", f"≤ {at_most(summary.median_upper_bound)}", note, "witness")
    yield from _rate(f"Attack success {within}", summary.attack_success_rate, "witness")
    yield from _closed(summary.closure)
    yield from _scores(report)
    work = f"{count(summary.gradients)} gradients, {duration(summary.seconds)}"
    yield Figure("Queries", count(summary.queries), work)


def _rate(name: str, rate: Interval | None, sign: Sign, note: str = "") -> Iterator[Figure]:
    if rate is not None:
        yield Figure(name, share(rate.value), _listed(f"95\u202f%: {span(rate)}", note), sign)


def _closed(closure: Closure | None) -> Iterator[Figure]:
    if closure is not None:
        rate = Interval(value=closure.share, low=closure.low, high=closure.high)
        yield from _rate("Closed brackets", rate, "", note=f"found / certified ≤ {number(closure.at)}")


def _listed(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _scores(report: Report) -> Iterator[Figure]:
    estimates = report.summary.estimates
    for method, told in estimates.items():
        if told.kind is Kind.ESTIMATE:
            yield from _score(title(method), told)
    smoothed = {method: told.value for method, told in estimates.items() if told.kind is Kind.SMOOTHED_LOWER_BOUND}
    for method, value in smoothed.items():
        if value:
            note = _listed("of the smoothed model, not of this one", method if len(smoothed) > 1 else "")
            yield Figure("Median smoothed radius", f"≥ {at_least(value.median)}", note, "smoothed")


def _score(name: str, told: EstimateSummary) -> Iterator[Figure]:
    if value := told.value:
        all_of_them = f"{number(value.min)} to {number(value.max)} on {many(told.samples or 0, 'sample')}"
        note = _listed(between(told.median_interval), all_of_them, "no bound")
        yield Figure(f"Median {name} score", f"≈ {number(value.median)}", note, "estimate")
    if unusual := {status: n for status, n in told.statuses.items() if status != "ok"}:
        listed = ", ".join(f"{count(n)} {spaced(status)}" for status, n in unusual.items())
        yield Figure(f"Unusual {name} scores", count(sum(unusual.values())), listed, "estimate")
