"""How far scores move from seed to seed, and how well they rank: CLEVER, its plain maximum, `steepest`, in l2.

    python -m benchmarks.clever_repeatability [--minutes 28] [--full]

Ten images of each network with ten seeds for the variation, and one seed on 100 digits and 50 MNIST images for the
rank correlation with the best distance known, that of `pgd`. Every score is noted in .bench/ as it comes. When the time
is over, what is there is told, and of how much; the next call goes on from there, and --full goes on to the end.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.driver.running import Samples, run
from algorithms.method import Budget, Method
from algorithms.registry import METHODS, version
from algorithms.seam.access import Model
from algorithms.threats.threat import Threat
from benchmarks import data, side_ours

NOTED = Path(".bench") / "clever_repeatability.jsonl"
DIGITS = Path(__file__).parents[1] / "examples" / "digits"
IMAGES, SEEDS = 10, 10
FIRST, REFERENCE = "clever@1", "pgd@1"
REFERENCE_PARAMS = {"steps": 50, "restarts": 3, "search_steps": 12}
SCORES = tuple(m.pinned for m in METHODS if m.name in ("clever", "steepest"))

Key = tuple[str, str, int, int]  # network, method, image, seed
Notes = dict[Key, dict[str, Any]]


@dataclass(frozen=True)
class Subject:
    """A subject is a network with the images it is tried on; `ranked` of them for the rank correlation."""

    name: str
    file: Path
    rows: Callable[[], NDArray[np.float32]]
    ranked: int


def subjects() -> tuple[Subject, ...]:
    return (
        Subject("digits", DIGITS / "model.onnx", _digits, 100),
        Subject("mnist_cw7", data.network("mnist_cw7"), lambda: data.images(list(range(50))), 50),
        Subject("cifar_cnn_a_adv", data.network("cifar_cnn_a_adv"), _cifar, 0),
    )


def _digits() -> NDArray[np.float32]:
    with np.load(DIGITS / "samples.npz") as npz:
        return np.asarray(npz["x"][:100], np.float32)


def _cifar() -> NDArray[np.float32]:
    with np.load(data.FOLDER / "cifar10" / "cifar10_test_subset.npz") as npz:
        pixels = next(npz[name] for name in npz.files if npz[name].ndim == 4)
    return np.asarray(pixels[:IMAGES].transpose(0, 3, 1, 2), np.float32) / np.float32(255)


def wanted(full: bool) -> Iterator[Key]:
    """The cheapest and most telling first; seeds outermost, so that whatever is there is even over the images."""
    for subject in subjects():
        first = (FIRST,) if full or subject.name == "digits" else ()
        for seed in range(SEEDS):
            for pinned in (*SCORES, *first):
                yield from ((subject.name, pinned, image, seed) for image in range(IMAGES))
        for pinned in (REFERENCE, *SCORES):
            yield from ((subject.name, pinned, image, 0) for image in range(subject.ranked))


@cache
def _model(name: str) -> tuple[Model, NDArray[np.float32]]:
    subject = next(s for s in subjects() if s.name == name)
    return side_ours.opened(subject.file), subject.rows()


def measured(key: Key) -> dict[str, Any]:
    """One finding: the sample's label is what the model says."""
    net, pinned, image, seed = key
    model, rows = _model(net)
    method: Method = version(pinned)
    params = method.params.model_validate({"name": method.name, **(REFERENCE_PARAMS if pinned == REFERENCE else {})})
    samples = Samples(rows[image : image + 1], (image,), None)
    started = time.process_time()
    finding = run(model, samples, method, params, Threat(), Budget(None), seed=seed)[0].finding
    return {
        "value": finding.value,
        "gradients": finding.gradients,
        "seconds": time.process_time() - started,
        "status": finding.details.get("status"),
        "plain": finding.details.get("max_sample_score"),
    }


def noted() -> Notes:
    lines = NOTED.read_text().splitlines() if NOTED.is_file() else []
    return {tuple(line["key"]): line for line in map(json.loads, lines)}


def measure(until: float, full: bool) -> Notes:
    notes = noted()
    NOTED.parent.mkdir(exist_ok=True)
    with NOTED.open("a") as file:
        for key in wanted(full):
            if key in notes:
                continue
            if time.monotonic() > until:
                break
            notes[key] = {"key": key, **measured(key)}
            print(json.dumps(notes[key]), file=file, flush=True)
    return notes


def told(notes: Notes) -> Iterator[str]:
    for subject in subjects():
        for pinned in (FIRST, *SCORES):
            fields = ("value", "plain") if pinned.startswith("clever") else ("value",)
            yield from (_variation(notes, subject.name, pinned, field) for field in fields)
    for subject in subjects():
        for pinned in SCORES if subject.ranked else ():
            fields = ("value", "plain") if pinned.startswith("clever") else ("value",)
            yield from (_ranking(notes, subject, pinned, field) for field in fields)


def _variation(notes: Notes, net: str, pinned: str, field: str) -> str:
    """The coefficient of variation over seeds, image by image; images whose status moves; cost of a score."""
    lines = [[notes[k] for s in range(SEEDS) if (k := (net, pinned, i, s)) in notes] for i in range(IMAGES)]
    lines = [[line for line in image if line[field] is not None] for image in lines]
    lines = [image for image in lines if len(image) > 1]
    if not lines:
        return f"| {net} | {pinned} {field} | nothing yet | | | |"
    values = [np.array([line[field] for line in image]) for image in lines]
    spread = np.array([100 * v.std(ddof=1) / v.mean() for v in values])
    moving = sum(len({line["status"] for line in image}) > 1 for image in lines)
    every = [line for image in lines for line in image]
    cost = f"{np.mean([x['gradients'] for x in every]):.0f} gradients, {np.mean([x['seconds'] for x in every]):.1f} s"
    seeds = sorted({len(image) for image in lines})
    return (
        f"| {net} | {pinned} {field} | {np.median(spread):.1f} | {spread.max():.1f} | "
        f"{moving} of {len(lines)} | {cost}; seeds {seeds[0]} to {seeds[-1]} |"
    )


def _ranking(notes: Notes, subject: Subject, pinned: str, field: str) -> str:
    """Spearman's rho with the best distance known, and its 95 % interval (Bonett and Wright 2000)."""
    from scipy.stats import spearmanr

    pairs = []
    for i in range(subject.ranked):
        score, found = (notes.get((subject.name, one, i, 0)) for one in (pinned, REFERENCE))
        if score and found and score[field] is not None and found["value"] is not None:
            pairs.append((score[field], found["value"]))
    if len(pairs) < 5:
        return f"rank correlation, {subject.name}, {pinned} {field}: nothing yet"
    scores, best = np.array(pairs).T
    rho = float(spearmanr(scores, best).statistic)
    width = 1.96 * np.sqrt((1 + rho**2 / 2) / (len(pairs) - 3))
    low, high = np.tanh(np.arctanh(rho) - width), np.tanh(np.arctanh(rho) + width)
    return (
        f"rank correlation, {subject.name}, {pinned} {field}: {rho:.3f} ({low:.3f} to {high:.3f}), "
        f"{len(pairs)} images; above the distance on {np.mean(scores > best):.0%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=28)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    data.need()
    notes = measure(np.inf if options.full else time.monotonic() + 60 * options.minutes, options.full)
    print("| network | score | variation, median % | at worst % | status moves | cost |\n|---|---|---|---|---|---|")
    print("\n".join(told(notes)))
    left = sum(key not in notes for key in wanted(options.full))
    print(f"{left} scores are left to measure: call again" if left else "complete")


if __name__ == "__main__":
    main()
