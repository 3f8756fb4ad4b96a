"""Where a linear function is least on (norm ball around x) intersected with (box): what Frank-Wolfe aims at.

Each feature moves against its slope g_i, by an amount a_i between 0 and the room that the box leaves it:

    linf: a_i = min(r, room_i)    l2: a_i = min(s |g_i|, room_i), with s so that ||a||_2 = r
    l1: the steepest features first, each all its room, until r is spent

Rows are flat. Where a slope is 0 a feature stays.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm


def least(
    slopes: Numbers, x: NDArray[np.floating], radius: Numbers, norm: Norm, lower: Numbers, upper: Numbers
) -> Numbers:
    """Find the changes (m, d) of x (m, d), within radius (m,) and box, at which <slopes, change> is least: float64."""
    steep, center = np.abs(slopes), x.astype(np.float64)
    room = np.where(slopes > 0, center - lower, upper - center)
    room = np.where(steep > 0, np.maximum(room, 0.0), 0.0)
    amount = {Norm.LINF: _even, Norm.L2: _proportional, Norm.L1: _greedy}[norm](steep, room, radius[:, None])
    return np.asarray(-np.sign(slopes) * amount)


def _even(steep: Numbers, room: Numbers, radius: Numbers) -> Numbers:
    del steep
    return np.minimum(room, radius)


def _proportional(steep: Numbers, room: Numbers, radius: Numbers) -> Numbers:
    """Where s grows, features come to their ends one after the other, in the order of room_i / |g_i|."""
    knots = np.divide(room, steep, out=np.zeros_like(room), where=steep > 0)
    order = np.argsort(knots, axis=1, kind="stable")
    knots, steep_there, room_there = (np.take_along_axis(a, order, axis=1) for a in (knots, steep, room))
    squared = np.where(np.isfinite(room_there), room_there, 0.0) ** 2
    ended = np.concatenate([np.zeros((len(room), 1)), np.cumsum(squared, axis=1)[:, :-1]], axis=1)
    free = np.cumsum((steep_there**2)[:, ::-1], axis=1)[:, ::-1]  # of those that have not ended, this one included
    length = ended + np.multiply(knots**2, free, out=np.zeros_like(knots), where=free > 0)
    fills = length >= radius**2
    first = np.argmax(fills, axis=1)[:, None]
    ended, free = (np.take_along_axis(a, first, axis=1) for a in (ended, free))
    s = np.sqrt(np.maximum(radius**2 - ended, 0.0) / np.where(free > 0, free, 1.0))
    return np.where(fills.any(axis=1)[:, None], np.minimum(s * steep, room), room)


def _greedy(steep: Numbers, room: Numbers, radius: Numbers) -> Numbers:
    order = np.argsort(-steep, axis=1, kind="stable")
    there = np.minimum(np.take_along_axis(room, order, axis=1), radius)
    spent = np.concatenate([np.zeros((len(room), 1)), np.cumsum(there, axis=1)[:, :-1]], axis=1)
    amount = np.zeros_like(room)
    np.put_along_axis(amount, order, np.minimum(there, np.maximum(radius - spent, 0.0)), axis=1)
    return amount
