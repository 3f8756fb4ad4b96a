"""The exact minimum of a linear function over a norm ball cut to a box, by another road than the models take."""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.norms import Norm
from algorithms.threats.threat import Box

Array = NDArray[np.float64]


def least_change(w: Array, x: Array, radius: float, norm: Norm, box: Box) -> float:
    """min of w.h over ||h||_p <= radius with x + h in the box; w, x: (d,)."""
    lower, upper = (np.broadcast_to(side.ravel() if side.ndim else side, x.shape) for side in (box.lower, box.upper))
    gain, room = np.abs(w), np.where(w > 0, x - lower, upper - x)
    if norm is Norm.LINF:
        steps = np.minimum(room, radius)
    elif norm is Norm.L1:
        steps = _spent_greedily(gain, room, radius)
    else:
        steps = _water_filled(gain, np.minimum(room, radius), radius)
    return -float(gain @ steps)


def _spent_greedily(gain: Array, room: Array, radius: float) -> Array:
    """The fractional knapsack: the steepest features first, each as far as its room goes."""
    steps, left = np.zeros_like(gain), radius
    for i in np.argsort(-gain):
        steps[i] = min(room[i], left)
        left -= steps[i]
    return steps


def _water_filled(gain: Array, room: Array, radius: float) -> Array:
    """min(gain * s, room) with the s that makes it as long as the radius, by bisection; all the room if that fits."""
    if np.linalg.norm(room * (gain > 0)) <= radius:
        return room
    low, high = 0.0, 2 * radius / gain[gain > 0].min()
    for _ in range(200):
        middle = (low + high) / 2
        is_short = np.linalg.norm(np.minimum(gain * middle, room)) <= radius
        low, high = (middle, high) if is_short else (low, middle)
    return np.minimum(gain * low, room)
