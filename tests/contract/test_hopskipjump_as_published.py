"""HopSkipJump against the authors' own algorithm, written down again as they print it, on a plainly trained network."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Rows
from algorithms.threats.threat import Threat
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.network import read
from tests.published import data_folder, images

IMAGES, QUERIES = 12, 1000


class Spent(Exception):
    pass


def as_published(labels: Callable[[Rows], np.ndarray], x: Rows, label: int, rng: np.random.Generator) -> float:
    """Algorithm 2 of Chen et al. 2020 in l2, in float64 as their code: the distance after QUERIES queries."""
    d, asked = x.size, 0
    x = x.astype(np.float64)
    theta = 1 / d**1.5
    best = np.inf

    def phi(rows: np.ndarray) -> np.ndarray:
        nonlocal asked
        asked += len(rows)
        if asked > QUERIES:
            raise Spent
        return labels(np.clip(rows, 0, 1).astype(np.float32)) != label

    def back(far: np.ndarray) -> np.ndarray:
        low, high = 0.0, 1.0
        while high - low > theta:
            middle = (low + high) / 2
            low, high = (low, middle) if phi((x + middle * (far - x))[None])[0] else (middle, high)
        return x + high * (far - x)

    try:
        while not phi((far := rng.uniform(size=x.shape))[None])[0]:
            pass
        reach = np.linalg.norm(far - x)
        z = back(far)
        for k in range(1, 100):
            distance = np.linalg.norm(z - x)
            best = min(best, distance)
            delta = 0.1 if k == 1 else math.sqrt(d) * theta * reach
            u = rng.normal(size=(int(100 * math.sqrt(k)), *x.shape))
            u /= np.linalg.norm(u.reshape(len(u), -1), axis=1).reshape(-1, 1, 1, 1)
            points = np.clip(z + delta * u, 0, 1)
            u, v = (points - z) / delta, 2.0 * phi(points) - 1
            v = v - v.mean() if abs(v.mean()) < 1 else v
            g = (v.reshape(-1, 1, 1, 1) * u).mean(axis=0)
            xi = distance / math.sqrt(k)
            while not phi(np.clip(z + xi * g / np.linalg.norm(g), 0, 1)[None])[0]:
                xi /= 2
            far = np.clip(z + xi * g / np.linalg.norm(g), 0, 1)
            reach = np.linalg.norm(far - x)
            z = back(far)
    except Spent:
        pass
    return best


@pytest.mark.reference
def test_at_equal_queries_it_is_no_worse_than_as_published():
    """Medians of 12 images at 1,000 queries: here it starts from the nearest of many, there from the first noise."""
    net = data_folder("nets/mnist_convsmall_nat.onnx")
    x = images((1, 28, 28), 200)
    model = OnnxClassifier(read(check(net.read_bytes()), None), None, "cpu")
    chosen = method("hopskipjump")
    what = Samples(x[:IMAGES], tuple(range(IMAGES)), None, pool=x)
    ours = run(model, what, chosen, chosen.params(), Threat(norm=Norm.L2), Budget(QUERIES), seed=0)
    rng = np.random.default_rng(0)
    theirs = [
        as_published(model.labels, row, int(label), rng)
        for row, label in zip(what.x, model.labels(what.x), strict=True)
    ]
    ratio = np.median([outcome.finding.value for outcome in ours]) / np.median(theirs)
    assert 0.5 < ratio < 0.95
