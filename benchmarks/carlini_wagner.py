"""The attacks of Carlini & Wagner, EAD and Frank-Wolfe on the papers' network, beside adv-lib and beside `pgd`.

    python -m benchmarks.carlini_wagner [--quick | --full]

C&W as published but for the number of its steps and a rate to match, ours and adv-lib's alike: the same images,
targets, constants and iterations. What was answered once is kept under `.bench/`. `--full` takes the paper's rate and
1,000 steps a constant.
"""

import json
import math
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data, figures, peers
from benchmarks.figures import Figure
from benchmarks.kept import kept, our_code
from benchmarks.sides import Side
from workers.supervisor.runner_process import ENVIRONMENT

NET = "mnist_cw7"
ADV_LIB = "adv-lib 0.2.8"
ZOO_TARGETED, OPT_UNTARGETED = 2.00661, 1.4178  # mean l2 of C&W in the survey's tables
TOGETHER = 12  # samples of one question: what is kept, and lost, at a time


@dataclass(frozen=True)
class Size:
    images: int
    targets: int
    steps: int  # of C&W for each constant
    learning_rate: float
    constants: int


QUICK = Size(2, 1, 20, 0.3, 4)
USUAL = Size(20, 3, 100, 0.1, 9)
FULL = Size(20, 3, 1000, 0.01, 9)


def measure(quick: bool) -> Iterator[Figure]:
    yield from _measure(QUICK if quick else USUAL)


def full() -> Iterator[Figure]:
    yield from _measure(FULL)


def _measure(size: Size) -> Iterator[Figure]:
    images, targets = _aims(size)
    with Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours:
        published = {
            "preset": "paper",
            "steps": size.steps,
            "learning_rate": size.learning_rate,
            "search_steps": size.constants,
        }
        mine = _asked(ours, images, targets, "carlini_wagner", published, "l2")
        with peers.side("benchmarks.side_adv_lib") as theirs:
            other = _adv_lib(theirs, images, targets, size)
        yield from _beside_adv_lib(mine, other, size)
        quick = _asked(ours, images, targets, "carlini_wagner", {}, "l2")
        yield Figure("the same by our default (at most 900 steps)", _means(quick))
        free = _asked(ours, images[:: size.targets], None, "carlini_wagner", {}, "l2")
        what = f"untargeted, our default; the survey has {OPT_UNTARGETED} (other images, success as they had it)"
        yield Figure(what, _means(free))
        yield from _elastic_net(ours, images, targets, quick)
        yield from _frank_wolfe(ours, images[:: size.targets])


def _aims(size: Size) -> tuple[list[int], list[int]]:
    """Each of the first images once for each target: classes drawn at random beside the image's own label."""
    rng = np.random.default_rng(0)
    labels = data.labels(size.images)
    images = [i for i in range(size.images) for _ in range(size.targets)]
    targets = [
        int(t) for label in labels.tolist() for t in rng.permutation(np.delete(np.arange(10), label))[: size.targets]
    ]
    return images, targets


def _asked(
    ours: Side, images: list[int], targets: list[int] | None, name: str, params: dict[str, Any], norm: str, **more: Any
) -> list[dict[str, Any]]:
    """Asks our side a few samples at a time: {"found", "l1", "l2", "before", "details"} each."""
    answers: list[dict[str, Any]] = []
    for start in range(0, len(images), TOGETHER):
        part = slice(start, start + TOGETHER)
        aims = None if targets is None else targets[part]
        question = {"images": images[part], "targets": aims, "name": name, "params": params, "norm": norm, **more}

        def ask(question: dict[str, Any] = question) -> Any:
            return ours.ask("shown", net=NET, **question).value

        answers += kept(question | {"net": NET}, our_code(), ask)
    return answers


