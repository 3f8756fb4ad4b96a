"""How to get the gradients of K - 1 logit differences at many points: each way timed alone in a fresh process.

    python benchmarks/jacobian_ways.py [--points 256] [--rounds 3] [--only loop,differences]

Every round runs all ways once, in an order shuffled by the round, so that a slow minute of the machine hits all alike.
Reported a point: best and median milliseconds, the least processor milliseconds (all threads; what a busy machine
leaves comparable), minor page faults; and the peak memory of the process.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks import data

ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "2147483648"}
QUIET = {"OMP_WAIT_POLICY": "PASSIVE", "MALLOC_ARENA_MAX": "2"}

# name -> (way, rows a call, torch threads, slices at once, extra environment)
CASES: dict[str, tuple[str, int, int, int, dict[str, str]]] = {
    f"{way} {batch}x{slices} t{threads}{' malloc' if env else ''}": (way, batch, threads, slices, env)
    for way, batch, threads, slices, env in [
        *[("loop", b, 1, 2, {}) for b in (16, 32, 64, 128)],
        *[("differences", b, 1, 2, {}) for b in (16, 32, 64, 128)],
        *[("differences", b, 1, 2, ALLOCATOR) for b in (16, 32, 64, 128)],
        *[("differences", b, 2, 1, {}) for b in (32, 64, 256)],
        *[("differences", b, 2, 1, ALLOCATOR) for b in (32, 64, 256)],
        *[(way, 32, 1, 2, ALLOCATOR) for way in ("loop", "batched", "vmap", "expand", "channels_last", "native")],
        *[("narrow", b, 1, 2, ALLOCATOR) for b in (32, 64)],
    ]
}


def load(way: str) -> Any:
    import onnx
    import onnx2fx

    module = onnx2fx.convert(onnx.load(data.network("mnist_cw7"))).eval().requires_grad_(False)
    if way == "channels_last":
        import torch

        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types tensors only
    return module


def jacobian(way: str, module: Any) -> Callable[[Any], Any]:
    """Returns the largest 2-norm, at points (b, *shape), of the K - 1 differences of class 0 and each rival."""
    import torch

    def seeds(scores: Any) -> Any:  # (K - 1, b, K)
        cotangents = -torch.eye(scores.shape[1])[1:]
        cotangents[:, 0] = 1
        return cotangents[:, None, :].expand(-1, len(scores), -1)

    def largest(gradient: Any) -> float:
        return float(gradient.flatten(-3).norm(dim=-1).max())

    def differences(points: Any) -> float:
        points.requires_grad_(True)
        scores = module(points)
        rivals = scores.shape[1] - 1
        return max(
            largest(torch.autograd.grad(scores, points, seed, retain_graph=i < rivals - 1)[0])
            for i, seed in enumerate(seeds(scores))
        )

    def loop(points: Any) -> float:
        points.requires_grad_(True)
        scores = module(points).sum(0)
        own = torch.autograd.grad(scores[0], points, retain_graph=True)[0]
        return max(
            largest(own - torch.autograd.grad(scores[i], points, retain_graph=i < len(scores) - 1)[0])
            for i in range(1, len(scores))
        )

    def batched(points: Any) -> float:
        points.requires_grad_(True)
        scores = module(points)
        return largest(torch.autograd.grad(scores, points, seeds(scores), is_grads_batched=True)[0])

    def vmap(points: Any) -> float:
        answered: Any = torch.func.vjp(module, points)
        scores, pull = answered
        return largest(torch.func.vmap(pull)(seeds(scores))[0])

    def expand(points: Any) -> float:
        rivals = module(points[:1]).shape[1] - 1
        rows = points.repeat(rivals, 1, 1, 1).requires_grad_(True)
        scores = module(rows)
        cotangent = seeds(scores[: len(points)]).reshape(len(rows), -1)
        return largest(torch.autograd.grad(scores, rows, cotangent)[0])

    def channels_last(points: Any) -> float:
        return differences(points.contiguous(memory_format=torch.channels_last))

    def native(points: Any) -> float:
        with torch.backends.mkldnn.flags(enabled=False):
            return differences(points)

    def narrow(points: Any) -> float:
        from models.onnx.gradients.narrow_convolutions import NarrowConvolutions

        with NarrowConvolutions():
            return differences(points)

    ways: dict[str, Callable[[Any], float]] = {
        f.__name__: f for f in (loop, differences, batched, vmap, expand, channels_last, native, narrow)
    }
    return ways[way]


def run(name: str, points: int) -> dict[str, float]:
    """Measures one case, in the fresh process."""
    import torch

    way, batch, threads, slices, _ = CASES[name]
    torch.set_num_threads(threads)
    one = jacobian(way, load(way))
    rows = torch.rand(points, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with ThreadPoolExecutor(slices, initializer=torch.set_num_threads, initargs=(threads,)) as pool:
        list(pool.map(one, [rows[:batch].clone() for _ in range(slices)]))  # warm-up
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        start, busy = time.perf_counter(), time.process_time()
        value = max(pool.map(one, [part.clone() for part in torch.split(rows, batch)]))
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "ms": 1000 * seconds / points,
        "busy": 1000 * busy / points,
        "mib": usage.ru_maxrss / 1024,
        "faults": (usage.ru_minflt - faults) / points,
        "value": value,
    }


def measure(name: str, points: int) -> dict[str, float]:
    environment = {**os.environ, **QUIET, **CASES[name][4]}
    command = [sys.executable, __file__, "--case", name, "--points", str(points)]
    return dict(json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="comma-separated beginnings of case names")
    parser.add_argument("--case")
    wanted = parser.parse_args()
    if wanted.case:
        sys.stdout.write(json.dumps(run(wanted.case, wanted.points)))
        return
    names = [n for n in CASES if n.startswith(tuple(wanted.only.split(",")))]
    results: dict[str, list[dict[str, float]]] = {n: [] for n in names}
    for number in range(wanted.rounds):
        for name in random.Random(number).sample(names, len(names)):
            results[name].append(measure(name, wanted.points))
    sys.stdout.write(f"{'case':34} {'best ms':>8} {'median':>8} {'busy':>8} {'MiB':>6} {'faults':>7} {'value':>9}\n")
    for name, found in sorted(results.items(), key=lambda item: min(f["ms"] for f in item[1])):
        times = [f["ms"] for f in found]
        last = found[-1]
        busy = min(f["busy"] for f in found)
        sys.stdout.write(
            f"{name:34} {min(times):8.2f} {statistics.median(times):8.2f} {busy:8.2f} {last['mib']:6.0f}"
            f" {last['faults']:7.0f} {last['value']:9.5f}\n"
        )


if __name__ == "__main__":
    main()
