"""The network that learns another model's answers: small, whatever the size of a sample, and differentiable."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, linear, max_pool2d, relu

from algorithms.mathematics.windows import Canvas
from algorithms.seam.access import Rows

SIDE = 32  # larger images are averaged down to less than twice it, so that no size of sample costs more than a minute
SMALL = 8  # convolutions, each halved by a maximum, are added until both sides are at most so long, or one is 1
CHANNELS = (16, 32)  # of the first convolution, and of those after it
HIDDEN = 128
KERNEL, PADDING, HALF = 3, 1, 2

Weights = Mapping[str, Tensor]
Drop = Callable[[Tensor], Tensor]


def _keep(x: Tensor) -> Tensor:
    return x


@dataclass(frozen=True)
class Design:
    """Rows meet convolutions, or two layers of HIDDEN; the last layer but one is what tells them apart."""

    canvas: Canvas
    classes: int
    pooled: int  # side of the squares that are averaged first
    convolutions: int
    flat: int  # numbers that reach the first full layer

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Declare the weights by name; a bias has the length of its weight's first axis."""
        shapes: dict[str, tuple[int, ...]] = {}
        channels = self.canvas.channels
        for i in range(self.convolutions):
            wide = CHANNELS[min(i, 1)]
            shapes[f"convolution_{i}"], channels = (wide, channels, KERNEL, KERNEL), wide
        shapes["full_0"] = (HIDDEN, self.flat)
        if not self.convolutions:
            shapes["full_1"] = (HIDDEN, HIDDEN)
        return {**shapes, "last": (self.classes, HIDDEN)}

    def begin(self, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Draw weights and biases, uniform within 1 / sqrt(inputs of a unit).

        That is small: of what is drawn large, slopes keep a part that no other model shares, and points found by them
        fool fewer (docs/decisions/messages.md has what was measured).
        """
        weights = {}
        for name, shape in self.shapes.items():
            most = 1 / math.sqrt(math.prod(shape[1:]))
            weights[name] = rng.uniform(-most, most, shape).astype(np.float32)
            weights[f"{name}_bias"] = rng.uniform(-most, most, shape[0]).astype(np.float32)
        return weights


@dataclass(frozen=True)
class Imitator:
    """An imitator is weights with what brings rows to scale: (x - shift) / width, () of images, (d,) of vectors."""

    design: Design
    shift: NDArray[np.float32]
    width: NDArray[np.float32]
    weights: Weights

    def entered(self, points: Tensor) -> Tensor:
        """Make of points (m, *shape) what meets the first weights: images (m, C, H, W) averaged down, or vectors."""
        x = arranged(points, self.design)
        return (x - torch.from_numpy(self.shift)) / torch.from_numpy(self.width)

    def features(self, points: Tensor) -> Tensor:
        """Compute what the last layer reads, (m, HIDDEN), of points (m, *shape)."""
        return self.features_within(self.entered(points))

    def logits(self, points: Tensor) -> Tensor:
        """Compute scores (m, classes) of points (m, *shape)."""
        return self.logits_within(self.entered(points))

    def features_within(self, x: Tensor, drop: Drop = _keep) -> Tensor:
        """Compute the features of what `entered` made. `drop`: what is done to them, and to what convolutions give."""
        weights = self.weights
        for i in range(self.design.convolutions):
            name = f"convolution_{i}"
            x = max_pool2d(relu(conv2d(x, weights[name], weights[f"{name}_bias"], padding=PADDING)), HALF)
        x = drop(x.flatten(1)) if self.design.convolutions else x
        x = relu(linear(x, weights["full_0"], weights["full_0_bias"]))
        if not self.design.convolutions:
            x = relu(linear(x, weights["full_1"], weights["full_1_bias"]))
        return drop(x)

    def logits_within(self, x: Tensor, drop: Drop = _keep) -> Tensor:
        """Compute the scores of what `entered` made."""
        return linear(self.features_within(x, drop), self.weights["last"], self.weights["last_bias"])


def designs(shape: tuple[int, ...], classes: int) -> tuple[Design, ...]:
    """List the designs that fit a shape: of images convolutions, then, where they are small, what vectors have.

    A small image may be a table of numbers that stand for themselves, or a model may read it so.
    """
    canvas = Canvas.of(shape)
    dense = Design(canvas, classes, 1, 0, math.prod(shape))
    if canvas.height == 1:
        return (dense,)
    pooled = max(1, min(canvas.height, canvas.width) // SIDE)
    height, width, count = canvas.height // pooled, canvas.width // pooled, 0
    while min(height, width) > 1 and (count == 0 or max(height, width) > SMALL):
        height, width, count = height // HALF, width // HALF, count + 1
    convolved = Design(canvas, classes, pooled, count, CHANNELS[min(count, 2) - 1] * height * width)
    return (convolved, dense) if pooled == 1 else (convolved,)


def arranged(points: Tensor, design: Design) -> Tensor:
    """Make of points (m, *shape) images (m, C, H, W), averaged down, or as vectors (m, d)."""
    canvas = design.canvas
    if not design.convolutions:
        return points.flatten(1)
    if canvas.channels_last:
        images = points.movedim(-1, 1)
    else:
        images = points.reshape(-1, canvas.channels, canvas.height, canvas.width)
    return avg_pool2d(images, design.pooled) if design.pooled > 1 else images


def scale(rows: Rows, design: Design) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Measure (shift, width): images from least to largest number, 0 to 1; each feature of vectors by mean and spread.

    An image keeps its background at 0, as borders are padded. What does not vary is only shifted.
    """
    flat = rows.reshape(len(rows), -1)
    if design.convolutions:
        shift, width = np.asarray(flat.min(), np.float64), np.asarray(flat.max(), np.float64) - flat.min()
    else:
        shift, width = flat.mean(axis=0, dtype=np.float64), flat.std(axis=0, dtype=np.float64)
    steady = width <= 1e-6 * np.maximum(np.abs(shift), 1e-30)
    return np.asarray(shift, np.float32), np.asarray(np.where(steady, 1, width), np.float32)
