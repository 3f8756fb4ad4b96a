"""The scores against exact radii: how often each lies above r*, and by how much.

    python -m benchmarks.calibration [--linear 20] [--nets 60] [--keep .bench/calibration.jsonl]

Linear models in closed form and tiny ReLU networks by enumeration of their linear regions (`tests/exact.py`), each in
three norms, by every method that proves an estimate, with its default parameters. Each number is written into the file
as soon as it is known, and what stands there is not computed again: stopped, it goes on where it was. About ten minutes
on a quiet core. No data needed. Nearest neighbors have exact radii too, but no gradients: no score takes them.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from algorithms.driver.running import Samples, run
from algorithms.method import Budget, Method
from algorithms.registry import METHODS
from algorithms.seam.claims import Kind
from algorithms.seam.threat import Box, Threat
from tests.exact import Exact, exact_cases

ROUNDING = 1e-6  # a score is above r* where it is so by more

Line = dict[str, Any]


def scored(method: Method, case: Exact) -> Line:
    """Scores one case: a line of the file."""
    threat = Threat(case.norm, Box.unbounded())
    [outcome] = run(
        case.model,
        Samples(case.x[None], (0,), None),
        method,
        method.params(name=method.name),
        threat,
        Budget(None),
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
    found = [(line["score"], line["radius"]) for line in lines if line["score"] is not None]
    score, radius = np.array(found).T
    above = score > radius + ROUNDING
    tenth, median, ninth = np.quantile(score / radius, [0.1, 0.5, 0.9])
    worst = f"{100 * float((score / radius - 1)[above].max()):.1f} %" if above.any() else "-"
    return (
        f"| `{name}` | {kind} | {len(lines)} | {len(lines) - len(found)} | {int(above.sum())} | {worst}"
        f" | {median:.2f} | {tenth:.2f} to {ninth:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linear", type=int, default=20, help="linear models, each in three norms")
    parser.add_argument("--nets", type=int, default=60, help="tiny networks, each in three norms")
    parser.add_argument("--keep", type=Path, default=Path(".bench") / "calibration.jsonl", metavar="FILE")
    options = parser.parse_args()
    known, scores = kept(options.keep), [method for method in METHODS if method.proves is Kind.ESTIMATE]
    table: dict[tuple[str, str], list[Line]] = {}
    options.keep.parent.mkdir(exist_ok=True)
    with options.keep.open("a") as file:
        for case in exact_cases(options.linear, options.nets):
            for method in scores:
                if (name := key(method, case)) not in known:
                    known[name] = scored(method, case)
                    file.write(json.dumps({"key": name, **known[name]}) + "\n")
                    file.flush()
                table.setdefault((f"{method.name}@{method.version}", case.kind), []).append(known[name])
    print("| score | models | cases | abstained | above r* | by at most | median of score / r* | 10 % to 90 % |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, kind), lines in sorted(table.items()):
        print(row(name, kind, lines))


if __name__ == "__main__":
    main()
