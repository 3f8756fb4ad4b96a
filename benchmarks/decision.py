"""`decision` beside the best attacks by labels of one sample alone, in jobs over HTTP, its warm-up counted.

    python -m benchmarks.decision [--quick]

One job a method, over the first images of the test set, of which those count that a network gets right. Medians by so
many queries are those of the job's summary, in which a sample's share of the warm-up counts. Answers are kept in
.bench/, job by job.
"""

import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data, figures
from benchmarks.figures import Figure
from benchmarks.kept import kept, our_code
from brinell.client import Client
from brinell.machine.local import Installation

NETWORKS = ("mnist_cw7", "mnist_cnn_a_adv")  # the second adversarially trained
ALONE = ("surfree", "cgba", "geoda", "sign_opt", "hopskipjump")
TARGETS = {1_000: 0.8, 5_000: 0.9}  # of the best of these
IMAGES, FEW = 100, 16


def measure(quick: bool) -> Iterator[Figure]:
    images, told_at = (FEW, {1_000: 0.8}) if quick else (IMAGES, TARGETS)
    with (
        tempfile.TemporaryDirectory() as folder,
        Installation(Path(folder, "installation")) as running,
        running.client() as client,
    ):
        samples = Path(folder, "samples.npz")
        np.savez(samples, x=data.images(list(range(images))), y=data.labels(images).astype(np.int64))
        for network in NETWORKS:
            yield from _compared(client, network, samples, told_at, images)


def _compared(
    client: Client, network: str, samples: Path, told_at: Mapping[int, float], images: int
) -> Iterator[Figure]:
    ids: dict[str, str] = {}
    medians = {}
    for name in ("decision", *ALONE):
        asked = {"benchmark": "decision", "net": network, "images": images, "method": name, "queries": max(told_at)}
        medians[name] = kept(asked, our_code(), partial(_job, client, ids, network, samples, name, max(told_at)))
    for queries, target in told_at.items():
        reached = {name: by[str(queries)] for name, by in medians.items()}
        best = min(ALONE, key=lambda name: reached[name] or np.inf)
        yield Figure(
            f"{network}, {images} images, median l2 by {queries} queries, seed 0",
            ", ".join(f"{name} {away:.3f}" for name, away in reached.items() if away),
        )
        yield figures.at_most(
            f"{network}: `decision` over the best alone, `{best}`, by {queries} queries",
            reached["decision"] / reached[best],
            target,
        )


def _job(client: Client, ids: dict[str, str], network: str, samples: Path, name: str, queries: int) -> Any:
    """The median distances by numbers of queries. Uploads come with the first job that is not kept."""
    if not ids:
        ids["model_id"] = client.upload_model(data.network(network))["id"]
        ids["samples_id"] = client.upload_samples(samples)["id"]
    created = client.create_job(
        {
            **ids,
            "method": {"name": name},
            "threat": {"norm": "l2", "box": [0, 1]},
            "budget": {"queries_per_sample": queries},
            "seed": 0,
        }
    )
    ended = client.wait_for_job(created["id"])
    if ended["summary"] is None:
        raise RuntimeError(f"the job ended as {ended['state']}")
    return ended["summary"]["distance_at_queries"]


if __name__ == "__main__":
    figures.main(measure)
