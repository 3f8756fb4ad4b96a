"""The other libraries' side: ART and Foolbox on the same network, rebuilt in torch by the same converter.

Runs in `.venv-peers` (see `benchmarks.peers`) and imports nothing of ours but the data.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import foolbox
import numpy as np
import onnx
import onnx2fx
import torch
from art.attacks.evasion import BoundaryAttack, HopSkipJump, SquareAttack
from art.estimators.classification import PyTorchClassifier
from art.metrics import clever_u
from numpy.typing import NDArray

from benchmarks import data
from benchmarks.sides import serve

warnings.simplefilter("ignore")  # theirs are not ours to read


POOL_FACTOR = 10  # ART's default


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
    """Runs ART's CLEVER: a pool of `points` points for each class, POOL_FACTOR a call, `batches` maxima out of it."""
    np.random.seed(0)
    (x,) = data.images([image])
    size = points // POOL_FACTOR
    score = clever_u(classifier(net), x, batches, size, radius, norm=2, pool_factor=POOL_FACTOR, verbose=False)
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


class Spent(Exception):
    """The largest budget is used up."""


class Recorder(torch.nn.Module):
    """The network, and the nearest adversarial row it was shown for each sample, by each budget of queries.

    Kinder than what a library returns: every row counts, not only the one it ends with.
    """

    def __init__(self, net: str, x: NDArray[np.float32], budgets: Sequence[int]) -> None:
        super().__init__()
        self.inner = counting(net).inner
        self.x = torch.from_numpy(x)
        with torch.no_grad():
            self.labels = self.inner(self.x).argmax(1)
        self.budgets, self.queries = budgets, 0
        self.nearest = torch.full((len(x),), torch.inf)
        self.reached: list[torch.Tensor] = []
        self.seconds: list[float] = []
        self.start = time.perf_counter()

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows are q rounds over all samples, or q questions about the only one: (q n, *shape)."""
        rows = rows.float()  # ART's are double
        logits = self.inner(rows)
        n = len(self.x)
        away = (rows.detach().reshape(-1, n, *self.x.shape[1:]) - self.x).flatten(2).norm(dim=2)  # (q, n)
        away[(logits.argmax(1).reshape(-1, n) == self.labels)] = torch.inf
        nearest = torch.minimum(away.cummin(0).values, self.nearest)
        for budget in self.budgets[len(self.reached) :]:
            if budget <= self.queries + len(away):
                self.reached.append(nearest[budget - self.queries - 1])
                self.seconds.append(time.perf_counter() - self.start)
        self.nearest, self.queries = nearest[-1], self.queries + len(away)
        if len(self.reached) == len(self.budgets):
            raise Spent
        return logits

    def close(self) -> None:
        """Takes what was nearest at the end for the budgets that the attack did not come to."""
        while len(self.reached) < len(self.budgets):
            self.reached.append(self.nearest)
            self.seconds.append(time.perf_counter() - self.start)


def noise_labels(net: str) -> list[int]:
    """What the network makes of uniform noise: a search that starts from noise has no start in these classes."""
    noise = torch.rand(100, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return sorted(set(counting(net).inner(noise).argmax(1).tolist()))


def labels(net: str, images: list[int]) -> list[int]:
    with torch.no_grad():
        return list(counting(net).inner(torch.from_numpy(data.images(images))).argmax(1).tolist())


FOOLBOX: dict[str, Callable[[], Any]] = {  # more steps than any budget of ours pays for
    "hopskipjump": lambda: foolbox.attacks.HopSkipJumpAttack(steps=10_000),
    "boundary": lambda: foolbox.attacks.BoundaryAttack(steps=1_000_000),
}
ART: dict[str, Callable[[PyTorchClassifier], Any]] = {
    "hopskipjump": lambda model: HopSkipJump(model, norm=2, max_iter=10_000, verbose=False),
    "boundary": lambda model: BoundaryAttack(model, targeted=False, max_iter=1_000_000, verbose=False),
}


def foolbox_attack(net: str, images: list[int], budgets: list[int], attack: str) -> list[dict[str, Any]]:
    """Attacks all samples in lockstep, as Foolbox does it."""
    torch.manual_seed(0)
    recorder = Recorder(net, data.images(images), budgets).eval()
    model = foolbox.PyTorchModel(recorder, bounds=(0, 1), device="cpu")
    with suppress(Spent):
        FOOLBOX[attack]().run(model, recorder.x, foolbox.criteria.Misclassification(recorder.labels))
    return _by_budget([recorder], budgets)


def art_attack(net: str, images: list[int], budgets: list[int], attack: str) -> list[dict[str, Any]]:
    """Attacks one sample after the other, as ART does it."""
    np.random.seed(0)
    recorders = []
    for x in data.images(images):
        recorder = Recorder(net, x[None], budgets).eval()
        loss = torch.nn.CrossEntropyLoss()
        model = PyTorchClassifier(
            recorder, loss, input_shape=(1, 28, 28), nb_classes=10, clip_values=(0.0, 1.0), device_type="cpu"
        )
        with suppress(Spent):
            ART[attack](model).generate(x[None])
        recorders.append(recorder)
    return _by_budget(recorders, budgets)


def _by_budget(recorders: list[Recorder], budgets: list[int]) -> list[dict[str, Any]]:
    for recorder in recorders:
        recorder.close()
    return [
        {
            "seconds": sum(recorder.seconds[i] for recorder in recorders),
            "distances": torch.cat([recorder.reached[i].reshape(-1) for recorder in recorders]).tolist(),
        }
        for i in range(len(budgets))
    ]


if __name__ == "__main__":
    serve(
        {
            "clever": clever,
            "square": square,
            "noise_labels": noise_labels,
            "labels": labels,
            "foolbox_attack": foolbox_attack,
            "art_attack": art_attack,
        }
    )
