"""The auto-encoder of `algorithms/artifacts/autoencoder.py`, trained to give samples back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from algorithms.artifacts.autoencoder import Autoencoder
from algorithms.artifacts.decoding import TrainedDecoder
from algorithms.artifacts.training import STEPS
from algorithms.artifacts.wish import Arrays
from algorithms.errors import Refused
from algorithms.mathematics.streams import Stream
from algorithms.seam.access import Rows
from models.training import loop

STEPS_IN_ALL, BATCH, RATE = 2000, 50, 3e-3
BATCH_NUMBERS = 1 << 20  # of the samples of one step at the most
PROBES = 256  # random latents by which the decoder is scaled
BEGINNING, PROBING = 0, 1  # draws of the stream `autoencoder`; the epochs have one of their own


@dataclass(frozen=True)
class Trained:
    """A training has come so far; `decoder` is there once it is through, and `told` then says how well samples are
    given back: the root of the mean square of what is missed, a feature, and the same of answering their mean.
    """

    state: Arrays
    decoder: Arrays | None
    told: Mapping[str, float]


def train(x: Rows, layers: Autoencoder, left: Arrays, seed: int, is_over: Callable[[float], bool]) -> Trained:
    """Trains on samples (n, *shape) until it is through, or `is_over`. `left`: the state of earlier, {} at first.

    Raises Refused where all samples are the same.
    """
    centered = x - x.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = float(centered.std(dtype=np.float64))
    if not spread > 0:
        raise Refused("The auxiliary samples are all the same, and there is nothing to learn of them; upload others.")
    inputs = torch.from_numpy(np.ascontiguousarray(layers.canvas.view(centered / np.float32(spread))))  # (n, C, H, W)
    batch = max(1, min(BATCH, BATCH_NUMBERS // inputs[0].numel()))
    course = loop.Course(len(inputs), batch, STEPS_IN_ALL, RATE, Stream(seed, 0, "autoencoder.epochs"))

    def loss(weights: Mapping[str, torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(given_back(inputs[rows], weights, layers), inputs[rows])

    stream = Stream(seed, 0, "autoencoder")
    state = loop.train(left or loop.begin(_beginning(layers, stream)), loss, course, is_over)
    if int(state[STEPS]) < course.steps:
        return Trained(state, None, {})
    weights = {name: torch.from_numpy(state[name]) for name in (*layers.encoder, *layers.decoder)}
    told = {"reconstruction_error": spread * _error(inputs, weights, layers, batch), "spread": spread}
    return Trained(state, _scaled({name: state[name] for name in layers.decoder}, layers, stream), told)


def given_back(images: torch.Tensor, weights: Mapping[str, torch.Tensor], layers: Autoencoder) -> torch.Tensor:
    """Encodes and decodes samples (m, C, H, W)."""
    return decoded(encoded(images, weights, layers), weights, layers)


def encoded(images: torch.Tensor, weights: Mapping[str, torch.Tensor], layers: Autoencoder) -> torch.Tensor:
    """Makes latents (m, *latent) of samples (m, C, H, W)."""
    *inner, last = (weights[name] for name in layers.encoder)
    if layers.is_dense:
        return functional.linear(functional.linear(images.flatten(1), inner[0]).relu(), last)
    for kernel in inner:
        images = functional.max_pool2d(functional.conv2d(images, kernel, padding=1).relu(), 2, ceil_mode=True)
    return functional.conv2d(images, last, padding=1)


def decoded(latents: torch.Tensor, weights: Mapping[str, torch.Tensor], layers: Autoencoder) -> torch.Tensor:
    """Makes samples (m, C, H, W) of latents (m, *latent)."""
    *inner, last = (weights[name] for name in layers.decoder)
    if layers.is_dense:
        found = functional.linear(functional.linear(latents, inner[0]).relu(), last)
        return found.reshape(-1, 1, 1, layers.canvas.width)
    for kernel, (height, width) in zip(inner, reversed(layers.sizes[:-1]), strict=True):
        latents = functional.conv2d(latents, kernel, padding=1).relu()
        latents = latents.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)[:, :, :height, :width]
    return functional.conv2d(latents, last, padding=1)


def _beginning(layers: Autoencoder, stream: Stream) -> Arrays:
    """Weights that keep the size of what goes through them (He et al., ICCV 2015)."""
    rng = stream.at(BEGINNING)
    shapes = {**layers.encoder, **layers.decoder}
    return {
        name: (rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(np.float32)
        for name, shape in shapes.items()
    }


def _error(inputs: torch.Tensor, weights: Mapping[str, torch.Tensor], layers: Autoencoder, batch: int) -> float:
    """Root of the mean square over all features of all samples, in units of their spread."""
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(inputs), batch):
            rows = inputs[start : start + batch]
            total += float((given_back(rows, weights, layers) - rows).double().square().sum())
    return float(np.sqrt(total / inputs.numel()))


def _scaled(decoder: Arrays, layers: Autoencoder, stream: Stream) -> Arrays:
    """The decoder whose offsets are as large as its latents: standard normal ones give a mean square of 1 a feature."""
    latents = stream.at(PROBING).standard_normal((PROBES, *layers.latent), dtype=np.float32)
    size = np.sqrt(np.square(TrainedDecoder(layers, decoder)(latents), dtype=np.float64).mean())
    *_, last = layers.decoder
    return {**decoder, last: (decoder[last] / max(size, np.finfo(np.float32).tiny)).astype(np.float32)}
