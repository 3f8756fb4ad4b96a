"""Attacks on images of 224 x 224 x 3: rows a second through the driver over the session alone, and the memory it takes.

    python -m benchmarks.large_inputs [--quick]

The network is a small convolutional one with random weights (`benchmarks/large_network.py`), so no data are needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import figures
from benchmarks.data import LARGE
from benchmarks.figures import Figure
from benchmarks.sides import Answer, Side
from workers.supervisor.runner_process import ENVIRONMENT

ROWS = 50  # a batch of the session alone: what a beat holds
TARGET = 0.75


@dataclass(frozen=True)
class Job:
    name: str
    norm: str
    images: int  # as many as a chunk has
    queries: int  # of each
    target: float | None = TARGET


JOBS = (
    Job("hopskipjump", "l2", 25, 200),
    Job("hopskipjump", "linf", 25, 200),
    Job("square", "l2", 100, 50),
    Job("square", "linf", 100, 50),
    Job("noise", "l2", 100, 50, target=None),
    Job("smoothing", "l2", 4, 1001, target=None),
)


def measure(quick: bool) -> Iterator[Figure]:
    for job in JOBS:
        with Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours:
            yield from over_raw(ours, job, images=2 if quick else job.images, rounds=1 if quick else 5)


def over_raw(ours: Side, job: Job, *, images: int, rounds: int) -> Iterator[Figure]:
    """The first round opens the model and is not counted."""
    asked = {"net": LARGE, "images": list(range(images)), "name": job.name, "norm": job.norm}
    params = {"n": job.queries - 101, "n0": 100} if job.name == "smoothing" else {}
    calls = max(1, images * job.queries // ROWS)
    driven: list[Answer] = []
    raw: list[Answer] = []
    for _ in range(1 + rounds):
        driven.append(ours.ask("audit", **asked, params=params, queries=job.queries))
        raw.append(ours.ask("raw", net=LARGE, images=list(range(ROWS)), calls=calls))
    driven, raw = driven[1:], raw[1:]
    share = sum(finding["queries"] for finding in driven[0].value) / (ROWS * calls)
    what = (
        f"`{job.name}` {job.norm}, {images} images: rows/s through the driver over raw ({figures.spread(raw, driven)})"
    )
    found = share * figures.ratio(raw, driven)
    yield Figure(what, f"{found:.2f}") if job.target is None else figures.at_least(what, found, job.target)
    fast = sum(finding["queries"] for finding in driven[0].value) / min(a.wall for a in driven)
    yield Figure("rows/s at best, and raw", f"{fast:,.0f} and {ROWS * calls / min(a.wall for a in raw):,.0f}")
    yield Figure("the most memory resident, the model and samples included", f"{ours.ask('peak').value:,} MiB")


if __name__ == "__main__":
    figures.main(measure, needs_data=False)
