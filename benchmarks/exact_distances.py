"""`milp` on two small networks: how many samples close, and in how many seconds of a core each.

    python -m benchmarks.exact_distances [--quick]

mnist_tiny_2x20 on the first 20 test images, in linf, l1 and l2; and a perceptron 16-64-64-10 that is trained here on
penbased, on 50 rows it has not seen, in linf and l2. No hints: the search finds its own points. A sample is closed
where upper <= 1.1 value.
"""

import itertools
import statistics
import time
from collections.abc import Iterator

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.threats.threat import Threat
from benchmarks import data, figures
from benchmarks.figures import Figure
from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.network import read

CLOSED = 1.1
WIDTHS = (16, 64, 64, 10)
EPOCHS, TRAINED_ON = 40, 8000

Rows = NDArray[np.float32]


def measure(quick: bool) -> Iterator[Figure]:
    network, images = (
        _opened(data.network("mnist_tiny_2x20").read_bytes()),
        data.images(list(range(2 if quick else 20))),
    )
    for norm in (Norm.LINF, Norm.L1, Norm.L2)[: 1 if quick else 3]:
        yield _told("mnist_tiny_2x20", network, images, norm)
    perceptron, rows = _trained(1 if quick else EPOCHS)
    for norm in (Norm.LINF, Norm.L2)[: 1 if quick else 2]:
        yield _told("penbased 16-64-64-10", perceptron, rows[: 2 if quick else 50], norm)


def _told(what: str, model: OnnxClassifier, rows: Rows, norm: Norm) -> Figure:
    milp, seconds, ratios = method("milp"), [], []
    for i, row in enumerate(rows):
        start = time.process_time()  # of a core: a busy machine does not count
        (outcome,) = run(
            model,
            Samples(row[None], (i,), labels=None),
            milp,
            milp.params.model_validate({"name": milp.name, "nodes": 5000}),
            Threat(norm),
            Budget(),
            seed=1,
        )
        seconds.append(time.process_time() - start)
        found = outcome.finding
        ratios.append(found.details.get("upper", np.inf) / found.value if found.value else np.inf)
    closed = np.mean(np.array(ratios) <= CLOSED)
    apart = f"{statistics.median(seconds):.2f} s, at most {max(seconds):.1f} s; {np.median(ratios):.4f}"
    told = f"{what}, {norm.value}, {len(rows)} rows: closed; of a core, median; upper / value, median"
    return Figure(told, f"{closed:.0%}; {apart}")


def _opened(file: bytes) -> OnnxClassifier:
    network = read(onnx.load_from_string(file), None)
    return OnnxClassifier(network, None, "cpu", bounder(network, "cpu"))


def _trained(epochs: int) -> tuple[OnnxClassifier, Rows]:
    """The perceptron, and rows that it was not trained on: features scaled to [0, 1]."""
    torch.manual_seed(0)
    table = np.load(data.FOLDER / "tabular" / "penbased.npz")
    order = np.random.default_rng(0).permutation(len(table["x"]))
    x = (table["x"].astype(np.float32) / 100)[order]  # digitized between 0 and 100
    known, labels = torch.tensor(x[:TRAINED_ON]), torch.tensor(table["y"].astype(np.int64)[order][:TRAINED_ON])
    dense = [torch.nn.Linear(a, b) for a, b in itertools.pairwise(WIDTHS)]
    net = torch.nn.Sequential(dense[0], torch.nn.ReLU(), dense[1], torch.nn.ReLU(), dense[2])
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(epochs):
        for some in torch.randperm(len(known)).chunk(len(known) // 128):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(known[some]), labels[some]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return _opened(_written(dense)), x[TRAINED_ON:]


def _written(dense: list[torch.nn.Linear]) -> bytes:
    nodes, tensors, value = [], [], "x"
    for i, layer in enumerate(dense):
        for name, tensor in ((f"w{i}", layer.weight), (f"b{i}", layer.bias)):
            tensors.append(numpy_helper.from_array(tensor.detach().numpy(), name))
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"z{i}"], transB=1))
        value = f"z{i}"
        if i < len(dense) - 1:
            nodes.append(helper.make_node("Relu", [value], [f"h{i}"]))
            value = f"h{i}"
    rows, scores = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width])
        for name, width in (("x", WIDTHS[0]), (value, WIDTHS[-1]))
    )
    made = helper.make_graph(nodes, "g", [rows], [scores], tensors)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


if __name__ == "__main__":
    figures.main(measure)
