"""ZOO beside our C&W on the papers' network, from the same images to the same targets: how near, for how many rows.

    python -m benchmarks.zoo [--quick | --full]

As the first outer step of the paper, one constant and Adam on 128 coordinates, 257 rows a step; in units of the sample,
in which one constant does for all, and in 1,000 steps at most instead of 3,000. `--full` takes the paper's preset, all
nine constants, on images and targets enough for the survey's table. What an image was answered is kept under `.bench/`,
so that a run that was stopped goes on where it was.
"""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import data, figures
from benchmarks.figures import Figure
from benchmarks.kept import kept, our_code
from benchmarks.sides import Side
from workers.supervisor.runner_process import ENVIRONMENT

NET = "mnist_cw7"
SURVEY = "98.9 % and 1.987"  # ZOO, targeted, in the survey's table: success, and mean l2 over successes
STEP = {
    "optimizer": "adam",
    "steps": 1000,
    "search_steps": 1,
    "constant": 10.0,
    "learning_rate": 0.5,
    "last_rate": 0.02,
    "looks": 0,
}


@dataclass(frozen=True)
class Size:
    images: int
    targets: int
    params: dict[str, Any]


QUICK = Size(1, 1, STEP | {"steps": 5})
USUAL = Size(10, 1, STEP)
FULL = Size(100, 9, {"preset": "paper"})


def measure(quick: bool) -> Iterator[Figure]:
    yield from _measure(QUICK if quick else USUAL)


def full() -> Iterator[Figure]:
    yield from _measure(FULL)


def _measure(size: Size) -> Iterator[Figure]:
    aims = _aims(size)
    with Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours:
        zoo, cw = ([_asked(ours, aim, *how) for aim in aims] for how in (("zoo", size.params), ("carlini_wagner", {})))
        quick = [_asked(ours, aim, "zoo", {}) for aim in aims[: USUAL.images]]
    found = [answer["l2"] for answer in zoo if answer["found"]]
    how = f"{size.images} images x {size.targets} targets of {NET}, scores only"
    yield figures.at_least(f"ZOO targeted, {how}: success", len(found) / len(zoo), 1.0)
    yield Figure("its rows an image", f"{statistics.fmean(answer['queries'] for answer in zoo):,.0f}")
    both = [(a["l2"], b["l2"]) for a, b in zip(zoo, cw, strict=True) if a["found"] and b["found"]]
    if both:
        mine, white = (statistics.fmean(side) for side in zip(*both, strict=True))
        what = f"mean l2 over our C&W's with gradients, same images and targets ({mine:.4f} and {white:.4f})"
        yield figures.at_most(what, mine / white, 1.05, "{:.4f}")
    told = f"{len(found) / len(zoo):.1%} and {statistics.fmean(found):.4f}" if found else "none"
    yield Figure(f"success and mean l2; the survey has {SURVEY} (9 constants, other images and targets)", told)
    near = [answer["l2"] for answer in quick if answer["found"]]
    rows = statistics.fmean(answer["queries"] for answer in quick)
    shown = f"{len(near)} of {len(quick)}, mean l2 {statistics.fmean(near):.4f}" if near else f"0 of {len(quick)}"
    yield Figure(f"the same by our default, {rows:,.0f} rows an image", shown)


def _aims(size: Size) -> list[tuple[int, int]]:
    """Each of the first images once for each target: classes drawn at random beside the image's own label."""
    rng = np.random.default_rng(0)
    labels = data.labels(size.images).tolist()
    drawn = [rng.permutation(np.delete(np.arange(10), label))[: size.targets].tolist() for label in labels]
    return [(image, target) for image, targets in enumerate(drawn) for target in targets]


def _asked(ours: Side, aim: tuple[int, int], name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Asks our side about one image: {"found", "l2", "queries"}, and what else it tells."""
    question = {"images": [aim[0]], "targets": [aim[1]], "name": name, "params": params, "norm": "l2", "net": NET}
    (answer,) = kept(question, our_code(), lambda: ours.ask("shown", **question).value)
    assert isinstance(answer, dict)
    return answer


if __name__ == "__main__":
    figures.main(measure, full)
