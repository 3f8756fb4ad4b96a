"""Which rows teach a substitute most: new ones around those that are known, chosen by uncertainty and diversity.

Papernot, McDaniel, Goodfellow, Jha, Celik, Swami, Practical Black-Box Attacks against Machine Learning, AsiaCCS 2017,
arXiv:1602.02697, ask the model about every new row. Li, Yi, Zhang, Query-Efficient Black-Box Attack by Active
Learning, ICDM 2018, arXiv:1809.04913, ask about those that the substitute is least sure of and that differ from each
other.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.threats.threat import Threat

POOL = 4  # rows among which diversity chooses, for each that is asked about: the least certain ones
Places = NDArray[np.int64]


def augmented(rows: Rows, slopes: Rows, threat: Threat[Any], step: float) -> Rows:
    """Move each row (m, *shape) by `step` widths of the box, up or down as its slopes (m, *shape) say.

    x + lambda sgn(J_F[label](x)) (Papernot et al. 2017, eq. 5), valid again: a feature that would leave the box stays
    at its edge.
    """
    moved = rows + np.asarray(step * widths(rows, threat), np.float32) * np.sign(slopes)
    return np.asarray(threat.clip(moved, rows))


def widths(rows: Rows, threat: Threat[Any]) -> Numbers:
    """Measure how wide each feature is, () or (*shape): from end to end of the box, or as far as the rows reach."""
    sides = threat.box.sides
    reach = np.asarray(rows.max(axis=0), np.float64) - rows.min(axis=0)
    return np.where(np.isfinite(sides), sides, reach)


def unseen(rows: Rows, known: Rows) -> Places:
    """List which rows are new, each once: no query is spent on what has been answered."""
    seen = {_digest(row) for row in known}
    places = []
    for i, row in enumerate(rows):
        digest = _digest(row)
        if digest not in seen:
            seen.add(digest)
            places.append(i)
    return np.array(places, np.int64)


def _digest(row: Rows) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(row + np.float32(0)).tobytes()).digest()  # -0 is 0


def certainty(scores: Numbers) -> Numbers:
    """Measure how sure logits (m, classes) are of their class: p of the first class less p of the second, (m,)."""
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = np.sort(odds / odds.sum(axis=1, keepdims=True), axis=1)
    return np.asarray(p[:, -1] - p[:, -2])


def chosen(certain: Numbers, features: Numbers, known: Numbers, count: int) -> Places:
    """Choose `count` of m rows: among the least certain, those farthest from all that is known and from each other.

    `certain` (m,); `features` (m, f) and `known` (n, f) say where rows lie. Greedy k-center: each step takes the row
    whose nearest center is farthest, and makes it a center (Gonzalez 1985). All are chosen where there are no more.
    Ties go to the first.
    """
    if count >= len(certain):
        return np.arange(len(certain))
    pool = np.sort(np.argsort(certain, kind="stable")[: POOL * count])
    places = features[pool]
    distance = _squares(places, known).min(axis=1) if len(known) else np.full(len(pool), np.inf)
    taken: list[int] = []
    for _ in range(count):
        farthest = int(np.argmax(distance))
        taken.append(farthest)
        distance = np.minimum(distance, _squares(places, places[farthest : farthest + 1])[:, 0])
        distance[farthest] = -np.inf
    return np.sort(pool[taken])


def _squares(a: Numbers, b: Numbers) -> Numbers:
    """Squared distances (m, n)."""
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0))
