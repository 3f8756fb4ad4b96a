"""`branch_and_bound` on the competition's mnist_fc, on `mnist_tiny_2x20`, and on a small network for written digits.

    python -m benchmarks.complete_search [--seconds 300] [--instances 0,1,2] [--images 20] [--rows 50] [--only mnist_fc]

What has been decided is kept under `.bench/` (`benchmarks/kept.py`): a run that is stopped goes on where it was. An
instance of mnist_fc is a box around an image: `proven`, `refuted` by a point that onnxruntime answers otherwise, or
`open` when its seconds are up; no verdict may contradict the competition's. Elsewhere it counts brackets whose ends are
within a tenth of each other. Data: BRINELL_BENCH_DATA. Set OMP_NUM_THREADS=1.
"""

import argparse
import csv
import re
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from algorithms.certificates.branch_and_bound import BranchAndBoundParams
from algorithms.driver.progress import RunProgress, Stop
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.threats.threat import Box, Threat
from benchmarks import data
from benchmarks.kept import kept, our_code
from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.network import read
from tests.exports import graph

METHOD = method("branch_and_bound")
FOLDER = data.FOLDER / "verification" / "mnist_fc"
DOMAINS = 10_000_000
READ_AT = (10, 60, 300)  # seconds
VERDICTS = {"lower_bound": "unsat", "upper_bound": "sat", "abstained": "unknown"}
CLOSED = 1.1
EVERY = {"linf": Norm.LINF, "l1": Norm.L1, "l2": Norm.L2}


def opened(model: onnx.ModelProto) -> OnnxClassifier:
    network = read(model, None)
    return OnnxClassifier(network, None, "cpu", bounder(network, "cpu"))


def found(model: OnnxClassifier, x: NDArray[np.float32], y: int, threat: Threat, seconds: float) -> dict[str, Any]:
    """Find what is said of one sample, with the seconds that it took."""
    begin = time.monotonic()

    def look(progress: RunProgress) -> Stop | None:
        del progress
        return "budget" if time.monotonic() - begin > seconds else None

    samples = Samples(x[None], (0,), np.array([y]))
    (outcome,) = run(
        model, samples, METHOD, BranchAndBoundParams(domains=DOMAINS), threat, Budget(None), seed=0, checkpoint=look
    )
    finding = outcome.finding
    told = {"kind": finding.kind.value, "value": finding.value, "ended": finding.ended}
    details = {name: finding.details.get(name) for name in ("upper", "bound", "domains")}
    return told | details | {"seconds": time.monotonic() - begin}


def competition(row: dict[str, str], seconds: float) -> dict[str, Any]:
    text = (FOLDER / row["vnnlib"]).read_text()
    ends = [
        np.array([float(number) for number in re.findall(rf"\(assert \({sign} X_\d+ (\S+)\)\)", text)], np.float32)
        for sign in (">=", "<=")
    ]
    model = opened(onnx.load(FOLDER / row["onnx"]))
    lower, upper = (end.reshape(model.shape) for end in ends)
    x = ((lower + upper) / 2).astype(np.float32)
    threat = Threat(Norm.LINF, Box(lower, upper), epsilon=1.0)  # the box is all there is
    return found(model, x, int(model.labels(x[None])[0]), threat, seconds)


def of_the_competition(instances: list[int], seconds: float) -> None:
    rows = list(csv.DictReader((FOLDER / "verdicts.csv").open()))
    wrong, times = 0, []
    for i in instances:
        row = rows[i]
        question = {"set": "mnist_fc", "instance": i, "seconds": seconds}
        answer = kept(question, our_code(), partial(competition, row, seconds))
        verdict = VERDICTS[answer["kind"]]
        is_wrong = "unknown" not in (verdict, row["consensus"]) and verdict != row["consensus"]
        wrong += is_wrong
        times += [answer["seconds"]] if verdict != "unknown" else []
        name = f"{Path(row['onnx']).stem} {Path(row['vnnlib']).stem}"
        print(
            f"{i:3} {name:36} {row['consensus']:8} {verdict:8} {answer['seconds']:7.1f} s {answer['domains']} domains"
        )
    counts = ", ".join(f"{sum(taken <= at for taken in times)} within {at} s" for at in READ_AT)
    print(f"mnist_fc: {counts}, of {len(instances)}; {wrong} wrong")


def brackets(name: str, model: OnnxClassifier, x: NDArray[np.float32], y: NDArray[np.int64], seconds: float) -> None:
    for norm in EVERY:
        ends = []
        for i in range(len(x)):
            question = {"set": name, "row": i, "norm": norm, "seconds": seconds}
            ask = partial(found, model, x[i], int(y[i]), Threat(EVERY[norm]), seconds)
            answer = kept(question, our_code(), ask)
            if answer["kind"] != "misclassified":
                ends.append((answer["value"], answer["upper"], answer["seconds"]))
        closed = sum(bool(lower and upper and upper <= CLOSED * lower) for lower, upper, _ in ends)
        middle = np.median([taken for *_, taken in ends])
        print(f"{name}, {norm}: {closed} of {len(ends)} closed, {middle:.1f} s at the median", flush=True)


def pen_written() -> tuple[OnnxClassifier, NDArray[np.float32], NDArray[np.int64]]:
    """Train a network 16-64-64-10, by scikit-learn; return it and rows it was not trained on, features in [0, 1]."""
    from sklearn.neural_network import MLPClassifier

    kept_rows = np.load(data.FOLDER / "tabular" / "penbased.npz")
    order = np.random.default_rng(0).permutation(len(kept_rows["x"]))
    x, y = kept_rows["x"][order].astype(np.float64), kept_rows["y"][order].astype(np.int64)
    x = ((x - x.min(0)) / (x.max(0) - x.min(0))).astype(np.float32)
    trained = MLPClassifier((64, 64), max_iter=60, random_state=0, early_stopping=True).fit(x[2000:], y[2000:])
    nodes, value = [], "x"
    constants: dict[str, NDArray[np.float32]] = {}
    for i, (weights, bias) in enumerate(zip(trained.coefs_, trained.intercepts_, strict=True)):
        constants |= {f"w{i}": weights.astype(np.float32), f"b{i}": bias.astype(np.float32)}
        nodes.append(onnx.helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"z{i}"]))
        value = f"z{i}"
        if i < len(trained.coefs_) - 1:
            nodes.append(onnx.helper.make_node("Relu", [value], [f"h{i}"]))
            value = f"h{i}"
    made = graph(nodes, ["N", 16], [(value, onnx.TensorProto.FLOAT, ["N", 10])], constants)
    return opened(onnx.load_from_string(made)), x[:2000], y[:2000]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0, help="for an instance of mnist_fc")
    parser.add_argument("--instances", default=",".join(map(str, range(60))))
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--rows", type=int, default=50)
    parser.add_argument("--only", choices=["mnist_fc", "tiny", "penbased"])
    options = parser.parse_args()
    data.need()
    if options.only in (None, "mnist_fc"):
        of_the_competition([int(i) for i in options.instances.split(",")], options.seconds)
    if options.only in (None, "tiny"):
        model = opened(onnx.load(data.network("mnist_tiny_2x20")))
        x = data.images(list(range(options.images))).reshape(-1, *model.shape)
        brackets("mnist_tiny_2x20", model, x, model.labels(x), 60.0)
    if options.only in (None, "penbased"):
        model, x, y = pen_written()
        brackets("penbased 16-64-64-10", model, x[: options.rows], y[: options.rows], 10.0)


if __name__ == "__main__":
    main()
