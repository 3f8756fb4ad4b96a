"""How far `branch_and_bound` closes brackets: lower over upper end, in so many processor seconds a sample.

    python -m benchmarks.closed_brackets [--only digits] [--norms linf,l2] [--rows 20]

`mnist_tiny_2x20` (20 test images, a minute each), a perceptron 16-64-64-10 that is trained here on penbased (50 rows
it has not seen, ten seconds), and the bundled digits models (20 samples, half a minute), beside the radius that `crown`
proves. On the digits two attacks go first, as in an audit, and hint at the nearest point that they found; elsewhere the
search finds its own. What has been answered is kept under `.bench/` (`benchmarks/kept.py`): a run that is stopped goes
on. Data: BRINELL_BENCH_DATA. Set OMP_NUM_THREADS=1.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from algorithms.threats.threat import Threat
from benchmarks import data
from benchmarks.kept import kept, our_code
from benchmarks.searched import CLOSED, opened, searched
from models.onnx.classifier import OnnxClassifier
from tests.exports import graph

DIGITS = Path("examples/digits")
ATTACKS: dict[str, dict[str, Any]] = {
    "fab": {"towards": "leading", "steps": 150, "restarts": 1, "rivals": 9},
    "fmn": {"steps": 100, "pace": "boundary"},
}

Rows = NDArray[np.float32]
Rowed = tuple[OnnxClassifier, Rows, NDArray[np.int64]]


@dataclass(frozen=True)
class BracketSet:
    """A bracket set is a network with rows and their labels, and what is asked about them."""

    made: Callable[[int], Rowed]
    rows: int
    seconds: float  # of the processor, a sample
    norms: tuple[str, ...]
    is_hinted: bool = False


def tiny(count: int) -> Rowed:
    model = opened(onnx.load(data.network("mnist_tiny_2x20")))
    x = data.images(list(range(count))).reshape(-1, *model.shape)
    return model, x, model.labels(x)


def digits(file: str, count: int) -> Rowed:
    samples = np.load(DIGITS / "samples.npz")
    return opened(onnx.load(DIGITS / file)), samples["x"][:count], samples["y"][:count]


def pen_written(count: int) -> Rowed:
    """Train a network 16-64-64-10, by scikit-learn; return it and rows it was not trained on, features in [0, 1]."""
    from sklearn.neural_network import MLPClassifier

    kept_rows = np.load(data.FOLDER / "tabular" / "penbased.npz")
    order = np.random.default_rng(0).permutation(len(kept_rows["x"]))
    x, y = kept_rows["x"][order].astype(np.float64), kept_rows["y"][order].astype(np.int64)
    x = ((x - x.min(0)) / (x.max(0) - x.min(0))).astype(np.float32)
    trained = MLPClassifier((64, 64), max_iter=60, random_state=0, early_stopping=True).fit(x[2000:], y[2000:])
    nodes, value = [], "x"
    constants: dict[str, Rows] = {}
    for i, (weights, bias) in enumerate(zip(trained.coefs_, trained.intercepts_, strict=True)):
        constants |= {f"w{i}": weights.astype(np.float32), f"b{i}": bias.astype(np.float32)}
        nodes.append(onnx.helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"z{i}"]))
        value = f"z{i}"
        if i < len(trained.coefs_) - 1:
            nodes.append(onnx.helper.make_node("Relu", [value], [f"h{i}"]))
            value = f"h{i}"
    made = graph(nodes, ["N", 16], [(value, onnx.TensorProto.FLOAT, ["N", 10])], constants)
    return opened(onnx.load_from_string(made)), x[:count], y[:count]


EVERY = ("linf", "l1", "l2")
SETS = {
    "mnist_tiny_2x20": BracketSet(tiny, 20, 60.0, EVERY),
    "penbased": BracketSet(pen_written, 50, 10.0, ("linf", "l2")),
    "digits": BracketSet(partial(digits, "model.onnx"), 20, 30.0, ("linf", "l2"), is_hinted=True),
    "digits robust": BracketSet(partial(digits, "model_robust.onnx"), 20, 30.0, ("linf",), is_hinted=True),
}


def nearest(model: OnnxClassifier, x: Rows, y: int, threat: Threat) -> Hint:
    """Find the nearer of the two attacks' points."""
    hint = NOTHING_KNOWN
    for name, told in ATTACKS.items():
        params = method(name).params.model_validate({"name": name, **told})
        (outcome,) = run(model, Samples(x[None], (0,), np.array([y])), method(name), params, threat, Budget(), seed=0)
        if outcome.x_adv is not None and (away := threat.distance(outcome.x_adv, x)) < hint.reached:
            hint = Hint(outcome.x_adv, away)
    return hint


def answered(model: OnnxClassifier, x: Rows, y: int, norm: Norm, asked: BracketSet) -> dict[str, Any]:
    threat, crown = Threat(norm), method("crown")
    hint = nearest(model, x, y, threat) if asked.is_hinted else NOTHING_KNOWN
    samples = Samples(x[None], (0,), np.array([y]))
    (plain,) = run(model, samples, crown, crown.params.model_validate({"name": "crown"}), threat, Budget(), seed=0)
    return searched(model, x, y, threat, asked.seconds, hint) | {"crown": plain.finding.value}


def told(name: str, norm: str, rows: int) -> None:
    asked = SETS[name]
    model, x, y = asked.made(min(rows, asked.rows))
    shares, plain, seconds = [], [], []
    for i in range(len(x)):
        question = {"set": name, "row": i, "norm": norm, "processor seconds": asked.seconds}
        ask = partial(answered, model, x[i], int(y[i]), Norm(norm), asked)
        answer = kept(question, our_code(), ask)
        if answer["kind"] == "misclassified":
            continue
        upper = answer["upper"] or np.inf
        shares.append((answer["value"] or 0.0) / upper)
        plain.append((answer["crown"] or 0.0) / upper)
        seconds.append(answer["seconds"])
        print(f"  {i:2} {answer['value']} to {answer['upper']}: {shares[-1]:.3f}, {seconds[-1]:.1f} s", flush=True)
    closed = sum(share * CLOSED >= 1 for share in shares)
    middle = f"lower over upper at the median {np.median(shares):.3f}, by crown {np.median(plain):.3f}"
    print(f"{name}, {norm}: {closed} of {len(shares)} closed; {middle}; {np.median(seconds):.1f} processor seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SETS)
    parser.add_argument("--norms", default=",".join(EVERY))
    parser.add_argument("--rows", type=int, default=50, help="of each set, at the most")
    options = parser.parse_args()
    data.need()
    for name in [options.only] if options.only else SETS:
        for norm in SETS[name].norms:
            if norm in options.norms.split(","):
                told(name, norm, options.rows)


if __name__ == "__main__":
    main()
