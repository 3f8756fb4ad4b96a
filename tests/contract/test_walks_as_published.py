"""CGBA, CGBA-H and the tangent attack against their papers' algorithms, written down again, on a trained network."""

import math
from collections.abc import Callable
from itertools import count

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
Point = np.ndarray
Wins = Callable[[Point], bool]


class Spent(Exception):
    pass


def length(v: Point) -> float:
    return float(np.linalg.norm(v))


def back(x: Point, far: Point, wins: Wins, precision: float) -> Point:
    """Straight to the sample, by halving."""
    low, high = 0.0, 1.0
    while high - low > precision:
        middle = (low + high) / 2
        low, high = (low, middle) if wins(x + middle * (far - x)) else (middle, high)
    return x + high * (far - x)


def on_circle(x: Point, z: Point, g: Point, angle: float) -> Point:
    """z(angle) as the code of CGBA has it: zeta is g + m v, with m so that the angle between zeta and v is this one."""
    v, g = (z - x) / length(z - x), g / length(g)
    theta = math.acos(np.clip((v * g).sum(), -1, 1))
    zeta = g + (math.sin(theta) / math.tan(angle) - math.cos(theta)) * v
    zeta /= length(zeta)
    return x + zeta * (zeta * v).sum() * length(z - x)


def cgba(x: Point, z: Point, g: Point, k: int, wins: Wins) -> Point:
    clean = next(a for i in count(1) if not wins(on_circle(x, z, g, a := math.pi / 2 * (1 - 0.5**i))))
    low, high, point = 0.0, clean, z
    while (high - low) * length(z - x) > 1e-4:
        middle = (low + high) / 2
        there = on_circle(x, z, g, middle)
        low, high, point = (middle, high, there) if wins(there) else (low, middle, point)
    return point


def cgba_h(x: Point, z: Point, g: Point, k: int, wins: Wins) -> Point:
    theta = math.acos(((z - x) * g).sum() / length(z - x) / length(g))
    far = next(there for i in count(1) if wins(there := on_circle(x, z, g, theta / 2**i)))
    return back(x, far, wins, 1e-4 / length(far - x))


def tangent(x: Point, z: Point, g: Point, k: int, wins: Wins) -> Point:
    """Algorithm 1 of Ma et al. 2021, by angles: x is seen alpha below the plane, the tangent point gamma above it."""
    u, away = g / length(g), x - z
    alpha = math.asin(-(away * u).sum() / length(away))
    aside = away - (away * u).sum() * u
    for halved in count():
        R = length(away) / math.sqrt(k) / 2**halved
        gamma = math.acos(min(1.0, R / length(away))) - alpha
        there = z + R * (math.cos(gamma) * aside / length(aside) + math.sin(gamma) * u)
        if wins(there):
            return back(x, there, wins, 1 / x.size**1.5)
    raise AssertionError


def as_published(
    labels: Callable[[Rows], np.ndarray], x: Rows, label: int, name: str, rng: np.random.Generator
) -> float:
    """The distance after QUERIES queries, in float64 as the authors' code."""
    advance, first = {"cgba": (cgba, 30), "cgba_h": (cgba_h, 30), "tangent": (tangent, 100)}[name]
    asked, best, x = 0, np.inf, x.astype(np.float64)

    def phi(rows: np.ndarray) -> np.ndarray:
        nonlocal asked
        asked += len(rows)
        if asked > QUERIES:
            raise Spent
        return labels(np.clip(rows, 0, 1).astype(np.float32)) != label

    def wins(row: Point) -> bool:
        return bool(phi(row[None])[0])

    try:
        while not wins(far := rng.uniform(size=x.shape)):
            pass
        z = back(x, far, wins, 1e-4)
        for k in range(1, 100):
            best = min(best, length(z - x))
            u = rng.normal(size=(int(first * math.sqrt(k)), *x.shape))
            v = 2.0 * phi(z + 2e-4 * u) - 1
            z = advance(x, z, (v.reshape(-1, 1, 1, 1) * u).mean(axis=0), k, wins)
    except Spent:
        pass
    return best


@pytest.mark.reference
@pytest.mark.parametrize("name", ["cgba", "cgba_h", "tangent"])
def test_at_equal_queries_it_is_no_worse_than_as_published(name):
    """Medians of 12 images at 1,000 queries: here it starts from the nearest of many, there from the first noise."""
    net = data_folder("nets/mnist_convsmall_nat.onnx")
    x = images((1, 28, 28), 200)
    model = OnnxClassifier(read(check(net.read_bytes()), None), None, "cpu")
    chosen = method(name)
    what = Samples(x[:IMAGES], tuple(range(IMAGES)), None, pool=x)
    params = chosen.params(directions="full")
    ours = run(model, what, chosen, params, Threat(norm=Norm.L2), Budget(QUERIES), seed=0)
    rng = np.random.default_rng(0)
    theirs = [
        as_published(model.labels, row, int(label), name, rng)
        for row, label in zip(what.x, model.labels(what.x), strict=True)
    ]
    ratio = np.median([outcome.finding.value for outcome in ours]) / np.median(theirs)
    assert 0.5 < ratio < 0.95
