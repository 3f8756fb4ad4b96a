"""This checkout beside an earlier one, in turns: the time of the same jobs, and whether they find the same to the bit.

    BRINELL_BENCH_EARLIER=FOLDER python -m benchmarks.earlier [--quick]

FOLDER is a checkout of an earlier commit in which `make test` has made the environment.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import data, figures
from benchmarks.data import TINY
from benchmarks.figures import Figure
from benchmarks.sides import Side
from workers.supervisor.runner_process import ENVIRONMENT

NET = "mnist_cw7"


@dataclass(frozen=True)
class Job:
    name: str
    norm: str
    samples: int
    params: dict[str, Any]
    queries: int | None = None
    net: str = NET


JOBS = (
    Job("square", "l2", 100, {}, queries=100),
    Job("square", "linf", 100, {}, queries=100),
    Job("hopskipjump", "l2", 100, {}, queries=300),
    Job("noise", "l2", 100, {}, queries=200),
    Job("smoothing", "l2", 10, {}),
    Job("pgd", "l2", 30, {"search_steps": 3}),
    Job("clever", "l2", 2, {"batches": 10}),
    Job("square", "l2", 1000, {}, queries=100, net=TINY),
    Job("square", "linf", 1000, {}, queries=100, net=TINY),
    Job("hopskipjump", "l2", 1000, {"initial_directions": 10}, queries=100, net=TINY),
)


def measure(quick: bool) -> Iterator[Figure]:
    if not (earlier := os.environ.get("BRINELL_BENCH_EARLIER")):
        print("Skipped: set BRINELL_BENCH_EARLIER to a checkout of an earlier commit (docs/benchmarks.md).")
        sys.exit(0)
    there = Path(earlier).resolve()
    environment = {**ENVIRONMENT, "BRINELL_BENCH_DATA": str(data.FOLDER.resolve())}
    python = str(there / ".venv" / "bin" / "python")
    with (
        Side("benchmarks.side_ours", environment=environment) as ours,
        Side("benchmarks.side_ours", environment=environment, python=python, folder=there) as theirs,
    ):
        for job in JOBS:
            yield compared(ours, theirs, job, samples=4 if quick else job.samples, rounds=1 if quick else 5)


def compared(ours: Side, theirs: Side, job: Job, *, samples: int, rounds: int) -> Figure:
    """The first round opens the model and is not counted."""
    asked = {"net": job.net, "images": list(range(samples)), "name": job.name, "params": job.params, "norm": job.norm}
    turns = [[side.ask("audit", **asked, queries=job.queries) for side in (ours, theirs)] for _ in range(1 + rounds)]
    mine, before = ([turn[i] for turn in turns[1:]] for i in range(2))
    same = "the same findings" if mine[0].value == before[0].value else "OTHER FINDINGS"
    return Figure(
        f"`{job.name}` {job.norm}, {samples} samples of `{job.net}`: our time over the earlier one's"
        f" ({figures.spread(mine, before)}; {same})",
        f"{figures.ratio(mine, before):.2f}",
    )


if __name__ == "__main__":
    figures.main(measure)
