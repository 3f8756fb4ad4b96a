"""An elementwise curve between two lines, the shape that every relaxation of a curve has."""

from dataclasses import dataclass, replace

from torch import Tensor

from models.onnx.bounds.slopes import Slopes, flat


@dataclass(frozen=True)
class Lines:
    """lower_slope x + lower_offset <= y <= upper_slope x + upper_offset; each (R, *shape). Speaks `Relaxed`."""

    lower_slope: Tensor
    lower_offset: Tensor
    upper_slope: Tensor
    upper_offset: Tensor

    def pull(self, slopes: Slopes, rows: Tensor) -> tuple[Slopes, Tensor]:
        rising, falling = slopes.numbers.clamp(min=0), slopes.numbers.clamp(max=0)
        below = rising * slopes.of(self.lower_slope, rows) + falling * slopes.of(self.upper_slope, rows)
        offset = rising * slopes.of(self.lower_offset, rows) + falling * slopes.of(self.upper_offset, rows)
        return replace(slopes, numbers=below), flat(offset).sum(1)


@dataclass(frozen=True)
class Levels:
    """The interval itself, lower <= y <= upper: lines without a slope. Speaks `Relaxed`."""

    lower: Tensor
    upper: Tensor

    def pull(self, slopes: Slopes, rows: Tensor) -> tuple[None, Tensor]:
        rising, falling = slopes.numbers.clamp(min=0), slopes.numbers.clamp(max=0)
        bound = rising * slopes.of(self.lower, rows) + falling * slopes.of(self.upper, rows)
        return None, flat(bound).sum(1)
