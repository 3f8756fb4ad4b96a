"""Points that are tried: a witness is one that onnxruntime answers as wanted, on the graph as it was uploaded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.onnx.properties.subject import Subject
from models.properties.conditions import PropertyCase


@dataclass(frozen=True)
class Witness:
    """A witness is an input of a case, and what it was answered."""

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]


def tried(subject: Subject, case: PropertyCase, points: NDArray[np.float64]) -> Witness | None:
    """Ask about points (n, inputs), moved into the box as float32: a witness where one is what is looked for."""
    inputs = within(points, case)
    if inputs is None:
        return None
    outputs = subject.answer(inputs)
    excess = np.stack([part.excess(outputs) for part in case.parts])  # (parts, n)
    part, best = np.unravel_index(np.argmin(np.where(np.isnan(excess), np.inf, excess)), excess.shape)
    if not excess[part, best] <= 0:
        return None
    is_exact = not np.isfinite(outputs[best]).all() or case.parts[part].wants(outputs[best])
    return Witness(inputs[best], outputs[best]) if is_exact else None


def holds_any(case: PropertyCase) -> bool:
    """Tell whether the box holds a point of float32 numbers."""
    return within(case.lower[None], case) is not None


def within(points: NDArray[np.float64], case: PropertyCase) -> NDArray[np.float32] | None:
    """Move points to the nearest float32 numbers in the box; None where a side of it holds none."""
    with np.errstate(over="ignore"):
        least, most = case.lower.astype(np.float32), case.upper.astype(np.float32)
    least = np.where(least < case.lower, np.nextafter(least, np.float32(np.inf)), least)
    most = np.where(most > case.upper, np.nextafter(most, np.float32(-np.inf)), most)
    if not (np.isfinite(least) & np.isfinite(most) & (least <= most)).all():
        return None
    with np.errstate(over="ignore"):
        moved = np.clip(points.astype(np.float32), least, most)
    return np.where(np.isnan(moved), least, moved).astype(np.float32)
