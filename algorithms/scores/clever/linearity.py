"""Whether a model whose gradients are all of one length is linear in the ball, or only says so.

A linear model's score is its radius. But a gradient that does not change says nothing by itself: behind a rounding, or
in a sum whose steep part cancels in the gradient alone, the scores move otherwise. So scores and gradients are asked
for on the ball's surface, at random points and straight downhill, and the margins there are held against margin +
gradient . change. That is evidence, at POINTS points and for the FEW leading rivals, not a proof.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.scores.clever.neighborhood import Neighborhood
from algorithms.seam.access import Rows
from algorithms.seam.case import Step
from algorithms.seam.claims import Abstained, Estimate
from algorithms.seam.questions.gradients import AskGradient

POINTS = 16  # the first of them downhill
FEW = 4  # rivals with the highest logits, and the nearest
GRADIENTS = (FEW + 1) * (1 + POINTS)  # at the most
SURFACE = 1_000_000  # counter of the stream: beyond those of all batches
TURNED = 1e-4  # of a gradient's largest entry: two that differ by more are not the same
UNEXPLAINED = 1e-3  # of what the gradient's length allows: a larger gap is not rounding
ROUNDING = 1e-5  # of the largest score


def held_against_scores(near: Neighborhood, found: Estimate) -> Step[Estimate | Abstained]:
    """Keep a score whose maxima all agree, take `degenerate` back, or abstain with `gradient_masked`.

    It is kept where gradients and scores are those of a linear model. Where the gradient turns and keeps its length,
    the end point is that length all the same, and the status is `ok`.
    """
    rivals = np.union1d(near.rivals[:FEW], found.details["rival"])
    x = near.case.x[None]
    _, center = yield from _asked(near, x, rivals)  # (r, 1, *shape)
    points = _surface(near, found.details["radius"], center[list(rivals).index(found.details["rival"]), 0])
    scores, gradients = yield from _asked(near, points, rivals)
    gaps = np.abs(gradients - center).max(axis=(0, *range(2, gradients.ndim)))  # (m,)
    if gaps.max() > TURNED * np.abs(center).max():
        by_norm = {norm: said | {"status": _instead(said["status"])} for norm, said in found.details["by_norm"].items()}
        told = {"status": _instead(found.details["status"]), "by_norm": by_norm}
        return replace(found, details=found.details | told)
    if unexplained := _unexplained(near, rivals, points, scores, center[:, 0]):
        return Abstained("gradient_masked", details=found.details | {"unexplained": unexplained})
    return found


def _instead(status: str) -> str:
    return "ok" if status == "degenerate" else status


def _surface(near: Neighborhood, radius: float, slope: NDArray[np.float32]) -> Rows:
    """Points (POINTS, *shape) as far from the sample as the ball reaches, within the box."""
    x, threat = near.case.x, replace(near.threat, norm=near.ball)
    around = threat.draw_on_sphere(near.case.stream.at(SURFACE), POINTS - 1, x.shape, radius=radius)
    down = threat.ascent_direction(-slope[None])
    down = radius * down / threat.lengths(down)[0]
    return np.asarray(threat.clip((x + np.concatenate([down, around])).astype(np.float32), x))


def _asked(near: Neighborhood, rows: Rows, rivals: NDArray[np.int64]) -> Step[tuple[Numbers, NDArray[np.float32]]]:
    """Ask for scores (m, classes), and for the gradients of the margins over r rivals, (r, m, *shape)."""
    m = len(rows)
    every = np.concatenate([rows] * len(rivals))
    margin = partial(_margins_slope, near.case.label, np.repeat(rivals, m))
    scores, gradients = yield from AskGradient(every, cotangent=margin)
    return scores[:m].astype(np.float64), gradients.reshape(len(rivals), m, *rows.shape[1:])


def _margins_slope(label: int, rivals: NDArray[np.int64], scores: Any, positions: NDArray[np.int64]) -> Any:
    """d(f_label - f_rival) / dscores: (s, classes)."""
    slope = np.zeros(scores.shape, np.float32)
    slope[:, label] = 1
    slope[np.arange(len(positions)), rivals[positions]] = -1
    return array_namespace(scores).asarray(slope)


def _unexplained(
    near: Neighborhood, rivals: NDArray[np.int64], points: Rows, scores: Numbers, slopes: NDArray[np.float32]
) -> float | None:
    """Find the largest gap between the margins and a linear model's, in parts of what the slopes allow.

    None where rounding explains all.
    """
    assert near.case.scores is not None
    change = (points - near.case.x.astype(np.float64)).reshape(len(points), -1)  # (m, d)
    flat = slopes.reshape(len(rivals), -1).astype(np.float64)  # (r, d)
    clean = near.case.scores.astype(np.float64)
    before, after = clean[near.case.label] - clean[rivals], scores[:, [near.case.label]] - scores[:, rivals]
    gap = np.abs(after - before - change @ flat.T)  # (m, r)
    allowed = np.linalg.norm(change, axis=1)[:, None] * np.linalg.norm(flat, axis=1).max()
    rounding = ROUNDING * max(np.abs(clean).max(), np.abs(scores).max())
    return float((gap / allowed).max()) if np.any(gap > UNEXPLAINED * allowed + rounding) else None
