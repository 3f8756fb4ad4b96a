"""`crown` and `intervals` on 100 images in one question, and on the same images one by one.

    python -m benchmarks.crown_batching [--quick]

Both ask the model's bounds directly, at one radius, in the same process and in turn. The answers must be the same to
the bit: passes have one fixed size, which a single image leaves mostly empty. Set OMP_NUM_THREADS=1.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from algorithms.mathematics.norms import Norm
from algorithms.seam.questions.margins import Region, Relaxation
from algorithms.threats.threat import Threat
from benchmarks import data, figures
from benchmarks.figures import Figure
from models.onnx.bounds.bounder import Bounder, bounder
from models.onnx.network import read

NET = "mnist_cnn_a_adv"
RADII = (0.05, 0.1)  # linf; it was trained against 0.3
WANTED = 5.0  # times faster together

Bounds = NDArray[np.float64]


def measure(quick: bool) -> Iterator[Figure]:
    network = read(onnx.load_from_string(data.network(NET).read_bytes()), None)
    rows = data.images(list(range(8 if quick else 100)))
    labels = network.session().ask(rows, str(network.rebuilt.scores)).argmax(axis=1)
    bounds, rounds = bounder(network, "cpu"), 1 if quick else 3
    for radius in RADII:
        yield from _compared(bounds, rows, labels, Question(radius, "crown"), rounds)
        yield from _compared(bounds, rows, labels, Question(radius, "intervals"), rounds)


@dataclass(frozen=True)
class Question:
    """A question is one linf radius for all rows, all rivals."""

    radius: float
    relaxation: Relaxation

    def __str__(self) -> str:
        return f"`{self.relaxation}` linf {self.radius:g}"

    def ask(self, bounds: Bounder, rows: NDArray[np.float32], labels: NDArray[np.int64]) -> Bounds:
        rivals = (labels[:, None] + np.arange(1, 10)) % 10
        region = Region(rows, np.full(len(rows), self.radius), Threat(Norm.LINF))
        return bounds.margins(region, labels, rivals, self.relaxation)


def _compared(
    bounds: Bounder,
    rows: NDArray[np.float32],
    labels: NDArray[np.int64],
    question: Question,
    rounds: int,
) -> Iterator[Figure]:
    def together() -> Bounds:
        return question.ask(bounds, rows, labels)

    def alone() -> Bounds:
        return np.concatenate([question.ask(bounds, rows[[i]], labels[[i]]) for i in range(len(rows))])

    question.ask(bounds, rows[:1], labels[:1])  # what is found once is found before the clock starts
    pairs = [(_timed(together), _timed(alone)) for _ in range(rounds)]
    if not all(np.array_equal(a[1], b[1]) for a, b in pairs):
        raise SystemExit(f"{question}: company changes the numbers")
    ratios = [b[0] / a[0] for a, b in pairs]
    proven = (pairs[0][0][1] > 0).all(axis=1).mean()
    what = f"{question}: one by one over {len(rows)} in one batch, {proven:.0%} proven"
    ratio = statistics.median(ratios)
    yield figures.at_least(what, ratio, WANTED) if question.relaxation == "crown" else Figure(what, f"{ratio:.2f}")
    best = min(a[0] for a, _ in pairs) / len(rows)
    yield Figure(f"{question}: milliseconds an image, in company, at best", f"{1000 * best:.1f}")


def _timed(work: Callable[[], Bounds]) -> tuple[float, Bounds]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


if __name__ == "__main__":
    figures.main(measure)
