"""The other libraries' side: ART and Foolbox on the same network, rebuilt in torch by the same converter.

Runs in `.venv-peers` (see `benchmarks.peers`) and imports nothing of ours but the data.
"""

import warnings
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnx2fx
import torch
from art.attacks.evasion import SquareAttack
from art.estimators.classification import PyTorchClassifier
from art.metrics import clever_u
from numpy.typing import NDArray

from benchmarks import data
from benchmarks.sides import serve

warnings.simplefilter("ignore")  # theirs are not ours to read


class Counting(torch.nn.Module):
    """The network, and how many rows it was asked."""

    def __init__(self, net: str) -> None:
        super().__init__()
        self.inner: Any = onnx2fx.convert(onnx.load(data.network(net))).eval().requires_grad_(False)
        self.rows = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.rows += len(x)
        return self.inner(x)


@cache
def counting(net: str) -> Counting:
    return Counting(net).eval()


@cache
def classifier(net: str) -> PyTorchClassifier:
    loss = torch.nn.CrossEntropyLoss()
    return PyTorchClassifier(
        counting(net), loss, input_shape=(1, 28, 28), nb_classes=10, clip_values=(0.0, 1.0), device_type="cpu"
    )


def clever(net: str, image: int, batches: int, points: int, radius: float) -> float:
    """ART draws one pool of `points` points a class, and `batches` maxima out of it: pool_factor is points a call."""
    np.random.seed(0)
    (x,) = data.images([image])
    call = 32
    score = clever_u(classifier(net), x, batches, points // call, radius, norm=2, pool_factor=call, verbose=False)
    return float(score)


def square(net: str, images: list[int], norm: str, epsilon: float, queries: int) -> dict[str, Any]:
    """ART's Square: a step asks a sample three times (is it robust still, the old loss, the new loss)."""
    np.random.seed(0)
    rows, x = counting(net), data.images(images)
    before = rows.rows
    attack = SquareAttack(
        classifier(net),
        norm=2 if norm == "l2" else np.inf,
        eps=epsilon,
        max_iter=queries // 3,
        batch_size=len(images),
        verbose=False,
    )
    found = attack.generate(x)
    spent = rows.rows - before
    return {"rows": spent, "distances": _distances(net, x, found, norm)}


def _distances(net: str, x: NDArray[np.float32], found: NDArray[np.float32], norm: str) -> list[float | None]:
    """Of each adversarial point from its sample; None where the answer is still the same."""
    away = np.linalg.norm((found - x).reshape(len(x), -1), 2 if norm == "l2" else np.inf, axis=1)
    with torch.no_grad():
        labels, seen = (counting(net).inner(torch.from_numpy(rows)).argmax(1).numpy() for rows in (x, found))
    return [float(d) if a != b else None for d, a, b in zip(away, labels, seen, strict=True)]


if __name__ == "__main__":
    serve({"clever": clever, "square": square})
