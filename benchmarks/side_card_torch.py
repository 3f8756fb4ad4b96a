"""A bare torch loop on a card: rows lie there already, nothing is copied, nothing waited for but the end."""

import statistics
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnx2fx
import torch
from torch import Tensor

from benchmarks import data
from benchmarks.sides import serve
from models.device import choose, compute_exactly

NORMS = (float("inf"), 2.0, 1.0)
SECONDS = 0.3  # of every batch size


@cache
def device() -> str:
    chosen = choose(data.device())
    compute_exactly(chosen)
    return chosen


@cache
def module(net: str) -> Any:
    return onnx2fx.convert(onnx.load(data.network(net))).eval().requires_grad_(False).to(device())


def rates(net: str, batches: list[int]) -> dict[str, dict[int, float]]:
    """Measures rows a second by rows a call: of a gradient, and of the norms of all differences to class 0."""
    found: dict[str, dict[int, float]] = {"gradients": {}, "Jacobians": {}}
    for n in batches:
        images = [i % 300 for i in range(n)]
        points = torch.from_numpy(np.ascontiguousarray(data.samples(net, images))).to(device())
        found["gradients"][n] = n / _seconds(_gradient, module(net), points)
        found["Jacobians"][n] = n / _seconds(_jacobian, module(net), points)
    return found


def _gradient(net: Any, points: Tensor) -> Tensor:
    points = points.detach().requires_grad_(True)
    scores = net(points)
    return torch.autograd.grad(scores, points, torch.ones_like(scores))[0]


def _jacobian(net: Any, points: Tensor) -> Tensor:
    points = points.detach().requires_grad_(True)
    scores = net(points)
    last, largest = scores.shape[1] - 1, []
    for rival in range(1, last + 1):
        seed = torch.zeros_like(scores)
        seed[:, 0], seed[:, rival] = 1, -1
        (gradient,) = torch.autograd.grad(scores, points, seed, retain_graph=rival < last)
        flat = gradient.flatten(1)
        norms = [torch.linalg.vector_norm(flat, p, dim=1, dtype=torch.float64).amax() for p in NORMS]
        largest.append(torch.stack(norms))
    return torch.stack(largest)


def _seconds(work: Callable[[Any, Tensor], Tensor], net: Any, points: Tensor) -> float:
    """Median of a call, the card waited for."""
    work(net, points).sum().item()
    taken: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(taken) < 3 or time.perf_counter() < end:
        began = time.perf_counter()
        work(net, points).sum().item()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    serve({"rates": rates})
