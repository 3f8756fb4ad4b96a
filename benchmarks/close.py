"""`close` beside method by method, at equal processor time: how many brackets have ends within a tenth of each other?

    python -m benchmarks.close [--samples 12] [--seconds 0.5,2] [--nets mnist_tiny_2x20,mnist_madry_tiny,digits]

Method by method is what a recipe without it does: two attacks and CROWN on every sample, and then what is left of the
processor time in equal parts, a sample at a time, for `branch_and_bound`, which is told what they found. Both sides
have so many seconds of processor time a sample. What has been measured is kept under `.bench/` (`benchmarks/kept.py`):
a run that is stopped goes on where it was. Data: BRINELL_BENCH_DATA. Set OMP_NUM_THREADS=1.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.driver.progress import RunProgress, Stop
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Outcome
from algorithms.seam.hint import Hint
from algorithms.threats.threat import Threat
from audits.evidence.brackets import proven, reached
from benchmarks import data
from benchmarks.figures import Figure, at_least, table
from benchmarks.kept import kept, our_code
from benchmarks.side_ours import model, opened
from models.opening import OpenedModel

DIGITS = Path("examples/digits")
FIRST: tuple[tuple[str, dict[str, Any]], ...] = (
    ("fab", {"steps": 60, "towards": "leading"}),
    ("fmn", {"steps": 60}),
    ("crown", {"search_steps": 7}),
)
MOST = 10_000_000  # domains: seconds end it
CLOSED = 1.1
Ends = NDArray[np.float64]  # (n, 2): what is proven, what was found


def net(name: str, count: int) -> tuple[OpenedModel, NDArray[np.float32]]:
    if name == "digits":
        return opened(DIGITS / "model.onnx"), np.load(DIGITS / "samples.npz")["x"][:count]
    found = model(name)
    return found, data.images(list(range(count))).reshape(-1, *found.shape)


def until(deadline: float) -> Callable[[RunProgress], Stop | None]:
    return lambda _: "budget" if time.process_time() > deadline else None


def found(
    who: OpenedModel, samples: Samples, norm: Norm, name: str, params: dict[str, Any], deadline: float
) -> list[Outcome]:
    row = method(name)
    asked = row.params.model_validate({"name": name, **params})
    return run(who, samples, row, asked, Threat(norm), Budget(None), seed=0, checkpoint=until(deadline))


def taken_in(ends: Ends, at: Sequence[int], outcomes: Sequence[Outcome]) -> None:
    for i, outcome in zip(at, outcomes, strict=True):
        finding = outcome.finding
        ends[i, 0] = max(ends[i, 0], (proven(finding) or (0.0, 1.0))[0])
        ends[i, 1] = min(ends[i, 1], np.inf if (end := reached(finding)) is None else end)


def by_close(who: OpenedModel, samples: Samples, norm: Norm, seconds: float) -> Ends:
    ends, n = np.tile([0.0, np.inf], (len(samples.x), 1)), len(samples.x)
    outcomes = found(who, samples, norm, "close", {"domains": MOST}, time.process_time() + seconds * n)
    taken_in(ends, range(n), outcomes)
    return ends


def method_by_method(who: OpenedModel, samples: Samples, norm: Norm, seconds: float) -> Ends:
    n, begun = len(samples.x), time.process_time()
    ends = np.tile([0.0, np.inf], (n, 1))
    points: list[NDArray[np.float32] | None] = [None] * n
    for name, params in FIRST:
        hints = tuple(Hint(p, end[1], end[0]) for p, end in zip(points, ends, strict=True))
        outcomes = found(who, replace(samples, hints=hints), norm, name, params, begun + seconds * n)
        points = [o.x_adv if reached(o.finding) else p for o, p in zip(outcomes, points, strict=True)]
        taken_in(ends, range(n), outcomes)
    for i in range(n):
        left = begun + seconds * n - time.process_time()
        hint = (Hint(points[i], ends[i, 1], ends[i, 0]),)
        alone = Samples(samples.x[i : i + 1], (i,), None, hints=hint)
        deadline = time.process_time() + left / (n - i)
        taken_in(ends, [i], found(who, alone, norm, "branch_and_bound", {"domains": MOST}, deadline))
    return ends


SIDES = {"close": by_close, "method by method": method_by_method}


def measured(name: str, norm: Norm, seconds: float, side: str, count: int) -> dict[str, Any]:
    who, x = net(name, count)
    begun = time.process_time()
    ends = SIDES[side](who, Samples(x, tuple(range(count)), None), norm, seconds)
    lower, upper = ends.T
    return {
        "closed": int(((lower > 0) & (upper <= CLOSED * lower)).sum()),
        "middle": float(np.median(lower / upper)),
        "seconds": time.process_time() - begun,
    }


def figures(nets: Sequence[str], seconds: Sequence[float], count: int) -> Any:
    total = dict.fromkeys(SIDES, 0)
    for name in nets:
        for norm in (Norm.LINF, Norm.L2):
            for each in seconds:
                told = {}
                for side in SIDES:
                    question = {"close": name, "norm": norm, "seconds": each, "side": side, "count": count}
                    told[side] = kept(question, our_code(), partial(measured, name, norm, each, side, count))
                    total[side] += told[side]["closed"]
                counts = ", ".join(
                    f"{side} {a['closed']} (lower / upper {a['middle']:.2f}, {a['seconds']:.0f} s)"
                    for side, a in told.items()
                )
                yield Figure(f"{name}, {norm}, {each:g} s a sample: closed of {count}", counts)
    yield at_least("closed by close over method by method", total["close"] / max(1, total["method by method"]), 3.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=12)
    parser.add_argument("--seconds", default="0.5,2", help="of processor time a sample")
    parser.add_argument("--nets", default="mnist_tiny_2x20,mnist_madry_tiny,digits")
    options = parser.parse_args()
    data.need()
    table(figures(options.nets.split(","), [float(s) for s in options.seconds.split(",")], options.samples))


if __name__ == "__main__":
    main()
