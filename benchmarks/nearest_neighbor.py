"""The exact radius of a 1-nearest-neighbor model against one quadratic program for every point of another class.

    python -m benchmarks.nearest_neighbor [--points 2000] [--samples 10] [--brute 2]

Brute force solves each program as a problem of least distance by scipy's compiled non-negative least squares, with
all points of the own class and both sides of the box as constraints: faster than a general solver, and as exact. Both
take the same samples in turn; brute force only the first few. Set OMP_NUM_THREADS=1. Data: scikit-learn's digits, and
the pen-written ones of BRINELL_BENCH_DATA where it exists.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from algorithms.certificates.nearest_neighbor.certificate import NearestNeighborParams
from algorithms.driver.running import Samples, run
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.questions.neighbors import Neighbors
from algorithms.threats.threat import Threat
from benchmarks.data import FOLDER
from models.neighbors.classifier import NeighborClassifier
from tests.nearest import exact_radius

Data = tuple[str, NDArray[np.float64], NDArray[np.int64]]


def sets() -> Iterator[Data]:
    """(name, x in [0, 1] (n, d), y (n,)), shuffled alike every time."""
    x, y = load_digits(return_X_y=True)
    yield _shuffled("digits, 64 features", x / 16, y)
    pen = FOLDER / "tabular" / "penbased.npz"
    if pen.is_file():
        with np.load(pen) as npz:
            yield _shuffled("penbased, 16 features", npz["x"] / npz["x"].max(), npz["y"])


def _shuffled(name: str, x: NDArray[Any], y: NDArray[Any]) -> Data:
    order = np.random.default_rng(0).permutation(len(x))
    return name, x[order].astype(np.float64), y[order].astype(np.int64)


def measure(name: str, x: NDArray[np.float64], y: NDArray[np.int64], options: argparse.Namespace) -> None:
    points = min(options.points, len(x) - options.samples)
    model = NeighborClassifier(Neighbors(x[:points], y[:points], 1), x.shape[1:])
    rows = x[points : points + options.samples].astype(np.float32)
    ours: list[float] = []
    brute: list[float] = []
    worst = 0.0
    for row in rows:
        label = int(model.labels(row[None])[0])
        seconds, value = _timed(partial(_certified, model, row, label))
        ours.append(seconds)
        if len(brute) < options.brute:
            z = row.astype(np.float64)
            seconds, true = _timed(partial(exact_radius, model.neighbors(), z, label, Threat().box))
            brute.append(seconds)
            worst = max(worst, abs(value - true) / true)
    fast, slow = statistics.median(ours), statistics.median(brute)
    print(f"{name:24} {points:6} {1000 * fast:10.1f} {1000 * slow:12.1f} {slow / fast:8.0f}x {worst:10.1e}")


def _certified(model: NeighborClassifier, row: NDArray[np.float32], label: int) -> float:
    what = Samples(row[None], (0,), np.array([label]))
    outcome = run(model, what, method("nearest_neighbor"), NearestNeighborParams(), Threat(), Budget(), seed=0)[0]
    assert outcome.finding.value is not None
    return outcome.finding.value


def _timed(call: Callable[[], float]) -> tuple[float, float]:
    started = time.perf_counter()
    value = call()
    return time.perf_counter() - started, value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--brute", type=int, default=2)
    options = parser.parse_args()
    print(f"{'':24} {'points':>6} {'ours, ms':>10} {'brute, ms':>12} {'ratio':>9} {'difference':>10}")
    for name, x, y in sets():
        measure(name, x, y, options)


if __name__ == "__main__":
    main()
