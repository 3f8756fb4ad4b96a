"""Where the windows of convolutions and pools lie."""

from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from models.onnx.bounds.graph.node import Node


@dataclass(frozen=True)
class Span:
    """A span is windows of `kernel` elements, `dilations` apart, every `strides`, axes padded by `begins` and `ends`.

    `ends` is what makes the last window fit: less than nothing where a remainder is not looked at.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    begins: tuple[int, ...]
    ends: tuple[int, ...]

    def pad(self, x: Tensor, value: float = 0.0) -> Tensor:
        return x if not any(self._amounts()) else F.pad(x, self._amounts(), value=value)

    def unpad(self, x: Tensor) -> Tensor:
        """Transpose `pad` with zeros."""
        return x if not any(self._amounts()) else F.pad(x, [-amount for amount in self._amounts()])

    def corner(self, windows: Tensor) -> Tensor:
        """Find the first elements that first windows (B, axes) look at, counted without padding."""
        return windows * _there(self.strides, windows.device) - _there(self.begins, windows.device)

    def extent(self, windows: tuple[int, ...]) -> tuple[int, ...]:
        """Count the elements that so many neighboring windows look at."""
        axes = zip(windows, self.strides, self.dilations, self.kernel, strict=True)
        return tuple((count - 1) * stride + dilation * (kernel - 1) + 1 for count, stride, dilation, kernel in axes)

    @property
    def has_padding(self) -> bool:
        return any(amount > 0 for amount in self._amounts())

    def _amounts(self) -> list[int]:
        """As torch wants them: the last axis first."""
        pairs = list(zip(self.begins, self.ends, strict=True))
        return [amount for pair in reversed(pairs) for amount in pair]


@lru_cache(maxsize=1024)
def _there(numbers: tuple[int, ...], device: torch.device) -> Tensor:
    """As a tensor, made once: a card is waited for whenever numbers are sent to it."""
    return torch.tensor(numbers, device=device)


def span(node: Node, kernel: tuple[int, ...]) -> Span:
    """Read windows from attributes and from the sizes that were seen: `ceil_mode` and `auto_pad` are in them."""
    size, axes = len(kernel), range(len(kernel))
    if not 1 <= size <= 3:
        raise node.unsupported(f"over {size} axes")
    strides = tuple(node.attribute("strides", [1] * size))
    dilations = tuple(node.attribute("dilations", [1] * size))
    before, after = node.shape(0)[1:], node.out[1:]
    totals = [(after[i] - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 - before[i] for i in axes]
    begins = _begins(node, totals)
    return Span(kernel, strides, dilations, begins, tuple(t - b for t, b in zip(totals, begins, strict=True)))


def _begins(node: Node, totals: list[int]) -> tuple[int, ...]:
    mode = node.attribute("auto_pad", b"NOTSET").decode()
    if mode == "NOTSET":
        return tuple(node.attribute("pads", [0] * 2 * len(totals))[: len(totals)])
    if mode == "VALID":
        return (0,) * len(totals)
    halves = [max(total, 0) // 2 for total in totals]
    return tuple(max(t, 0) - h if mode == "SAME_LOWER" else h for t, h in zip(totals, halves, strict=True))
