"""How many cores CLEVER, CROWN and PGD keep busy, and how much of their work others may have to wait for.

    python -m benchmarks.cores [--quick]

A job of as many samples as a worker of 16 cores takes at a time (of more, where there are more), in the environment of
a runner. Cores kept busy are processor time over time, which only a quiet machine shows. The share is of processor
time, spent by the threads that work alone (the driver's, and those that bounds go forward by; all else is shared by as
many threads as there are cores, or half as many): so it shows on two cores, busy ones too, what 16 would wait for. No
more than a sixteenth is wanted of it.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from algorithms.registry import method
from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.sides import Side
from workers.supervisor.runner_process import ENVIRONMENT

SHARE = 1 / 16
BUSY = 3 / 4  # of the cores
CW7, CNN_A = "mnist_cw7", "mnist_cnn_a_adv"


@dataclass(frozen=True)
class Job:
    name: str
    net: str
    norm: str
    params: dict[str, Any]
    most: int  # samples: more would take minutes

    def samples(self, cores: int) -> int:
        """Counts the samples that a worker of so many cores takes at a time."""
        row = method(self.name)
        return min(self.most, row.chunk * min(row.chunks_at_once, max(1, cores // 2)))


JOBS = (
    Job("clever", CW7, "l2", {"batches": 20}, most=16),
    Job("clever", CNN_A, "linf", {"batches": 20}, most=16),
    Job("crown", CNN_A, "linf", {}, most=64),
    Job("crown", CNN_A, "l2", {}, most=32),
    Job("pgd", CW7, "l2", {"steps": 20, "search_steps": 3}, most=512),
    Job("pgd", CNN_A, "linf", {"steps": 20, "search_steps": 3}, most=512),
)


def measure(quick: bool) -> Iterator[Figure]:
    cores = len(os.sched_getaffinity(0))
    with Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours:
        as_many = max(16, cores)
        for job in JOBS[:1] if quick else JOBS:
            images = list(range(2 if quick else job.samples(as_many)))
            params = {"batches": 2} if quick else job.params
            asked = {"net": job.net, "name": job.name, "norm": job.norm, "params": params, "groups": as_many // 2}
            ours.ask("accounted", **asked, images=images[:1])  # opens the model
            answer = ours.ask("accounted", **asked, images=images)
            what = f"`{job.name}` {job.norm}, {len(images)} samples of `{job.net}`"
            yield figures.at_least(f"{what}: cores kept busy", answer.cpu / answer.wall, BUSY * cores, "{:.1f}")
            yield figures.at_most(
                f"{what}: share of threads that work alone", answer.value / answer.cpu, SHARE, "{:.4f}"
            )


if __name__ == "__main__":
    figures.main(measure)
