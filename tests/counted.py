"""A linear model whose exact distances in l0 are known, counted in features or in pixels, and samples to try it on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.driver.running import Samples
from algorithms.mathematics.windows import Canvas
from tests.truths import Linear

SHAPE = (3, 5, 5)
PIXELS = Canvas.of(SHAPE).pixels


def linear() -> Linear:
    rng = np.random.default_rng(5)
    return Linear(rng.normal(size=(4, 75)), np.array([0.0, -14.0, -15.0, -16.0]), shape=SHAPE)


def samples() -> Samples:
    return Samples(np.random.default_rng(1).uniform(0.2, 0.8, (4, *SHAPE)).astype(np.float32), tuple(range(4)), None)


def exact(model: Linear, pixels: NDArray[Any] | None, rows: NDArray[np.float32] | None = None) -> list[int]:
    """The fewest features, or pixels, of each sample in [0, 1], by what each can add towards each rival."""
    counts = []
    for x in samples().x if rows is None else rows:
        f, each = model.logits(x.astype(float).reshape(1, -1))[0], []
        label = int(f.argmax())
        for rival in (j for j in range(model.classes) if j != label):
            w = model.weights[rival] - model.weights[label]
            gains = np.abs(w) * np.where(w > 0, 1 - x.ravel(), x.ravel())
            gains = gains if pixels is None else np.bincount(pixels.ravel(), gains)
            grown = np.cumsum(np.sort(gains)[::-1])
            each += np.flatnonzero(grown > f[label] - f[rival])[:1].tolist()
        counts.append(1 + min(each))
    return counts
