"""Exact steps onto a hyperplane within a box: the least change, in a norm, at which a linear function becomes 0.

Croce & Hein, ICML 2020 (FAB), eq. 5 to 7. Each feature moves against the slope, by an amount a_j between 0 and the room
the box leaves it; sum_j |w_j| a_j must come to the gap. Least is then, with one number t a row,

    l2: a_j = min(t |w_j|, room_j)    linf: a_j = min(t, room_j)    l1: the steepest features first, each all its room

Where the box holds no point of the hyperplane every feature moves all its room, as near as the box lets. Rows are flat.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm


def step_onto(
    x: NDArray[np.floating], slopes: Numbers, gaps: Numbers, norm: Norm, lower: Numbers, upper: Numbers
) -> Numbers:
    """Find the least changes (m, d) with gap + <slopes, change> = 0 that keep the points x (m, d) in the box.

    A feature whose slope is 0 stays; a row all of whose slopes are stays where it is.
    """
    w = np.where(gaps[:, None] < 0, -slopes, slopes)  # so that the gap is to fall
    steep = np.abs(w)
    room = np.where(w > 0, x - lower, upper - x).astype(np.float64)
    room = np.where(steep > 0, np.maximum(room, 0.0), 0.0)
    amount = _greedy(steep, room, np.abs(gaps)) if norm is Norm.L1 else _even(steep, room, np.abs(gaps), norm)
    return np.asarray(-np.sign(w) * amount)


def _even(steep: Numbers, room: Numbers, gaps: Numbers, norm: Norm) -> Numbers:
    """a_j = min(t u_j, room_j), u_j = 1 or |w_j|: what is gained, sum_j |w_j| a_j, bends at each t = room_j / u_j."""
    unit = np.ones_like(steep) if norm is Norm.LINF else steep
    knots = np.divide(room, unit, out=np.zeros_like(room), where=unit > 0)
    order = np.argsort(knots, axis=1, kind="stable")
    rise = np.take_along_axis(steep * unit, order, axis=1)
    used = np.take_along_axis(_gain(steep, room), order, axis=1)  # by features that have used their room
    before = np.concatenate([np.zeros((len(used), 1)), np.cumsum(used, axis=1)[:, :-1]], axis=1)
    left = np.cumsum(rise[:, ::-1], axis=1)[:, ::-1]  # the rise of the others, this one included
    knots = np.take_along_axis(knots, order, axis=1)
    reached = before + np.multiply(knots, left, out=np.zeros_like(knots), where=left > 0)
    closes: Mask = np.asarray(reached >= gaps[:, None])
    first = np.argmax(closes, axis=1)[:, None]  # the knot before which, or at which, the gap is closed
    has_any = np.asarray(closes.any(axis=1))
    rise_there, gained = (np.take_along_axis(part, first, axis=1)[:, 0] for part in (left, before))
    t = np.divide(gaps - gained, rise_there, out=np.zeros_like(gaps), where=has_any & (rise_there > 0))
    return np.where(has_any[:, None], np.minimum(t[:, None] * unit, room), np.where(np.isfinite(room), room, 0.0))


def _greedy(steep: Numbers, room: Numbers, gaps: Numbers) -> Numbers:
    """The steepest features first, each all its room, until the gap is closed."""
    order = np.argsort(-steep, axis=1, kind="stable")
    gain = np.take_along_axis(_gain(steep, room), order, axis=1)
    before = np.concatenate([np.zeros((len(gain), 1)), np.cumsum(gain, axis=1)[:, :-1]], axis=1)
    sorted_steep = np.take_along_axis(steep, order, axis=1)
    lacking = np.where(before < gaps[:, None], gaps[:, None] - np.minimum(before, gaps[:, None]), 0.0)
    share = np.divide(lacking, sorted_steep, out=np.zeros_like(lacking), where=sorted_steep > 0)
    amount = np.minimum(share, np.take_along_axis(room, order, axis=1))
    found = np.zeros_like(amount)
    np.put_along_axis(found, order, amount, axis=1)
    return found


def _gain(steep: Numbers, room: Numbers) -> Numbers:
    """|w_j| room_j, 0 where a slope is."""
    return np.asarray(np.multiply(steep, room, out=np.zeros_like(room), where=steep > 0))
