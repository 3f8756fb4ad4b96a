"""Curves made of rectifiers: Relu, LeakyRelu, Clip, Abs and MaxPool."""

import numpy as np

from algorithms.mathematics.arrays import Numbers
from models.onnx.bounds.programs.expressions import Expression
from models.onnx.bounds.programs.program import ProgramDraft
from models.onnx.bounds.rules.curves.convex import Absolute
from models.onnx.bounds.rules.curves.rectifiers import Clamp, Rectifier
from models.onnx.bounds.rules.mixing.maximum import MaxPool

Straight = Rectifier | Absolute | Clamp | MaxPool
STRAIGHT = (Rectifier, Absolute, Clamp, MaxPool)


def bend(draft: ProgramDraft, curve: Straight, e: Expression, lower: Numbers, upper: Numbers) -> Expression:
    """Express a curve's answers, where its inputs lie between two numbers. What error it adds is the caller's."""
    match curve:
        case Rectifier(leak=0.0):
            return draft.rectify(e, lower, upper)
        case Rectifier(leak=leak):
            return e.times(leak).plus(draft.rectify(e, lower, upper).times(1 - leak))
        case Absolute():
            return e.times(-1.0).plus(draft.rectify(e, lower, upper).times(2.0))
        case Clamp():
            return _clamped(draft, curve, e, lower, upper)
        case MaxPool():
            return _largest(draft, curve, e, lower, upper)


def _clamped(draft: ProgramDraft, curve: Clamp, e: Expression, lower: Numbers, upper: Numbers) -> Expression:
    """max(z, least) = least + max(z - least, 0); min(y, most) = y - max(y - most, 0)."""
    if np.isfinite(curve.least):
        e = draft.rectify(e.shifted(-curve.least), lower - curve.least, upper - curve.least).shifted(curve.least)
        lower, upper = np.maximum(lower, curve.least), np.maximum(upper, curve.least)
    if np.isfinite(curve.most):
        over = draft.rectify(e.shifted(-curve.most), lower - curve.most, upper - curve.most)
        e = e.plus(over.times(-1.0))
    return e


def _largest(draft: ProgramDraft, curve: MaxPool, e: Expression, lower: Numbers, upper: Numbers) -> Expression:
    """max(a, b) = a + max(b - a, 0), one element of each window after the other, the likeliest first."""
    from scipy import sparse

    places = curve.places()  # (windows, elements), one beyond the last number for padding
    low, high = (np.append(bounds, -np.inf)[places] for bounds in (lower, upper))
    order = np.argsort(-np.where(np.isfinite(low), low + high, -np.inf), axis=1, kind="stable")
    places, low, high = (np.take_along_axis(values, order, 1) for values in (places, low, high))
    best, least, most, beaten = e.at(places[:, 0]), low[:, 0], high[:, 0], low.max(axis=1)
    for k in range(1, places.shape[1]):
        rivals = np.flatnonzero(high[:, k] > beaten)
        if not len(rivals):
            continue
        gap = e.at(places[rivals, k]).plus(best.at(rivals).times(-1.0))
        more = draft.rectify(gap, low[rivals, k] - most[rivals], high[rivals, k] - least[rivals])
        spread = sparse.csr_array(
            (np.ones(len(rivals)), (rivals, np.arange(len(rivals)))), shape=(len(places), len(rivals))
        )
        best = best.plus(more.through(spread))
        least, most = np.maximum(least, low[:, k]), np.maximum(most, high[:, k])
    return best
