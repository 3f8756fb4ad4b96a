"""`branch_and_bound` on the competition's mnist_fc: 60 boxes around images, networks of 2 and 4 layers of 256.

    python -m benchmarks.complete_search [--seconds 300] [--instances 0,1,2] [--beside 0,6,12]

Each instance is asked for 10 processor seconds, those that are open then for 60, and for 300. Those named by `--beside`
are put to `maraboupy`, too, for a minute each by the clock, which is how it counts. What has been answered is
kept under `.bench/` (`benchmarks/kept.py`): a run that is stopped goes on where it was. `proven`; `refuted` by a point
that onnxruntime, asked afresh, answers otherwise; or open. No verdict may contradict the competition's. Data:
BRINELL_BENCH_DATA. Set OMP_NUM_THREADS=1.
"""

import argparse
import csv
import re
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from algorithms.mathematics.norms import Norm
from algorithms.threats.threat import Box, Threat
from benchmarks import data, peers
from benchmarks.kept import kept, our_code
from benchmarks.searched import opened, searched
from models.onnx.classifier import OnnxClassifier

FOLDER = data.FOLDER / "verification" / "mnist_fc"
READ_AT = (10, 60, 300)  # processor seconds
BESIDE = 60.0  # seconds for the other library
VERDICTS = {"lower_bound": "unsat", "upper_bound": "sat", "abstained": "unknown"}


def competition(row: dict[str, str], seconds: float) -> dict[str, Any]:
    """Ask about one instance: the box is a threat's, and all there is."""
    text = (FOLDER / row["vnnlib"]).read_text()
    ends = [
        np.array([float(number) for number in re.findall(rf"\(assert \({sign} X_\d+ (\S+)\)\)", text)], np.float32)
        for sign in (">=", "<=")
    ]
    model = _opened(row["onnx"])
    lower, upper = (end.reshape(model.shape) for end in ends)
    x = ((lower + upper) / 2).astype(np.float32)
    threat = Threat(Norm.LINF, Box(lower, upper), epsilon=1.0)
    return searched(model, x, int(model.labels(x[None])[0]), threat, seconds)


def beside(rows: list[dict[str, str]]) -> None:
    """Ask the other library about these."""
    with peers.side("benchmarks.side_maraboupy") as others:
        for row in rows:
            model, text = str(FOLDER / row["onnx"]), str(FOLDER / row["vnnlib"])
            answer = others.ask("decide", model=model, properties=text, seconds=BESIDE)
            verdict, took = answer.value["verdict"], f"{answer.cpu:6.1f} s, {answer.wall:.1f} by the clock"
            print(f"maraboupy {Path(model).stem} {Path(text).stem} {row['consensus']:8} {verdict:8} {took}", flush=True)


@cache
def _opened(name: str) -> OnnxClassifier:
    return opened(onnx.load(FOLDER / name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0, help="of the processor, for an instance at the most")
    parser.add_argument("--instances", default=",".join(map(str, range(60))))
    parser.add_argument("--beside", default="", help="instances that maraboupy is asked about, too")
    options = parser.parse_args()
    data.need()
    rows = list(csv.DictReader((FOLDER / "verdicts.csv").open()))
    if options.beside:
        beside([rows[int(i)] for i in options.beside.split(",")])
    left, decided, wrong = [int(i) for i in options.instances.split(",")], 0, 0
    for seconds in (at for at in READ_AT if at <= options.seconds):
        still: list[int] = []
        for i in left:
            row = rows[i]
            question = {"set": "mnist_fc", "instance": i, "processor seconds": seconds}
            answer = kept(question, our_code(), partial(competition, row, seconds))
            verdict = VERDICTS[answer["kind"]]
            wrong += "unknown" not in (verdict, row["consensus"]) and verdict != row["consensus"]
            still += [i] if verdict == "unknown" else []
            name = f"{Path(row['onnx']).stem} {Path(row['vnnlib']).stem}"
            told = f"{i:3} {name:36} {row['consensus']:8} {verdict:8} {answer['seconds']:6.1f} s"
            print(f"{told} {answer['domains']} domains, bound {answer['bound']}", flush=True)
        decided, left = decided + len(left) - len(still), still
        print(f"mnist_fc: {decided} decided within {seconds} processor seconds, {wrong} wrong, {len(left)} open")


if __name__ == "__main__":
    main()
