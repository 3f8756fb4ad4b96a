"""A model as a runner opens it, on the device that BRINELL_DEVICE names: jobs through the driver, and parts alone."""

import time
from typing import Any, cast

import numpy as np

from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Access
from algorithms.seam.questions.margins import Bounded, Region, Relaxation
from algorithms.seam.questions.scores import Scorer
from algorithms.threats.threat import Threat
from benchmarks import data, side_ours
from benchmarks.sides import serve


def about(net: str) -> dict[str, str]:
    """Opens the model, and says what it is computed with."""
    return dict(side_ours.model(net).computed_with())


def job(net: str, count: int, name: str, params: dict[str, Any], norm: str, queries: int | None = None) -> list[float]:
    """Runs a job, and returns the queries and the gradients that it asked for, and the seconds that it took."""
    began = time.perf_counter()
    found = side_ours.audit(net, [i % 300 for i in range(count)], name, params, norm, queries=queries)
    seconds = time.perf_counter() - began
    return [sum(each["queries"] for each in found), sum(each["gradients"] for each in found), seconds]


def gradients(net: str, count: int) -> float:
    """Measures rows a second of one question, once it has been asked before."""
    rows = data.samples(net, [i % 300 for i in range(count)])
    part = side_ours.model(net).offers[Access.GRADIENTS]

    def ask() -> None:
        part.gradients(rows, lambda scores, _positions: np.ones_like(np.asarray(scores)))

    return count / _seconds(ask)


def scores(net: str, count: int) -> float:
    """Measures rows a second of one question, once it has been asked before."""
    rows, scorer = data.samples(net, [i % 300 for i in range(count)]), cast(Scorer, side_ours.model(net))
    return count / _seconds(lambda: scorer.scores(rows))


def margins(net: str, count: int, radius: float, relaxation: Relaxation) -> float:
    """Measures images a second of one question about a linf ball around each, once it has been asked before."""
    rows, model = data.samples(net, list(range(count))), side_ours.model(net)
    labels = cast(Scorer, model).scores(rows).argmax(axis=1)
    rivals = (labels[:, None] + np.arange(1, model.classes)) % model.classes
    region = Region(rows, np.full(count, radius), Threat(Norm.LINF))
    bounded: Bounded = model.offers[Access.BOUNDS]
    return count / _seconds(lambda: bounded.margins(region, labels, rivals, relaxation))


def _seconds(work: Any) -> float:
    """The faster of two, after one that does not count."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken[1:])


if __name__ == "__main__":
    serve({"about": about, "job": job, "gradients": gradients, "scores": scores, "margins": margins})
