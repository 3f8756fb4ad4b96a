"""How CLEVER scores are read on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from brinell.printing.class_names import called
from brinell.printing.terminal import out, plain, print_table
from brinell.records import Finding, Job, Summary

NOTHING = "–"
LONG = 1e15  # from here on, float64 tells no single numbers apart


def number(value: float | None) -> str:
    """Writes a number with four significant digits; a whole one, as counts of changes are, as it is."""
    if value is None:
        return NOTHING
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < LONG else f"{value:#.4g}"


def interval(details: dict[str, Any]) -> str:
    """Writes the interval of a score."""
    ends = details.get("interval")
    return f"[{number(ends[0])}, {number(ends[1])}]" if ends else NOTHING


def status(finding: Finding) -> str:
    """Returns CLEVER's own word on its fit; what the finding is where there is no fit."""
    details = finding["details"]
    return str(details.get("status") or details.get("reason") or finding["kind"])


def print_scores(findings: Sequence[Finding], names: Sequence[str] | None = None) -> None:
    """Prints CLEVER scores as a table, one line a sample. `names`: of the model's classes."""
    norm = findings[0]["norm"] if findings else "l2"
    columns = ["sample", "label", "predicted", f"CLEVER {norm}", interval_title(findings), "status"]
    rows = [
        [
            str(finding["index"]),
            called(finding["label"], names),
            called(finding["predicted"], names),
            number(finding["value"]),
            interval(finding["details"]),
            status(finding),
        ]
        for finding in findings
    ]
    print_table(columns, rows, right=frozenset(columns[:5]))


def interval_title(findings: Sequence[Finding]) -> str:
    """Names the column of intervals by their level, where they share one."""
    levels = {finding["details"]["interval_level"] for finding in findings if finding["details"].get("interval_level")}
    return f"{levels.pop():.0%} interval" if len(levels) == 1 else "interval"


def print_summary(job: Job, name: str) -> None:
    """Prints a few lines about the job of the method of this name; none where it has no summary."""
    summary = job["summary"]
    if not summary:
        return
    counts = ", ".join(_counted(n, kind) for kind, n in summary["counts"].items() if n)
    out.print()
    labels = f", labels {summary['labels']}" if summary["labels"] else ""  # none: of a property
    out.print(plain(f"{name}: {summary['samples']} samples ({counts}){labels}"))
    for title, rate in (("clean accuracy", summary["clean_accuracy"]), ("success rate", summary["success_rate"])):
        if rate:
            out.print(f"  {title}: {rate['value']:.1%} (95% interval {rate['low']:.1%} to {rate['high']:.1%})")
    if values := summary["value"]:
        listed = ", ".join(f"{word} {number(values[word])}" for word in ("mean", "median", "min", "max"))
        out.print(f"  value: {listed}")
    for line in _by_queries(summary):
        out.print(plain(line), soft_wrap=True)
    cost = f"{summary['queries']['total']} queries, {summary['gradients']} gradients, {summary['seconds']:.1f} s"
    prepare = summary.get("prepare")
    if prepare:
        cost += f"; to prepare them {prepare['queries']} queries, {prepare['seconds']:.1f} s"
    out.print(f"  cost: {cost}")
    if prepare and (details := prepare.get("details")):
        told = ", ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in sorted(details.items()))
        out.print(plain(f"  prepared: {told}"))
    if summary["warnings"]:
        out.print(plain(f"  warnings: {', '.join(summary['warnings'])}"))


def _by_queries(summary: Summary) -> Iterator[str]:
    """What an attack on scores or labels reached by how many queries a sample. An older server does not tell."""
    if rates := summary.get("success_at_queries"):
        shares = {n: f"{rate['value']:.1%}" for n, rate in rates.items()}
        yield f"  broken: {_changes(shares)}"
    if distances := summary.get("distance_at_queries"):
        yield f"  median distance: {_changes({n: number(at) for n, at in distances.items()})}"
    if (adbd := summary.get("adbd")) is not None:
        yield f"  average decision boundary distance: {number(adbd)}, of {_samples(summary['adbd_samples'])}"
    if every := summary.get("queries_all"):
        told = f"mean {every['mean']:.1f}, median {every['median']:.1f}"
        prepared = every["mean_with_prepare"]
        if prepared != every["mean"]:
            told += f"; mean {prepared:.1f} with those of the prepare stage"
        yield f"  queries a sample, those not broken charged in full: {told}"


def _samples(n: int | None) -> str:
    return "1 broken sample" if n == 1 else f"{n} broken samples"


def _changes(told: dict[str, str]) -> str:
    """Writes what is told by numbers of queries where it changes, and of the last: `60% by 100, the same by 10000`."""
    parts, before = list[str](), ""
    for n, said in told.items():
        if said != before:
            parts.append(f"{said} by {n}")
        elif n == list(told)[-1]:
            parts.append(f"the same by {n}")
        before = said
    return f"{', '.join(parts)} queries"


def _counted(n: int, kind: str) -> str:
    """`20 upper bounds`, `1 estimate`, `3 misclassified`"""
    word = kind.replace("_", " ")
    return f"{n} {word}s" if n != 1 and word.endswith(("bound", "estimate")) else f"{n} {word}"
