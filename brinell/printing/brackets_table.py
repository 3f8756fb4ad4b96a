"""An audit on a terminal: one bracket a sample, then the whole in a few lines."""

from collections.abc import Iterator, Sequence

from brinell.printing.scores_table import NOTHING, number
from brinell.printing.terminal import out, plain, print_table
from brinell.records import Interval, MedianInterval, Report, SampleRow

CLOSED = 1.1  # as the service defines it: upper / lower up to which a bracket counts as closed
STYLES = {"error": "bold red", "warning": "yellow", "note": ""}


def print_brackets(samples: Sequence[SampleRow]) -> None:
    """Prints one bracket a sample: no change smaller than `certified` matters, a change as large as `found` fools the
    model.
    """
    columns = ["sample", "label", "certified", "by", "CLEVER", "found", "by"]
    print_table(columns, [_row(sample) for sample in samples], right=frozenset(columns) - {"by"})


def _row(sample: SampleRow) -> list[str]:
    lower_by = sample["lower_by"] or NOTHING
    if (confidence := sample["lower_confidence"]) is not None and confidence < 1:
        lower_by += f" ({confidence:.4g})"
    return [
        *(str(sample["index"]), str(sample["label"]), number(sample["lower"]), lower_by),
        *(number(sample["clever"]), number(sample["upper"]), sample["upper_by"] or NOTHING),
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
    within = "" if epsilon is None else f" at {epsilon:g}"
    yield from _rate("clean accuracy", summary["clean_accuracy"])
    yield from _rate(f"certified accuracy{within}", summary["certified_accuracy"])
    yield from _rate(f"accuracy no attack broke{within}", summary["empirical_robust_accuracy"])
    yield f"  median bracket: {number(summary['median_lower_bound'])} ≤ r* ≤ {number(summary['median_upper_bound'])}"
    yield from _median("certified", summary.get("median_lower_interval"))
    yield from _median("found", summary.get("median_upper_interval"))
    yield from _rate(f"brackets closed within {CLOSED - 1:.0%}", summary["closure"])
    if clever := summary["clever"]:
        listed = ", ".join(f"{word} {number(clever[word])}" for word in ("mean", "median", "min", "max"))
        yield f"  CLEVER, an estimate: {listed} over {summary['clever_samples']} samples"
        yield from _median("CLEVER", summary.get("clever_median_interval"))
    if unusual := {status: n for status, n in summary.get("clever_statuses", {}).items() if status != "ok"}:
        yield f"  unusual CLEVER fits: {', '.join(f'{n} {status}' for status, n in unusual.items())}"
    yield f"  cost: {summary['queries']} queries, {summary['gradients']} gradients, {summary['seconds']:.1f} s"
    for skipped in report["skipped"]:
        yield f"  skipped {skipped['method']}: {skipped['reason']}"


def _median(what: str, interval: MedianInterval | None) -> Iterator[str]:
    if interval:
        low, high = ("∞" if end is None else number(end) for end in (interval["low"], interval["high"]))
        yield f"    median {what}: 95% interval {low} to {high}"


def _rate(title: str, rate: Interval | None) -> Iterator[str]:
    if rate:
        yield f"  {title}: {rate['value']:.1%} (95% interval {rate['low']:.1%} to {rate['high']:.1%})"
