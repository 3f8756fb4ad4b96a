"""Methods against exact radii: how often each lies above r*, and by how much.

    python -m benchmarks.calibration [--linear 20] [--nets 60] [--programs 20] [--smooth 40] [--neighbors 40]
                                     [--keep .bench/calibration.jsonl]

The cases are those of `tests/exact.py`: linear models in closed form and tiny ReLU networks by enumeration, each in
three norms, larger ones by mixed-integer programs in l1 and linf, tanh networks of the plane along rays, and
nearest-neighbor models by quadratic programs in l2. Every score that takes such a model is held against them, with its
default parameters. A nearest-neighbor model gives neither scores nor gradients, so no score takes it; there it is the
certificate and the attack by labels, whose findings are bounds: one is never above r*, the other never below.

Each number is written into the file as soon as it is known, and what stands there is not computed again: stopped, it
goes on where it was. Some twenty minutes on a quiet core. No data needed.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from algorithms.driver.running import Samples, run
from algorithms.method import Budget, Method
from algorithms.registry import METHODS, method
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.exact import Exact, enumerated_cases, linear_cases, neighbor_cases, programmed_cases, smooth_cases

ROUNDING = 1e-6  # a score is above r* where it is so by more
SCORES = tuple(method for method in METHODS if method.proves is Kind.ESTIMATE)
ON_NEIGHBORS = (method("nearest_neighbor"), method("hopskipjump"))

Line = dict[str, Any]


def tried(case: Exact) -> Iterator[Method]:
    """The methods that are held against a case."""
    for one in SCORES if Access.GRADIENTS in case.model.offers else ON_NEIGHBORS:
        if case.norm in one.norms and (one.name != "clever_second_order" or not case.model.kinks()):
            yield one


def found(method: Method, case: Exact) -> Line:
    """Runs a method on one case: a line of the file."""
    threat = Threat(case.norm, Box.unbounded())
    [outcome] = run(
        case.model,
        Samples(case.x[None], (0,), None),
        method,
        method.params(name=method.name),
        threat,
        Budget(10_000 if method.finds_points else None),
        seed=case.seed,
    )
    return {"radius": case.radius, "score": outcome.finding.value}


def key(method: Method, case: Exact) -> str:
    return f"{method.name}@{method.version} {case.kind} {case.norm} {case.seed}"


def kept(file: Path) -> dict[str, Line]:
    """Reads what a run before has found, by its key."""
    if not file.is_file():
        return {}
    lines = map(json.loads, file.read_text().splitlines())
    return {line.pop("key"): line for line in lines}


def row(name: str, kind: str, lines: Sequence[Line]) -> str:
    """Writes a row of the table: of the ratio score / r*, its median, and the tenths at both ends."""
    told = [(line["score"], line["radius"]) for line in lines if line["score"] is not None]
    score, radius = np.array(told).T
    above = score > radius + ROUNDING
    tenth, median, ninth = np.quantile(score / radius, [0.1, 0.5, 0.9])
    worst = f"{100 * float((score / radius - 1)[above].max()):.1f} %" if above.any() else "-"
    return (
        f"| `{name}` | {kind} | {len(lines)} | {len(lines) - len(told)} | {int(above.sum())} | {worst}"
        f" | {median:.2f} | {tenth:.2f} to {ninth:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linear", type=int, default=20, help="linear models, each in three norms")
    parser.add_argument("--nets", type=int, default=60, help="tiny ReLU networks, each in three norms")
    parser.add_argument("--programs", type=int, default=20, help="larger ReLU networks, each in l1 and linf")
    parser.add_argument("--smooth", type=int, default=40, help="tanh networks, in l2")
    parser.add_argument("--neighbors", type=int, default=40, help="nearest-neighbor models, in l2")
    parser.add_argument("--keep", type=Path, default=Path(".bench") / "calibration.jsonl", metavar="FILE")
    options = parser.parse_args()
    known = kept(options.keep)
    table: dict[tuple[str, str], list[Line]] = {}
    options.keep.parent.mkdir(exist_ok=True)
    cases = chain(
        linear_cases(options.linear),
        smooth_cases(options.smooth),
        programmed_cases(options.programs),
        neighbor_cases(options.neighbors),
        enumerated_cases(options.nets),
    )
    with options.keep.open("a") as file:
        for case in cases:
            for one in tried(case):
                if (name := key(one, case)) not in known:
                    known[name] = found(one, case)
                    file.write(json.dumps({"key": name, **known[name]}) + "\n")
                    file.flush()
                table.setdefault((one.pinned, case.kind), []).append(known[name])
    print("| method | models | cases | abstained | above r* | by at most | median of value / r* | 10 % to 90 % |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, kind), lines in sorted(table.items()):
        print(row(name, kind, lines))


if __name__ == "__main__":
    main()
