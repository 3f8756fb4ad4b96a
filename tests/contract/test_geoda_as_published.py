"""GeoDA against the paper's own algorithm 1, written down again as it is printed, on a plainly trained network."""

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Rows
from algorithms.threats.threat import Threat
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.network import read
from tests.published import data_folder, images

IMAGES, QUERIES = 12, 1000
SIGMA, TOLERANCE, STEPS = 2e-4, 1e-4, 100
SHARES = (70, 98, 138, 195, 274)  # of the queries: each 0.6^(-2/3) times the one before


class Spent(Exception):
    pass


def cosines() -> np.ndarray:
    """The first 9 of 28 cosines of an axis: 75 of 224 in the paper."""
    k, at = np.arange(9)[:, None], np.arange(28)[None]
    basis = np.cos(np.pi * k * (2 * at + 1) / 56) * np.sqrt(2 / 28)
    basis[0] /= np.sqrt(2)
    return basis


def as_published(labels: Callable[[Rows], np.ndarray], x: Rows, label: int, rng: np.random.Generator) -> float:
    """Algorithm 1 of Rahmati et al. 2020 in l2, the noise of their code among low frequencies: the distance reached."""
    asked, best, basis = 0, np.inf, cosines()
    x = x.astype(np.float64)

    def errs(rows: np.ndarray) -> np.ndarray:
        nonlocal asked
        asked += len(rows)
        if asked > QUERIES:
            raise Spent
        return labels(np.clip(rows, 0, 1).astype(np.float32)) != label

    def back(far: np.ndarray) -> np.ndarray:
        near = x
        while np.linalg.norm(far - near) > TOLERANCE:
            middle = (near + far) / 2
            near, far = (near, middle) if errs(middle[None])[0] else (middle, far)
        return far

    try:
        for k in count(1):
            far = np.clip(x + 0.02 * k * rng.normal(size=x.shape), 0, 1)
            if errs(far[None])[0]:
                break
        boundary, w = back(far), np.zeros_like(x)
        for n in SHARES:
            best = min(best, float(np.linalg.norm(boundary - x)))
            noise = basis.T @ rng.normal(size=(n, 1, 9, 9)) @ basis
            v = 2.0 * errs(boundary + SIGMA * noise) - 1
            w = w + (v[:, None, None, None] * noise).mean(axis=0)
            for step in range(1, STEPS + 1):
                far = np.clip(x + 0.2 * step * w / np.linalg.norm(w), 0, 1)
                if errs(far[None])[0]:
                    boundary = back(far)
                    break
        best = min(best, float(np.linalg.norm(boundary - x)))
    except Spent:
        pass
    return best


@pytest.mark.reference
def test_at_equal_queries_it_is_no_worse_than_as_published():
    """Medians of 12 images at 1,000 queries: here it starts from the nearest of many, there from the first noise."""
    net = data_folder("nets/mnist_convsmall_nat.onnx")
    x = images((1, 28, 28), 200)
    model = OnnxClassifier(read(check(net.read_bytes()), None), None, "cpu")
    chosen = method("geoda")
    what = Samples(x[:IMAGES], tuple(range(IMAGES)), None, pool=x)
    params = chosen.params.model_validate({"name": "geoda", "schedule_horizon": QUERIES})
    ours = [o.finding.value for o in run(model, what, chosen, params, Threat(), Budget(QUERIES), seed=0)]
    theirs = [
        as_published(model.labels, one, int(model.labels(one[None])[0]), np.random.default_rng(i))
        for i, one in enumerate(x[:IMAGES])
    ]
    assert np.median(ours) <= np.median(theirs)
