"""`alpha_crown` beside `crown`: what both prove of competition instances, and 100 images in one question or one by one.

    python -m benchmarks.alpha_crown [--quick]

The instances are those of two networks of VNN-COMP 2022's mnist_fc, each a box and a label. The reference is what
auto_LiRPA 0.7.1 proves with CROWN, and with alpha-CROWN by 20 steps. Its least margins are those that we find with
intervals optimized, too: on CROWN's own intervals four of them stay far below. Set OMP_NUM_THREADS=1.
"""

import csv
import re
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from algorithms.mathematics.norms import Norm
from algorithms.seam.questions.margins import Region
from algorithms.seam.questions.optimized_margins import Ascents
from algorithms.threats.threat import Box, Threat
from benchmarks import data, figures
from benchmarks.figures import Figure
from models.onnx.bounds.bounder import Bounder, bounder
from models.onnx.network import Network, read

ANSWERS = "reference_bounds_auto_lirpa.csv"
NETS = ("onnx/mnist-net_256x2.onnx", "onnx/mnist-net_256x4.onnx")
DEFAULTS = "the defaults"
EFFORTS = {"20 steps, CROWN's intervals": Ascents(20, 0), DEFAULTS: Ascents(10, 5)}
IN_COMPANY, RADIUS = "mnist_cnn_a_adv", 0.1  # linf
WANTED = 5.0  # times faster together
BOUND = re.compile(r"\(assert \((<=|>=) X_(\d+) ([-\d.e]+)\)\)")


def measure(quick: bool) -> Iterator[Figure]:
    yield from _instances(quick)
    yield from _together(quick)


def _instances(quick: bool) -> Iterator[Figure]:
    folder = data.FOLDER / "verification" / "mnist_fc"
    with (folder / ANSWERS).open() as file:
        rows = [row for row in csv.DictReader(file) if row["onnx"] in NETS][:: 15 if quick else 1]
    proven = {"crown": 0, **dict.fromkeys(EFFORTS, 0)}
    seconds, wrong = dict.fromkeys(EFFORTS, 0.0), 0
    for row in rows:
        bounds, network = _opened(folder / row["onnx"])
        question = _question(folder / row["vnnlib"], int(row["label"]), network)
        found = {"crown": bounds.margins(*question, "crown")}
        for name, ascents in EFFORTS.items():
            start = time.process_time()
            found[name] = bounds.optimized_margins(*question, ascents, (None,)).bounds
            seconds[name] += time.process_time() - start
        for name, margins in found.items():
            holds = bool((margins > 0).all())
            proven[name] += holds
            wrong += holds and row["consensus"] == "sat"
    theirs = {way: sum(float(row[f"{way}_min_margin_lb"]) > 0 for row in rows) for way in ("crown", "alpha_crown")}
    yield figures.at_most("proofs of what is refuted by a witness", wrong, 0, "{:.0f}")
    yield figures.at_least(f"`crown`: proven of {len(rows)}", proven["crown"], theirs["crown"], "{:.0f}")
    for name in EFFORTS:
        what, count = f"`alpha_crown`, {name}: proven of {len(rows)}", proven[name]
        wanted = figures.at_least(what, count, theirs["alpha_crown"], "{:.0f}")
        yield wanted if name == DEFAULTS else Figure(what, str(count))
        yield Figure(f"`alpha_crown`, {name}: processor seconds an instance, alone", f"{seconds[name] / len(rows):.2f}")


@cache
def _opened(path: Path) -> tuple[Bounder, Network]:
    network = read(onnx.load_from_string(path.read_bytes()), None)
    return bounder(network, "cpu"), network


def _question(path: Path, label: int, network: Network) -> tuple[Region, NDArray[np.int64], NDArray[np.int64]]:
    """The box of a property as a region, and the label against all others."""
    ends = {"<=": np.zeros(network.input.shape, np.float32), ">=": np.zeros(network.input.shape, np.float32)}
    for side, index, value in BOUND.findall(path.read_text()):
        ends[side].flat[int(index)] = float(value)
    middle = ((ends["<="].astype(np.float64) + ends[">="]) / 2).astype(np.float32)[None]
    region = Region(middle, np.ones(1), Threat(Norm.LINF, Box(ends[">="], ends["<="])))
    return region, np.array([label]), (label + np.arange(1, 10))[None] % 10


def _together(quick: bool) -> Iterator[Figure]:
    bounds, network = _opened(data.network(IN_COMPANY))
    rows = data.images(list(range(4 if quick else 100)))
    labels = network.session().ask(rows, str(network.rebuilt.scores)).argmax(axis=1)

    def asked(which: NDArray[np.int64]) -> NDArray[np.float64]:
        region = Region(rows[which], np.full(len(which), RADIUS), Threat(Norm.LINF))
        rivals = (labels[which][:, None] + np.arange(1, 10)) % 10
        return bounds.optimized_margins(region, labels[which], rivals, Ascents(10, 5), (None,) * len(which)).bounds

    every = np.arange(len(rows))
    asked(every[:1])
    start = time.process_time()
    together = asked(every)
    middle = time.process_time()
    alone = np.concatenate([asked(every[[i]]) for i in every])
    ratio = (time.process_time() - middle) / (middle - start)
    if not np.array_equal(together, alone):
        raise SystemExit("company changes the numbers")
    what = f"`alpha_crown` linf {RADIUS:g} on {IN_COMPANY}: one by one over {len(rows)} in one batch, processor time"
    yield figures.at_least(what, ratio, WANTED)


if __name__ == "__main__":
    figures.main(measure)
