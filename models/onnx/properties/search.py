"""A property decided over one case: points are tried, and boxes are split until none is left in doubt.

A box is done with where every part of what is wanted has a condition that fails all over it (Wang et al. 2018, ReluVal,
with linear bounds, Zhang et al. 2018). It is split along the input whose width the steepest such bound depends on most.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.onnx.properties.bounding import BoxBounding
from models.onnx.properties.subject import Subject
from models.properties.conditions import PropertyCase

Answer = Literal["sat", "unsat", "unknown", "timeout"]
BATCH = 256  # boxes bounded at once
WAITING = 2**20  # boxes in doubt at the most: beyond, the answer is unknown
NARROWEST = 1e-9  # of an input, relative to its size: such a box is not split


@dataclass(frozen=True)
class PropertyVerdict:
    """A verdict is what is known of a property. `inputs` and `outputs`: what onnxruntime answered, of a sat."""

    answer: Answer
    inputs: NDArray[np.float32] | None = None
    outputs: NDArray[np.float32] | None = None
    domains: int = 0  # that were bounded
    reason: str | None = None  # why it is unknown

    def witness(self) -> list[str]:
        """Write inputs and outputs in lines as the competition has them: ((X_0 number) ... (Y_0 number) ...)."""
        if self.inputs is None or self.outputs is None:
            return []
        named = [
            f"({name}_{i} {float(number)!r})"
            for name, values in (("X", self.inputs), ("Y", self.outputs))
            for i, number in enumerate(values)
        ]
        return [f"({named[0]}", *named[1:-1], f"{named[-1]})"]


class CaseSearch:
    """A case search goes on in rounds, so that whoever asks decides how long it lasts."""

    def __init__(self, subject: Subject, bounding: BoxBounding, case: PropertyCase) -> None:
        self._subject, self._bounding, self._case = subject, bounding, case
        self._lower, self._upper = (torch.tensor(ends)[None] for ends in (case.lower, case.upper))
        self._matrix = torch.tensor(np.concatenate([part.matrix for part in case.parts]))
        self._limits = torch.tensor(np.concatenate([part.limits for part in case.parts]))
        self._owner = torch.tensor(np.repeat(range(len(case.parts)), [len(part.limits) for part in case.parts]))
        self.boxes = 0

    def try_points(self, points: NDArray[np.float64]) -> PropertyVerdict | None:
        """Ask about points (n, inputs), moved into the box as float32: a verdict where one is what is looked for."""
        inputs = _within(points, self._case)
        if inputs is None:
            return None
        outputs = self._subject.answer(inputs)
        excess = np.min([part.excess(outputs) for part in self._case.parts], axis=0)
        best = int(np.argmin(np.where(np.isnan(excess), np.inf, excess)))
        if not excess[best] <= 0:
            return None
        return PropertyVerdict("sat", inputs[best], outputs[best], self.boxes)

    def advance(self) -> PropertyVerdict | None:
        """Bound the boxes that have waited for the shortest time, and split those in doubt: a verdict at the end."""
        lower, upper = self._lower[-BATCH:], self._upper[-BATCH:]
        self._lower, self._upper = self._lower[:-BATCH], self._upper[:-BATCH]
        if not len(lower):
            return PropertyVerdict("unsat", domains=self.boxes)
        found = self._bounding.bound(lower, upper, self._matrix, self._limits)
        self.boxes += len(lower)
        best, which = self._best_of_parts(found.least)  # (n, parts)
        doubtful = (best <= 0).any(1)
        if not doubtful.any():
            return PropertyVerdict("unsat", domains=self.boxes) if not len(self._lower) else None
        worst = best[doubtful].argmin(1, keepdim=True)
        condition = which[doubtful].gather(1, worst)[:, 0]
        slopes = found.slopes[doubtful, condition]
        lower, upper = lower[doubtful], upper[doubtful]
        if (verdict := self.try_points(torch.where(slopes > 0, lower, upper).numpy())) is not None:
            return verdict
        return self._split(lower, upper, slopes)

    def _best_of_parts(self, least: Tensor) -> tuple[Tensor, Tensor]:
        """Of each part the condition that fails most surely: its bound, and its place among all."""
        bounds, places = [], []
        for part in range(len(self._case.parts)):
            own = (self._owner == part).nonzero()[:, 0]
            best = least[:, own].max(1)
            bounds.append(best.values)
            places.append(own[best.indices])
        return torch.stack(bounds, 1), torch.stack(places, 1)

    def _split(self, lower: Tensor, upper: Tensor, slopes: Tensor) -> PropertyVerdict | None:
        width, size = upper - lower, torch.maximum(lower.abs(), upper.abs()).clamp(min=1e-3)
        can = width > NARROWEST * size
        if not can.any(1).all() or len(self._lower) + 2 * len(lower) > WAITING:
            return PropertyVerdict("unknown", domains=self.boxes)
        weight = torch.where(can, (slopes.abs().nan_to_num(nan=0.0, posinf=1e30) + 1e-12) * width, -1.0)
        axis = weight.argmax(1, keepdim=True)
        middle = ((lower + upper) / 2).gather(1, axis)
        self._lower = torch.cat([self._lower, lower, lower.scatter(1, axis, middle)])
        self._upper = torch.cat([self._upper, upper.scatter(1, axis, middle), upper])
        return None


def _within(points: NDArray[np.float64], case: PropertyCase) -> NDArray[np.float32] | None:
    """The nearest float32 numbers in the box; None where a side of it holds none."""
    least = case.lower.astype(np.float32)
    least = np.where(least < case.lower, np.nextafter(least, np.float32(np.inf)), least)
    most = case.upper.astype(np.float32)
    most = np.where(most > case.upper, np.nextafter(most, np.float32(-np.inf)), most)
    if (least > most).any():
        return None
    return np.clip(points.astype(np.float32), least, most).astype(np.float32)
