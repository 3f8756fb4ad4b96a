"""A bare torch loop: what CLEVER costs somebody who writes nothing but the Jacobians, and an attack but gradients."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import onnx
import onnx2fx
import torch

from benchmarks import data
from benchmarks.sides import serve


@cache
def module(net: str) -> Any:
    return onnx2fx.convert(onnx.load(data.network(net))).eval().requires_grad_(False)


@cache
def pool(slices: int) -> ThreadPoolExecutor:
    threads = torch.get_num_threads()
    return ThreadPoolExecutor(slices, initializer=torch.set_num_threads, initargs=(threads,))


def jacobians(net: str, points: int, batch: int, slices: int) -> float:
    """Measures the largest 2-norm of a logit's gradient at `points` random points; one backward pass a logit.

    `batch` points a call, `slices` calls at once, OMP_NUM_THREADS threads a call.
    """
    rows = torch.rand(points, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return max(pool(slices).map(lambda part: _largest(module(net), part), torch.split(rows, batch)))


def climbs(net: str, images: list[int], steps: int, batch: int, slices: int) -> float:
    """Measures how far the last of `steps` steps of 0.001 along the gradient of the margin leads from the images."""
    rows = torch.from_numpy(data.samples(net, images))
    return max(pool(slices).map(lambda part: _climb(module(net), part, steps), torch.split(rows, batch)))


def _climb(net: Any, rows: torch.Tensor, steps: int) -> float:
    points = rows
    labels = net(rows).argmax(1, keepdim=True)
    for _ in range(steps):
        points = points.detach().requires_grad_(True)
        scores = net(points)
        rivals = scores.scatter(1, labels, -torch.inf).amax(1)
        (gradient,) = torch.autograd.grad((rivals - scores.gather(1, labels)[:, 0]).sum(), points)
        points = points + 0.001 * gradient / gradient.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, 1, 1, 1)
    return float((points - rows).detach().flatten(1).norm(dim=1).max())


def _largest(net: Any, points: torch.Tensor) -> float:
    points = points.clone().requires_grad_(True)
    logits = net(points).sum(0)
    last = len(logits) - 1
    gradients = (torch.autograd.grad(f, points, retain_graph=k < last)[0] for k, f in enumerate(logits))
    return max(float(gradient.flatten(1).norm(dim=1).max()) for gradient in gradients)


if __name__ == "__main__":
    serve({"jacobians": jacobians, "climbs": climbs})
