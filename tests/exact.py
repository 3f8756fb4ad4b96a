"""Samples whose robust radius is known exactly: what methods are held against, in tests and in the benchmark.

Each kind has a generator of its own, which takes a way of its own to the truth.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from algorithms.mathematics.norms import NORMS, Norm
from algorithms.seam.access import Rows
from tests.nearest import Nearest
from tests.programs import programmed_radius
from tests.regions import exact_radius
from tests.truths import ClosedForm, Linear, TinyReLU, TinyTanh

FAR = 30.0  # a nearest change farther than this is left out: it takes too many regions to find
NEAR = 4.0  # the same for programs, which grow with it, and for rays


@dataclass(frozen=True)
class Exact:
    """A model, a sample of it, and the sample's r* in a norm, without a box."""

    kind: str
    model: ClosedForm
    x: Rows
    norm: Norm
    radius: float
    seed: int


def linear_cases(models: int) -> Iterator[Exact]:
    """So many linear models in each norm, in closed form."""
    for seed in range(models):
        rng = np.random.default_rng(seed)
        d, classes = 2 + seed % 30, 2 + seed % 5
        model = Linear(rng.normal(size=(classes, d)), rng.normal(size=classes))
        x = rng.random(d).astype(np.float32)
        for norm in NORMS:
            yield Exact("linear", model, x, norm, model.radius(x, _label(model, x), norm), seed)


def enumerated_cases(nets: int) -> Iterator[Exact]:
    """So many tiny ReLU networks in each norm, by enumeration of their linear regions."""
    left, seed = nets, 1000
    while left:
        net, x = _relu(seed, 2 + seed % 2, 5 + seed % 4, 2 + seed % 3)
        radii = [exact_radius(net, x.astype(np.float64), _label(net, x), norm, FAR) for norm in NORMS]
        if np.isfinite(radii).all():
            yield from (Exact("tiny ReLU", net, x, norm, r, seed) for norm, r in zip(NORMS, radii, strict=True))
            left -= 1
        seed += 1


def programmed_cases(nets: int) -> Iterator[Exact]:
    """So many ReLU networks with more inputs and units, in l1 and linf, by mixed-integer programs."""
    left, seed = nets, 2000
    while left:
        net, x = _relu(seed, 5 + seed % 4, 12 + seed % 4, 2 + seed % 3)
        norms = (Norm.L1, Norm.LINF)
        radii = [programmed_radius(net, x.astype(np.float64), _label(net, x), norm, NEAR) for norm in norms]
        if np.isfinite(radii).all():
            yield from (Exact("ReLU by programs", net, x, norm, r, seed) for norm, r in zip(norms, radii, strict=True))
            left -= 1
        seed += 1


def smooth_cases(nets: int) -> Iterator[Exact]:
    """So many tanh networks of the plane in l2, along rays that draw together around the shortest."""
    left, seed = nets, 3000
    while left:
        net, x = TinyTanh(seed), np.random.default_rng(seed).random(2).astype(np.float32)
        radius = radius_along_rays(net, x.astype(np.float64), _label(net, x))
        if np.isfinite(radius):
            yield Exact("tanh", net, x, Norm.L2, radius, seed)
            left -= 1
        seed += 1


def neighbor_cases(models: int) -> Iterator[Exact]:
    """So many nearest-neighbor models in l2, by a quadratic program for each point of another class."""
    for seed in range(4000, 4000 + models):
        rng = np.random.default_rng(seed)
        points, labels = rng.random((40, 2 + seed % 5)), np.arange(40) % (2 + seed % 3)
        model, x = Nearest(points, labels), rng.random(points.shape[1]).astype(np.float32)
        yield Exact("nearest neighbor", model, x, Norm.L2, model.radius(x, _label(model, x), Norm.L2), seed)


def _label(model: ClosedForm, x: Rows) -> int:
    return int(model.logits(x[None].astype(np.float64)).argmax())


def _relu(seed: int, d: int, hidden: int, classes: int) -> tuple[TinyReLU, Rows]:
    rng = np.random.default_rng(seed)
    W, a = rng.normal(size=(hidden, d)), rng.normal(size=hidden)
    net = TinyReLU(W, a, rng.normal(size=(classes, hidden)), rng.normal(size=classes))
    return net, rng.random(d).astype(np.float32)


def radius_along_rays(net: ClosedForm, x: np.ndarray, label: int) -> float:
    """The distance of the nearest other class in the plane: 720 rays, then thrice as many around the shortest."""
    middle, half = np.pi, np.pi
    for _ in range(4):
        angles = np.linspace(middle - half, middle + half, 720)
        away = _ends(net, x, label, np.stack([np.cos(angles), np.sin(angles)], axis=1))
        middle, half = angles[away.argmin()], half / 100
    return float(away.min())


def _ends(net: ClosedForm, x: np.ndarray, label: int, rays: np.ndarray) -> np.ndarray:
    """How far along each ray (n, 2) the answer changes first; infinite if beyond NEAR."""

    def is_other(away: np.ndarray) -> np.ndarray:  # (n,) or (n, m) distances along the rays
        points = x + away[..., None] * rays.reshape(len(rays), *[1] * (away.ndim - 1), 2)
        return net.logits(points.reshape(-1, 2)).argmax(axis=1).reshape(away.shape) != label

    tried = np.broadcast_to(np.linspace(0, NEAR, 201), (len(rays), 201))
    changed = is_other(tried)
    first = changed.argmax(axis=1)
    low, high = tried[0, np.maximum(first - 1, 0)], np.where(changed.any(axis=1), tried[0, first], np.inf)
    for _ in range(40):
        middle = np.where(np.isfinite(high), (low + high) / 2, 0.0)
        there = is_other(middle)
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return high
