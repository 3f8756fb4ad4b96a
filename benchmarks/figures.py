"""Figures: what was measured, beside what it should be; and the machine it was measured on."""

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks import data
from benchmarks.sides import Answer


@dataclass(frozen=True)
class Figure:
    what: str
    value: str
    target: str = ""
    is_met: bool | None = None  # None: nothing to meet

    def __str__(self) -> str:
        verdict = "" if self.is_met is None else "met" if self.is_met else "missed"
        return f"| {self.what} | {self.value} | {self.target} | {verdict} |"


def at_least(what: str, value: float, target: float, shown: str = "{:.2f}") -> Figure:
    return Figure(what, shown.format(value), "at least " + shown.format(target), value >= target)


def at_most(what: str, value: float, target: float, shown: str = "{:.2f}") -> Figure:
    return Figure(what, shown.format(value), "at most " + shown.format(target), value <= target)


def ratio(over: Sequence[Answer], under: Sequence[Answer], clock: str = "wall") -> float:
    """Returns the median over rounds of one side's time in the other's: a slow minute of the machine hits both."""
    return float(statistics.median(getattr(a, clock) / getattr(b, clock) for a, b in zip(over, under, strict=True)))


def spread(over: Sequence[Answer], under: Sequence[Answer]) -> str:
    """Tells the smallest and the largest ratio of all rounds, and the ratio of processor times."""
    rounds = sorted(a.wall / b.wall for a, b in zip(over, under, strict=True))
    return f"rounds {rounds[0]:.2f} to {rounds[-1]:.2f}; processor time {ratio(over, under, 'cpu'):.2f}"


def main(
    measure: Callable[[bool], Iterable[Figure]],
    full: Callable[[], Iterable[Figure]] | None = None,
    *,
    needs_data: bool = True,
) -> None:
    """Runs one benchmark from the command line: prints its figures as they come, as rows of a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it runs, and no more")
    if full is not None:
        parser.add_argument("--full", action="store_true", help="all that is worth an hour or more")
    wanted = parser.parse_args()
    if needs_data:
        data.need()
    table(full() if full is not None and wanted.full else measure(wanted.quick))


def table(found: Iterable[Figure]) -> None:
    """Prints figures as they come, as rows of a table."""
    print(f"\n{Path(sys.argv[0]).stem}: {_machine()}\n\n| what | measured | target | |\n|---|---|---|---|", flush=True)
    for figure in found:
        print(figure, flush=True)
    print(f"\nload average at the end: {os.getloadavg()[0]:.1f}", flush=True)


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    load = os.getloadavg()[0]
    return f"{date.today()}, {len(os.sched_getaffinity(0))} cores of {cpu}, load average {load:.1f} at the start"
