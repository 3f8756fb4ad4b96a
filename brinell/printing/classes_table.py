"""How findings about classes are read on a terminal: what it cost to reach each from plain gray."""

from collections.abc import Mapping, Sequence
from typing import Any

from brinell.printing.class_names import called
from brinell.printing.scores_table import number
from brinell.printing.terminal import out, plain, print_table
from brinell.records import Finding, Job

NO_NORM = "none"  # of what measures nothing: a class, whose finding has its index for a label, or a property


def is_about_classes(job: Job) -> bool:
    """Tells whether a job is about classes: it was asked without samples. A property's request has no such field."""
    request: Mapping[str, Any] = job["request"]
    return request.get("samples_id", "") is None


def are_about_classes(found: Sequence[Finding]) -> bool:
    """Tells whether findings are about classes, and not about samples."""
    return bool(found) and all(one["norm"] == NO_NORM and one["label"] == one["index"] for one in found)


def print_classes(found: Sequence[Finding], names: Sequence[str] | None = None) -> None:
    """Prints one line a class. `names`: of the model's classes."""
    rows = [[str(one["index"]), called(one["index"], names), _told(one), str(one["queries"])] for one in found]
    print_table(["class", "called", "found", "queries"], rows, right=frozenset({"class", "queries"}))
    gray = called(found[0]["predicted"], names)
    out.print(plain(f"Plain gray, the middle of the box, is answered with {gray}."))


def print_classes_summary(job: Job, name: str) -> None:
    """Prints a few lines about a job on classes; none where it has no summary."""
    summary = job["summary"]
    if not summary:
        return
    out.print()
    out.print(plain(f"{name}: {summary['samples']} classes, no samples"))
    rate = summary["success_rate"]
    if rate:
        told = f"{rate['value']:.1%} (95% interval {rate['low']:.1%} to {rate['high']:.1%})"
        out.print(plain(f"  classes reached: {told}"))
    if values := summary["value"]:
        listed = ", ".join(f"{word} {number(values[word])}" for word in ("mean", "median", "min", "max"))
        out.print(plain(f"  queries to reach one: {listed}"))
    out.print(plain(f"  cost: {summary['queries']['total']} queries, {summary['seconds']:.1f} s"))
    if summary["warnings"]:
        out.print(plain(f"  warnings: {', '.join(summary['warnings'])}"))
    if rate and rate["value"]:
        out.print("  So inputs that mean nothing are answered; that says nothing of robustness.")


def _told(one: Finding) -> str:
    """`fooled`, `plain gray` where nothing was searched in, or why there is no input."""
    if one["kind"] == "fooled":
        return "fooled" if "region" in one["details"] else "plain gray"
    return str(one["details"].get("reason") or one["kind"]).replace("_", " ")
