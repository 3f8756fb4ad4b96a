"""`input_free` on networks of digits and of objects: the share of classes reached from plain gray, and the queries.

    python -m benchmarks.input_free [--quick]

Every class of each network, once for each of ten seeds, 10,000 queries a class at the most: with the warm-up that
chooses the region, with a fixed region of half the image and of all of it, and with one of the share that the authors
take of an image of 299 pixels (64). The class of plain gray, which costs two queries, is counted.
"""

import statistics
from collections.abc import Iterator

import numpy as np
import onnx

from algorithms.driver.running import Samples, run
from algorithms.mathematics.statistics import clopper_pearson
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.threats.threat import Threat
from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.subjects import SUBJECTS
from models.onnx.classifier import OnnxClassifier
from models.onnx.network import read

NETWORKS = ("digits", "mnist_cw7", "cifar_cnn_a_adv")
SEEDS, QUERIES = 10, 10_000
AUTHORS = 64 / 299  # region over image


def measure(quick: bool) -> Iterator[Figure]:
    for subject in (subject for subject in SUBJECTS if subject.name in NETWORKS):
        network = read(onnx.load_from_string(subject.file.read_bytes()), None)
        model = OnnxClassifier(network, None, "cpu")
        side = model.shape[-1]
        regions = {"warm-up": None, "half": -(-side // 2), "all": side, "the authors' share": round(AUTHORS * side)}
        for called, region in regions.items():
            yield _told(subject.name, model, called, region, 1 if quick else SEEDS)


def _told(what: str, model: OnnxClassifier, called: str, region: int | None, seeds: int) -> Figure:
    row, classes = method("input_free"), model.classes
    threat = Threat(targeted="given")
    gray = np.repeat(threat.box.middle(model.shape)[None], classes, axis=0)
    samples = Samples(gray, tuple(range(classes)), labels=None, targets=np.arange(classes))
    params = row.params.model_validate({"name": row.name, "region": region})
    found = [
        outcome.finding
        for seed in range(seeds)
        for outcome in run(model, samples, row, params, threat, Budget(QUERIES), seed=seed)
    ]
    reached = [finding.value for finding in found if finding.value is not None]
    low, high = clopper_pearson(len(reached), len(found))
    every = statistics.median(finding.queries for finding in found)
    mean = statistics.fmean(finding.queries if finding.value is not None else QUERIES for finding in found)
    told = f"{what}, {classes} classes x {seeds} seeds, region {called}: reached; queries of all, median and mean"
    return Figure(told, f"{len(reached) / len(found):.1%} ({low:.1%} to {high:.1%}); {every:.0f}, {mean:.0f}")


if __name__ == "__main__":
    figures.main(measure)
