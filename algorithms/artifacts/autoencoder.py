"""The auto-encoder whose decoder directions are drawn through: which layers it has for samples of a shape.

As in Tu et al., AutoZOOM, AAAI 2019, arXiv:1805.11770: blocks of a 3x3 convolution, a rectifier and a 2x2 pooling, and
the way back with nearest-neighbor upsampling. Features that are no image get two dense layers each way.

Two things are not the paper's. It works on samples less their mean, and no layer has a bias: so the decoder makes
nothing of zeros, and a times as much of a times as much. What it is asked for are offsets, and no offset is one, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from algorithms.mathematics.windows import Canvas

CHANNELS = 16  # of every layer within (the paper's code)
HIDDEN = 64  # numbers of the layer within, of features that are no image
MOST_LATENT = 200  # numbers that are left where more blocks can leave fewer: 196 of MNIST, 192 of CIFAR (the paper's)
MOST_BLOCKS = 3  # 16 x 16 x 3 of 128 x 128 (the paper's, for ImageNet)


@dataclass(frozen=True)
class Autoencoder:
    """An auto-encoder has layers; `sizes` are heights and widths, outermost first, empty of what is no image."""

    canvas: Canvas
    sizes: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, shape: tuple[int, ...], blocks: int | None) -> Self:
        """Halve images so often; None: until about 200 numbers are left, three times at the most."""
        canvas = Canvas.of(shape)
        if canvas.height == 1:
            return cls(canvas, ())
        sizes = [(canvas.height, canvas.width)]
        while len(sizes) <= (MOST_BLOCKS if blocks is None else blocks) and min(sizes[-1]) > 1:
            if blocks is None and len(sizes) > 1 and canvas.channels * sizes[-1][0] * sizes[-1][1] <= MOST_LATENT:
                break
            sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
        return cls(canvas, tuple(sizes))

    @property
    def is_dense(self) -> bool:
        """Tells whether it takes samples for vectors of features, not for images."""
        return not self.sizes

    @property
    def latent(self) -> tuple[int, ...]:
        """Returns the shape of what the encoder leaves of a sample."""
        if self.is_dense:
            return (-(-self.canvas.width // 4),)
        return (self.canvas.channels, *self.sizes[-1])

    @cached_property
    def encoder(self) -> Mapping[str, tuple[int, ...]]:
        """Names the encoder's weights in order, with their shapes: (outputs, inputs), of convolutions (..., 3, 3)."""
        if self.is_dense:
            return _named("encoder", self.canvas.width, HIDDEN, *self.latent)
        within = (CHANNELS,) * (len(self.sizes) - 1)
        return _named("encoder", self.canvas.channels, *within, self.canvas.channels, window=(3, 3))

    @cached_property
    def decoder(self) -> Mapping[str, tuple[int, ...]]:
        """Names the decoder's weights in order, with their shapes."""
        if self.is_dense:
            return _named("decoder", *self.latent, HIDDEN, self.canvas.width)
        within = (CHANNELS,) * (len(self.sizes) - 1)
        return _named("decoder", self.canvas.channels, *within, self.canvas.channels, window=(3, 3))


def _named(part: str, *widths: int, window: tuple[int, ...] = ()) -> Mapping[str, tuple[int, ...]]:
    return {f"{part}.{i}": (widths[i + 1], widths[i], *window) for i in range(len(widths) - 1)}
