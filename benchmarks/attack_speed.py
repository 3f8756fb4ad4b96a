"""How many gradients a second an attack gets through the driver, beside a bare torch loop at its best batch.

    python -m benchmarks.attack_speed [--quick]

The attack is fmn in l2, a gradient a step, on 64 images at once; the loop steps along the gradient of the same margin
and does nothing else: no projection, no box, no look at who is adversarial, no counting. The sides take turns, with as
many threads each; the loop's best batch is the one that took the least processor time in its first turn. Processor
time is what a busy machine leaves comparable, so it decides.
"""

import os
from collections.abc import Iterator

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.sides import Answer, Side
from workers.supervisor.runner_process import ENVIRONMENT

SHARE = 0.8  # of the loop's gradients a second, wanted
BATCHES = (16, 32, 64)
ROUNDS = 5
NETS = ("mnist_cw7", "mnist_cnn_a_adv")


def measure(quick: bool) -> Iterator[Figure]:
    images, steps = list(range(4 if quick else 64)), 4 if quick else 40
    cores = len(os.sched_getaffinity(0))
    bare = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    with (
        Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours,
        Side("benchmarks.side_torch", environment=bare) as theirs,
    ):
        for net in NETS[:1] if quick else NETS:
            attack = {"net": net, "images": images, "name": "fmn", "params": {"steps": steps}, "norm": "l2"}
            loop = {"net": net, "images": images, "slices": cores}
            ours.ask("audit", **attack)  # opens the model
            tried = {batch: theirs.ask("climbs", **loop, steps=steps, batch=batch).cpu for batch in BATCHES}
            best = min(tried, key=lambda batch: tried[batch])
            rounds: list[tuple[Answer, Answer]] = []
            for _ in range(1 if quick else ROUNDS):
                found = ours.ask("audit", **attack)
                gradients = max(row["gradients"] for row in found.value)
                rounds.append((theirs.ask("climbs", **loop, steps=gradients, batch=best), found))
            over, under = zip(*rounds, strict=True)
            share = figures.ratio(over, under, "cpu")
            what = f"`{net}`, gradients a second of processor time through the driver over those of a bare torch loop"
            yield figures.at_least(f"{what}, {best} a batch ({figures.spread(over, under)})", share, SHARE)


if __name__ == "__main__":
    figures.main(measure)
