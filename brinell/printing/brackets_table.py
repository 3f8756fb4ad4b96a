"""An audit on a terminal: one bracket a sample, then the whole in a few lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from brinell.printing.class_names import called
from brinell.printing.scores_table import NOTHING, number
from brinell.printing.terminal import out, plain, print_table
from brinell.records import AuditSummary, EstimateSummary, Interval, MedianInterval, Report, SampleRow

CLOSED = 1.1  # as the service defines it: upper / lower up to which a bracket counts as closed
STYLES = {"error": "bold red", "warning": "yellow", "note": ""}


def print_brackets(samples: Sequence[SampleRow], names: Sequence[str] | None = None) -> None:
    """Prints one bracket a sample: no change smaller than `certified` matters, a change as large as `found` fools the
    model. `names`: of its classes.
    """
    scores = list(dict.fromkeys(score for sample in samples for score in _scores(sample)))
    columns = ["sample", "label", "certified", "by", *scores, "found", "by"]
    rows = [_row(sample, scores, names) for sample in samples]
    print_table(columns, rows, right=frozenset(columns) - {"by"}, is_wide=True)


def _scores(sample: SampleRow) -> dict[str, float | None]:
    """By method. A report of an older server knows one, by its name."""
    if "estimates" not in sample:
        return {"clever": sample["clever"]}
    told = sample["estimates"]
    return {method: estimate["value"] for method, estimate in told.items() if estimate["kind"] == "estimate"}


def _row(sample: SampleRow, scores: Sequence[str], names: Sequence[str] | None) -> list[str]:
    lower_by = sample["lower_by"] or NOTHING
    if (confidence := sample["lower_confidence"]) is not None and confidence < 1:
        lower_by += f" ({confidence:.4g})"
    return [
        *(str(sample["index"]), called(sample["label"], names), number(sample["lower"]), lower_by),
        *(number(_scores(sample).get(score)) for score in scores),
        *(number(sample["upper"]), sample["upper_by"] or NOTHING),
    ]


def print_outline(report: Report) -> None:
    """Prints the whole audit in a few lines, and its alarms."""
    out.print()
    for line in _lines(report):
        out.print(plain(line), soft_wrap=True)
    for alarm in report["alarms"]:
        shown = f"{alarm['count']} of {alarm['samples']} samples"
        told = f"  {alarm['severity']} {alarm['code']} ({shown}): {alarm['explanation']} {alarm['consequence']}"
        out.print(plain(told), soft_wrap=True, style=STYLES[alarm["severity"]])


def _lines(report: Report) -> Iterator[str]:
    summary, threat = report["summary"], report["threat"]
    epsilon = threat["epsilon"]
    yield f"{report['audit_id']}: {threat['norm']}, {summary['samples']} samples, labels {summary['labels']}"
    if report["settings"].get("draft"):
        yield f"  the recipe {report['settings']['recipe']} is a draft and may still change"
    within = "" if epsilon is None else f" at {epsilon:g}"
    yield from _rate("clean accuracy", summary["clean_accuracy"])
    yield from _rate(f"certified accuracy{within}", summary["certified_accuracy"])
    yield from _rate(f"accuracy no attack broke{within}", summary["empirical_robust_accuracy"])
    yield from _bracket(summary, within)
    yield from _median("certified", summary.get("median_lower_interval"))
    yield from _median("found", summary.get("median_upper_interval"))
    yield from _closure(summary.get("closure"))
    for method, told in _estimates(summary).items():
        if told["kind"] == "estimate":
            yield from _score(method, told)
    yield f"  cost: {summary['queries']} queries, {summary['gradients']} gradients, {summary['seconds']:.1f} s"
    for skipped in report["skipped"]:
        yield f"  skipped {skipped['method']}: {skipped['reason']}"


def _estimates(summary: AuditSummary) -> dict[str, EstimateSummary]:
    """A report of an older server has one score, in fields of its name."""
    if "estimates" in summary:
        return summary["estimates"]
    return {
        "clever": {
            "kind": "estimate",
            "samples": summary["clever_samples"],
            "value": summary["clever"],
            "median_interval": summary.get("clever_median_interval"),
            "statuses": summary.get("clever_statuses", {}),
        }
    }


def _score(name: str, told: EstimateSummary) -> Iterator[str]:
    if value := told["value"]:
        listed = ", ".join(f"{word} {number(value[word])}" for word in ("mean", "median", "min", "max"))
        yield f"  {name}, an estimate: {listed} over {told['samples']} samples"
        yield from _median(name, told.get("median_interval"))
    if unusual := {status: n for status, n in told.get("statuses", {}).items() if status != "ok"}:
        yield f"  unusual {name} scores: {', '.join(f'{n} {status}' for status, n in unusual.items())}"


def _bracket(summary: AuditSummary, within: str) -> Iterator[str]:
    """Says nothing where neither end is known, or nothing but that distances are at least 0."""
    low, high = summary["median_lower_bound"], summary["median_upper_bound"]
    if low is not None and high is not None:
        yield f"  median bracket: {number(low)} ≤ r* ≤ {number(high)}"
    elif high is not None:
        yield f"  median bracket: r* ≤ {number(high)}, with nothing proven below"
    elif low:
        yield f"  median bracket: {number(low)} ≤ r*, with no end above"
    if high is None and summary.get("median_upper_interval"):
        yield f"  median found: none, since half of the samples or more were not broken{within}"


def _median(what: str, interval: MedianInterval | None) -> Iterator[str]:
    if interval and (interval["low"] is not None or interval["high"] is not None):
        low, high = ("∞" if end is None else number(end) for end in (interval["low"], interval["high"]))
        yield f"    median {what}: 95% interval {low} to {high}"


def _closure(closure: Mapping[str, Any] | None) -> Iterator[str]:
    """The share, and how it grew from method to method. An older server tells a rate and no more."""
    if not closure:
        return
    share = closure["share"] if "share" in closure else closure["value"]
    title = f"brackets closed within {closure.get('at', CLOSED) - 1:.0%}"
    yield from _rate(title, Interval(value=share, low=closure["low"], high=closure["high"]))
    told = (f"{point['share']:.0%} after {point['seconds']:.1f} s ({point['method']})" for point in _grown(closure))
    if listed := ", ".join(told):
        yield f"    closed: {listed}"


def _grown(closure: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The points at which the share has grown."""
    before = 0.0
    for point in closure.get("curve", []):
        if point["share"] > before:
            yield point
            before = point["share"]


def _rate(title: str, rate: Interval | None) -> Iterator[str]:
    if rate:
        yield f"  {title}: {rate['value']:.1%} (95% interval {rate['low']:.1%} to {rate['high']:.1%})"
