"""Honest models of handwritten digits, as people export them: nothing about them is masked, and no alarm may say so."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from skl2onnx import to_onnx
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from torch import nn

from tests.exports import classic
from tests.masks.net import Net

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@dataclass(frozen=True)
class Control:
    """A control is a file of some kind, and samples (n, *shape) that its model gets right."""

    data: bytes
    x: NDArray[np.float32]
    y: NDArray[np.int64]
    kind: str = "onnx"


@cache
def digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """All digits in [0, 1]: x (1797, 64), y."""
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int64)


def train() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return digits()[0][:1000], digits()[1][:1000]


def control(data: bytes, right: Callable[[NDArray[np.float32]], NDArray[np.int64]], y: NDArray[np.int64]) -> Control:
    """With the first four of the other digits that are right by the model's own answer."""
    x = digits()[0][1000:1100]
    chosen = np.flatnonzero(right(x) == y[1000:1100])[:4]
    return Control(data, x[chosen], y[1000:1100][chosen])


def bundled(name: str) -> Control:
    with np.load(DIGITS / "samples.npz") as stored:
        return Control((DIGITS / f"{name}.onnx").read_bytes(), stored["x"][:4].astype(np.float32), stored["y"][:4])


def scikit(model: ClassifierMixin) -> Control:
    x, y = train()
    model.fit(x, y)
    export = to_onnx(model, x[:1], options={"zipmap": False}, target_opset={"": 15, "ai.onnx.ml": 3})
    return control(export.SerializeToString(), model.predict, digits()[1])


def softmax() -> Control:
    model = LogisticRegression(C=0.1, max_iter=1000).fit(*train())
    net = Net(64)
    data = net.data(net.op("Softmax", net.op("Gemm", "x", model.coef_.T, model.intercept_), axis=1))
    return control(data, model.predict, digits()[1])


def one_logit() -> Control:
    """Whether a digit is less than five."""
    x, y = train()
    model = LogisticRegression(C=0.1, max_iter=1000).fit(x, y < 5)
    net = Net(64)
    data = net.data(net.op("Gemm", "x", model.coef_.T, model.intercept_))
    return control(data, lambda rows: model.predict(rows).astype(np.int64), (digits()[1] < 5).astype(np.int64))


def trained(net: nn.Module) -> Control:
    x, y = (torch.from_numpy(values) for values in train())
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    net.eval()

    def labels(rows: NDArray[np.float32]) -> NDArray[np.int64]:
        with torch.no_grad():
            return np.asarray(net(torch.from_numpy(rows)).argmax(1))

    return control(classic(net, torch.rand(2, 64), 13, True), labels, digits()[1])


def seeded(build: Callable[[], list[nn.Module]]) -> Control:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return trained(nn.Sequential(*build()))


def convolution() -> list[nn.Module]:
    lead = [nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3), nn.ReLU()]
    return [*lead, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 10)]


def neighbors() -> Control:
    x, y = digits()
    file = io.BytesIO()
    np.savez(file, x=x[:300], y=y[:300], k=1)

    def nearest(rows: NDArray[np.float32]) -> NDArray[np.int64]:
        return y[np.square(rows[:, None] - x[None, :300]).sum(axis=2).argmin(axis=1)]

    return replace(control(file.getvalue(), nearest, y), kind="neighbors")


CONTROLS: dict[str, Callable[[], Control]] = {
    "digits": lambda: bundled("model"),
    "digits, robust": lambda: bundled("model_robust"),
    "logistic regression": lambda: scikit(LogisticRegression(C=0.1, max_iter=1000)),
    "perceptron of scikit-learn": lambda: scikit(MLPClassifier((32,), tol=0.01, max_iter=500, random_state=0)),
    "forest": lambda: scikit(RandomForestClassifier(20, max_depth=8, random_state=0)),
    "soft-max": softmax,
    "one logit": one_logit,
    "perceptron": lambda: seeded(lambda: [nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)]),
    "tanh": lambda: seeded(lambda: [nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10)]),
    "convolution": lambda: seeded(convolution),
    "neighbors": neighbors,
}
