"""The losses that gradient attacks climb, and their derivatives in the scores: one term a row.

Every function takes scores (m, classes), labels (m,) and targets (m,) or None, in one array namespace. Climbing L leads
away from the label, or towards the target.
"""

from typing import Literal

from array_api_compat import array_namespace

from algorithms.mathematics.arrays import Array

LossName = Literal["margin", "cross_entropy", "dlr"]


def derivative(name: LossName, scores: Array, labels: Array, targets: Array | None) -> Array:
    """Differentiate the named loss by the scores: dL/dscores (s, classes), in the scores' own array namespace.

    DLR needs 3 classes, targeted 4: with fewer it is the margin, as its paper says. So it is of a row that has a score
    which is no finite number. A row that names no class has nothing to climb: 0.
    """
    xp = array_namespace(scores)
    if name == "cross_entropy":
        names_class = xp.isfinite(xp.max(scores, axis=1))[:, None]
        nothing = xp.zeros_like(scores)
        slopes = _cross_entropy(xp.where(names_class, scores, nothing), labels, targets)
        return xp.where(names_class, slopes, nothing)
    margin = _margin(scores, labels, targets)
    if name == "dlr" and has_dlr(scores.shape[1], is_targeted=targets is not None):
        finite = xp.all(xp.isfinite(scores), axis=1)[:, None]
        known = xp.where(finite, scores, xp.zeros_like(scores))
        ratio = _dlr(known, labels) if targets is None else _targeted_dlr(known, labels, targets)
        return xp.where(finite, ratio, margin)
    return margin


def value(name: LossName, scores: Array, labels: Array, targets: Array | None) -> Array:
    """Measure the named loss L (m,), whose derivative `derivative` is; NaN where a row names no class."""
    xp = array_namespace(scores)
    margin = adversarial_margin(scores, labels, targets)
    if name == "cross_entropy":
        top = xp.where(xp.isfinite(margin), xp.max(scores, axis=1), xp.zeros_like(margin))
        known = xp.where(xp.isfinite(margin)[:, None], scores, xp.zeros_like(scores))
        log_sum = top + xp.log(xp.sum(xp.exp(known - top[:, None]), axis=1))
        loss = log_sum - _of(known, labels) if targets is None else _of(known, targets) - log_sum
        return xp.where(xp.isfinite(margin), loss, margin)
    if name == "dlr" and has_dlr(scores.shape[1], is_targeted=targets is not None):
        finite = xp.all(xp.isfinite(scores), axis=1)
        known = xp.where(finite[:, None], scores, xp.zeros_like(scores))
        gain = margin if targets is None else _of(known, targets) - _of(known, labels)
        return xp.where(finite, gain / _spread(known, is_targeted=targets is not None), margin)
    return margin


def has_dlr(classes: int, *, is_targeted: bool) -> bool:
    """Tell whether the classes are enough for the ratio of logit differences: three, targeted four."""
    return classes >= (4 if is_targeted else 3)


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
    own = _of(scores, mine)
    has_largest = xp.isfinite(xp.max(scores, axis=1))
    own, other = (xp.where(has_largest, z, xp.full_like(z, xp.nan)) for z in (own, other))
    return other - own if targets is None else own - other


def _of(scores: Array, classes: Array) -> Array:
    """The scores (m,) of these classes."""
    xp = array_namespace(scores)
    return xp.take_along_axis(scores, xp.astype(classes, xp.int64)[:, None], axis=1)[:, 0]


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


def _spread(scores: Array, *, is_targeted: bool) -> Array:
    """z_(1) - z_(3), targeted z_(1) - (z_(3) + z_(4)) / 2: (m,)"""
    _, ranked = _ranked(scores)
    return ranked[:, 0] - ((ranked[:, 2] + ranked[:, 3]) / 2 if is_targeted else ranked[:, 2]) + 1e-12


def _dlr(scores: Array, labels: Array) -> Array:
    """L = -(z_y - max_{i != y} z_i) / (z_(1) - z_(3)) (Croce & Hein 2020, eq. 6)."""
    xp = array_namespace(scores)
    order, spread = _ranked(scores)[0], _spread(scores, is_targeted=False)[:, None]
    other = best_other(scores, labels)
    y, o = one_hot(labels, scores), one_hot(other, scores)
    numerator = xp.sum(scores * (o - y), axis=1, keepdims=True)
    return (o - y) / spread - numerator / spread**2 * (one_hot(order[:, 0], scores) - one_hot(order[:, 2], scores))


def _targeted_dlr(scores: Array, labels: Array, targets: Array) -> Array:
    """L = -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2) (Croce & Hein 2020, eq. 7)."""
    xp = array_namespace(scores)
    order, spread = _ranked(scores)[0], _spread(scores, is_targeted=True)[:, None]
    y, t = one_hot(labels, scores), one_hot(targets, scores)
    numerator = xp.sum(scores * (t - y), axis=1, keepdims=True)
    third_fourth = (one_hot(order[:, 2], scores) + one_hot(order[:, 3], scores)) / 2
    return (t - y) / spread - numerator / spread**2 * (one_hot(order[:, 0], scores) - third_fourth)
