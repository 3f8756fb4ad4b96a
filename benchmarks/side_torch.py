"""A bare torch loop: what CLEVER costs somebody who writes nothing but the Jacobians."""

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


def _largest(net: Any, points: torch.Tensor) -> float:
    points = points.clone().requires_grad_(True)
    logits = net(points).sum(0)
    last = len(logits) - 1
    gradients = (torch.autograd.grad(f, points, retain_graph=k < last)[0] for k, f in enumerate(logits))
    return max(float(gradient.flatten(1).norm(dim=1).max()) for gradient in gradients)


if __name__ == "__main__":
    serve({"jacobians": jacobians})
