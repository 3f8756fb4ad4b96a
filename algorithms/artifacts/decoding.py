"""A trained decoder at work: few numbers in, samples out. `models/training/autoencoder.py` does the same in torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.artifacts.autoencoder import Autoencoder
from algorithms.artifacts.wish import Arrays

PART_BYTES = 4 << 20  # of unfolded images at once

Numbers32 = NDArray[np.float32]


@dataclass(frozen=True)
class TrainedDecoder:
    """A decoder D is trained: D(0) = 0, and D(a z) = a D(z) for a > 0. A row's bits do not depend on its company."""

    layers: Autoencoder
    weights: Arrays

    def __call__(self, latents: Numbers32) -> Numbers32:
        """Makes samples (m, *shape) of latents (m, *latent)."""
        if self.layers.is_dense:
            return self._dense(latents).reshape(-1, *self.layers.canvas.shape)
        height, width = self.layers.sizes[0]
        widest = max(shape[1] for shape in self.layers.decoder.values())
        step = max(1, PART_BYTES // (4 * 9 * widest * height * width))
        parts = [self._images(latents[i : i + step]) for i in range(0, len(latents), step)]
        return self.layers.canvas.restore(np.concatenate(parts))

    def _dense(self, latents: Numbers32) -> Numbers32:
        first, last = (self.weights[name] for name in self.layers.decoder)
        hidden = np.maximum(0, first @ latents[:, :, None])  # (m, hidden, 1): a product a row
        found: Numbers32 = (last @ hidden)[:, :, 0]
        return found

    def _images(self, latents: Numbers32) -> Numbers32:
        *inner, last = self.layers.decoder
        images = latents  # (m, C, h, w)
        for name, (height, width) in zip(inner, reversed(self.layers.sizes[:-1]), strict=True):
            images = np.maximum(0, convolved(images, self.weights[name]))
            images = images.repeat(2, axis=2).repeat(2, axis=3)[:, :, :height, :width]
        return convolved(images, self.weights[last])


def convolved(images: Numbers32, kernel: Numbers32) -> Numbers32:
    """Computes the convolution (m, D, h, w) of images (m, C, h, w), zeros around them, with a kernel (D, C, 3, 3)."""
    m, _, height, width = images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))  # (m, C, h, w, 3, 3)
    unfolded = windows.transpose(0, 1, 4, 5, 2, 3).reshape(m, -1, height * width)  # (m, 9 C, h w)
    found: Numbers32 = (kernel.reshape(len(kernel), -1) @ unfolded).reshape(m, -1, height, width)
    return found