def _adv_lib(theirs: Side, images: list[int], targets: list[int], size: Size) -> list[float | None]:
    found: list[float | None] = []
    for start in range(0, len(images), TOGETHER):
        part = slice(start, start + TOGETHER)
        settings = {
            "max_iterations": size.steps,
            "learning_rate": size.learning_rate,
            "binary_search_steps": size.constants,
        }
        question = {"images": images[part], "targets": targets[part], **settings}

        def ask(question: dict[str, Any] = question, settings: dict[str, Any] = settings) -> Any:
            with tempfile.TemporaryDirectory() as folder:
                rows = Path(folder) / "rows.npy"
                np.save(rows, data.images(question["images"]))
                asked = {"file": str(data.network(NET)), "rows": str(rows), "targets": question["targets"]}
                return theirs.ask("carlini_wagner_l2", **asked, settings=settings).value

        found += kept(question | {"net": NET}, ADV_LIB, ask)
    return found


def _beside_adv_lib(mine: list[dict[str, Any]], other: list[float | None], size: Size) -> Iterator[Figure]:
    how = (
        f"{size.images} images x {size.targets} targets, {size.constants} x {size.steps} steps at {size.learning_rate}"
    )
    both = [(a["l2"], b) for a, b in zip(mine, other, strict=True) if a["found"] and b is not None]
    yield figures.at_least(f"C&W l2 as published, {how}: success", sum(a["found"] for a in mine) / len(mine), 1.0)
    yield Figure("adv-lib's success", f"{sum(b is not None for b in other) / len(other):.2f}")
    if both:
        ours, theirs = (statistics.fmean(side) for side in zip(*both, strict=True))
        yield figures.at_most(f"mean l2 over adv-lib's ({ours:.4f} and {theirs:.4f})", ours / theirs, 1.02, "{:.4f}")
    what = f"mean l2; the survey has {ZOO_TARGETED} (9 x 1,000 steps or more, other images and targets)"
    yield Figure(what, _means(mine))


def _elastic_net(ours: Side, images: list[int], targets: list[int], cw: list[dict[str, Any]]) -> Iterator[Figure]:
    ead = _asked(ours, images, targets, "elastic_net", {}, "l1")
    both = [(a["l1"], b["l1"]) for a, b in zip(ead, cw, strict=True) if a["found"] and b["found"]]
    mean, others = (statistics.fmean(side) for side in zip(*both, strict=True))
    yield Figure("EAD's success, same images and targets", f"{sum(a['found'] for a in ead) / len(ead):.2f}")
    yield figures.at_most(f"EAD's mean l1 over C&W's ({mean:.2f} and {others:.2f})", mean / others, 0.8)


def _frank_wolfe(ours: Side, images: list[int]) -> Iterator[Figure]:
    epsilon = 0.3
    fw = _asked(ours, images, None, "frank_wolfe", {}, "linf", epsilon=epsilon)
    pgd = _asked(ours, images, None, "pgd", {}, "linf", epsilon=epsilon)
    rates = [sum(a["found"] for a in side) / len(side) for side in (fw, pgd)]
    before = [statistics.fmean(a["before"] for a in side if a["found"]) for side in (fw, pgd)]
    what = f"Frank-Wolfe's linf before any pull-back over `pgd`'s, epsilon {epsilon}"
    shown = f"{before[0]:.4f} and {before[1]:.4f}, success {rates[0]:.2f} and {rates[1]:.2f}"
    yield figures.at_most(f"{what} ({shown})", before[0] / before[1], 1.0)
    lengths, gaps = (10, 40, 160), []
    for steps in lengths:
        params = {"steps": steps, "step_size": 1 / math.sqrt(steps), "momentum": 0.0}
        runs = _asked(ours, images, None, "frank_wolfe", params, "l2", epsilon=0.5)
        gaps.append(statistics.fmean(a["details"]["frank_wolfe_gap"] for a in runs))
    slope = np.polyfit(np.log(lengths), np.log(gaps), 1)[0]
    told = json.dumps([round(gap, 6) for gap in gaps])
    yield figures.at_most(f"slope of log gap over log T, T {lengths}, gamma 1/sqrt T, l2 0.5 ({told})", slope, -0.5)


def _means(found: list[dict[str, Any]]) -> str:
    l2 = [a["l2"] for a in found if a["found"]]
    return f"{statistics.fmean(l2):.4f} (success {len(l2) / len(found):.2f})"


if __name__ == "__main__":
    figures.main(measure, full)
