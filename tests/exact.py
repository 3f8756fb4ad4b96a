"""Samples whose robust radius is known exactly: what scores are held against, in tests and in the benchmark."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from algorithms.mathematics.norms import NORMS, Norm
from algorithms.seam.access import Rows
from tests.regions import exact_radius
from tests.truths import Linear, TinyReLU

FAR = 30.0  # a nearest change farther than this is left out: it takes too many regions to find


@dataclass(frozen=True)
class Exact:
    """A model, a sample of it, and the sample's r* in a norm, without a box."""

    model: Linear | TinyReLU
    x: Rows
    norm: Norm
    radius: float
    seed: int

    @property
    def kind(self) -> str:
        return type(self.model).__name__


def exact_cases(linear: int, nets: int) -> Iterator[Exact]:
    """So many linear models, in closed form, and tiny ReLU networks, by enumeration, in each norm."""
    for seed in range(linear):
        rng = np.random.default_rng(seed)
        d, classes = 2 + seed % 30, 2 + seed % 5
        model = Linear(rng.normal(size=(classes, d)), rng.normal(size=classes))
        x = rng.random(d).astype(np.float32)
        label = int(model.logits(x[None].astype(np.float64)).argmax())
        yield from (Exact(model, x, norm, model.radius(x, label, norm), seed) for norm in NORMS)
    left, seed = nets, 1000
    while left:
        found = list(_of_a_net(seed))
        if len(found) == len(NORMS):
            yield from found
            left -= 1
        seed += 1


def _of_a_net(seed: int) -> Iterator[Exact]:
    """In the norms in which some other class is near enough."""
    rng = np.random.default_rng(seed)
    d, hidden, classes = 2 + seed % 2, 5 + seed % 4, 2 + seed % 3
    net = TinyReLU(
        rng.normal(size=(hidden, d)),
        rng.normal(size=hidden),
        rng.normal(size=(classes, hidden)),
        rng.normal(size=classes),
    )
    x = rng.random(d).astype(np.float32)
    label = int(net.logits(x[None].astype(np.float64)).argmax())
    for norm in NORMS:
        radius = exact_radius(net, x.astype(np.float64), label, norm, FAR)
        if np.isfinite(radius):
            yield Exact(net, x, norm, radius, seed)
