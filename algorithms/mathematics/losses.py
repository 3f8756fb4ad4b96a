"""The losses that gradient attacks climb, by their derivatives in the scores: one term a row.

Every function takes scores (m, classes), labels (m,) and targets (m,) or None, in one array namespace, and returns
dL/dscores (m, classes). Climbing L leads away from the label, or towards the target.
"""

from typing import Literal

from array_api_compat import array_namespace

from algorithms.mathematics.arrays import Array

LossName = Literal["margin", "cross_entropy", "dlr"]


def derivative(name: LossName, scores: Array, labels: Array, targets: Array | None) -> Array:
    """Differentiate the named loss by the scores: dL/dscores (s, classes), in the scores' own array namespace.

    DLR needs 3 classes, targeted 4: with fewer it is the margin, as its paper says.
    """
    needed = 3 if targets is None else 4
    if name == "dlr" and scores.shape[1] >= needed:
        return _dlr(scores, labels) if targets is None else _targeted_dlr(scores, labels, targets)
    if name == "cross_entropy":
        return _cross_entropy(scores, labels, targets)
    return _margin(scores, labels, targets)


def one_hot(classes: Array, scores: Array) -> Array:
    """Mark each row's class (m,) by a 1 among zeros, (m, classes), in the precision of the scores."""
    xp = array_namespace(scores)
    columns = xp.arange(scores.shape[1], device=scores.device)
    return xp.astype(columns[None, :] == classes[:, None], scores.dtype)


def best_other(scores: Array, classes: Array) -> Array:
    """Find the class (m,) with the largest score beside the named one."""
    xp = array_namespace(scores)
    masked = xp.where(one_hot(classes, scores) > 0, xp.full_like(scores, -xp.inf), scores)
    return xp.argmax(masked, axis=1)


def adversarial_margin(scores: Array, labels: Array, targets: Array | None) -> Array:
    """Tell by how much rows are adversarial, (m,): max_{j != y} z_j - z_y, targeted z_t - max_{j != t} z_j.

    Above 0 they are; a tie is not. NaN where no score is the largest: where one is NaN, or the largest infinite.
    """
    xp = array_namespace(scores)
    mine = labels if targets is None else targets
    other = xp.take_along_axis(scores, best_other(scores, mine)[:, None], axis=1)[:, 0]
    own = xp.take_along_axis(scores, xp.astype(mine, xp.int64)[:, None], axis=1)[:, 0]
    has_largest = xp.isfinite(xp.max(scores, axis=1))
    own, other = (xp.where(has_largest, z, xp.full_like(z, xp.nan)) for z in (own, other))
    return other - own if targets is None else own - other


def _margin(scores: Array, labels: Array, targets: Array | None) -> Array:
    """L = max_{j != y} z_j - z_y; targeted L = z_t - max_{j != t} z_j (Carlini & Wagner 2017, f_6, unclipped)."""
    if targets is None:
        return one_hot(best_other(scores, labels), scores) - one_hot(labels, scores)
    return one_hot(targets, scores) - one_hot(best_other(scores, targets), scores)


def _cross_entropy(scores: Array, labels: Array, targets: Array | None) -> Array:
    """L = -log p_y; targeted L = log p_t, with p the soft-max of the scores (Madry et al. 2018)."""
    xp = array_namespace(scores)
    powers = xp.exp(scores - xp.max(scores, axis=1, keepdims=True))
    p = powers / xp.sum(powers, axis=1, keepdims=True)
    return p - one_hot(labels, scores) if targets is None else one_hot(targets, scores) - p


def _ranked(scores: Array) -> tuple[Array, Array]:
    xp = array_namespace(scores)
    order = xp.argsort(scores, axis=1, descending=True, stable=True)
    return order, xp.take_along_axis(scores, order, axis=1)


def _dlr(scores: Array, labels: Array) -> Array:
    """L = -(z_y - max_{i != y} z_i) / (z_(1) - z_(3)) (Croce & Hein 2020, eq. 6)."""
    xp = array_namespace(scores)
    order, ranked = _ranked(scores)
    spread = (ranked[:, 0] - ranked[:, 2] + 1e-12)[:, None]
    other = best_other(scores, labels)
    y, o = one_hot(labels, scores), one_hot(other, scores)
    numerator = xp.sum(scores * (o - y), axis=1, keepdims=True)
    return (o - y) / spread - numerator / spread**2 * (one_hot(order[:, 0], scores) - one_hot(order[:, 2], scores))


def _targeted_dlr(scores: Array, labels: Array, targets: Array) -> Array:
    """L = -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2) (Croce & Hein 2020, eq. 7)."""
    xp = array_namespace(scores)
    order, ranked = _ranked(scores)
    spread = (ranked[:, 0] - (ranked[:, 2] + ranked[:, 3]) / 2 + 1e-12)[:, None]
    y, t = one_hot(labels, scores), one_hot(targets, scores)
    numerator = xp.sum(scores * (t - y), axis=1, keepdims=True)
    third_fourth = (one_hot(order[:, 2], scores) + one_hot(order[:, 3], scores)) / 2
    return (t - y) / spread - numerator / spread**2 * (one_hot(order[:, 0], scores) - third_fourth)
