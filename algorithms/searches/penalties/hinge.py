"""The hinge of an attack: how much a point is short of being adversarial, and how that changes with the scores.

    f(x) = max(0, min over j of (z_y - z_j + kappa) / s_j)      untargeted, over the other classes j
    f(x) = max(0, (max over i of z_i - z_t + kappa) / s_t)      targeted, over the classes i beside t

With all s_j = 1 that is f_6 of Carlini & Wagner, S&P 2017. In units of the sample, s_j is the length of the slope of
z_y - z_j there, in the dual norm, times the distance of the nearest rival, both to first order: what is short is then
measured in distances of the nearest, 1 at the sample, and the rival that is followed need not be the one that leads.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from array_api_compat import array_namespace

from algorithms.mathematics.arrays import Array, Numbers
from algorithms.mathematics.losses import best_other, one_hot
from algorithms.seam.access import Labels
from algorithms.seam.case import Cohort, Step
from algorithms.seam.question import Owners
from algorithms.searches.boundaries.first_order import rank_rivals
from algorithms.searches.tallies.successes import Successes, on_host

UnitsName = Literal["sample", "box"]
NO_AIM = -1
LEAST = -1e30  # what scores below it are taken for


@dataclass(frozen=True)
class Hinge:
    """A hinge is a cohort's. `distance` (n,) is that of the nearest rival to first order, and 1 in the box's units."""

    cohort: Cohort
    confidence: float  # kappa
    scales: Numbers  # (n, classes) s_j
    distance: Numbers
    aims: Labels | None = None  # (n,) the only rivals that count. NO_AIM, or None: whichever is least short

    def values(self, scores: Array, owners: Owners) -> Numbers:
        """Compute f (m,) of points with these scores (m, classes)."""
        return np.asarray(np.maximum(on_host(self._short(scores, owners)[0]), 0.0), np.float64)

    def derivative(self, scores: Array, owners: Owners) -> Array:
        """Differentiate f by the scores: df/dscores (m, classes), in their own array namespace; 0 where f is."""
        xp = array_namespace(scores)
        short, own, other, scale = self._short(scores, owners)
        weight = xp.where(short > 0, 1 / scale, xp.zeros_like(scale))[:, None]
        return xp.astype((one_hot(own, scores) - one_hot(other, scores)) * weight, scores.dtype)

    def _short(self, scores: Array, owners: Owners) -> tuple[Array, Array, Array, Array]:
        """What is short (m,); the class that is too high, the one too low, (m,); and the scale (m,)."""
        xp, scores = array_namespace(scores), _finite(scores)
        scales = xp.astype(xp.asarray(self.scales[owners], device=scores.device), scores.dtype)

        def of(rows: Array, classes: Array) -> Array:
            return xp.take_along_axis(rows, classes[:, None], axis=1)[:, 0]

        if self.cohort.targets is not None:
            target = xp.asarray(self.cohort.targets[owners], device=scores.device)
            leader, scale = best_other(scores, target), of(scales, target)
            return (of(scores, leader) - of(scores, target) + self.confidence) / scale, leader, target, scale
        label = xp.asarray(self.cohort.labels[owners], device=scores.device)
        gaps = (of(scores, label)[:, None] - scores + self.confidence) / scales
        rival = best_other(-gaps, label)
        if self.aims is not None:
            aims = xp.asarray(self.aims[owners], device=scores.device)
            rival = xp.where(aims == NO_AIM, rival, aims)
        return of(gaps, rival), label, rival, of(scales, rival)


def _finite(scores: Array) -> Array:
    """The scores, and zeros in rows whose largest is no finite number; a probability of 0 may have -inf."""
    xp = array_namespace(scores)
    has_largest = xp.isfinite(xp.max(scores, axis=1))[:, None]
    return xp.where(has_largest, xp.maximum(scores, xp.full_like(scores, LEAST)), xp.zeros_like(scores))


def hinges_in(units: UnitsName, successes: Successes, confidence: float) -> Step[tuple[Hinge, ...]]:
    """Measure in these units: what one descent after the other goes by, the last for all that follow."""
    if units == "sample":
        return (yield from in_sample_units(successes, confidence))
    return in_box_units(successes.cohort, confidence)


def in_box_units(cohort: Cohort, confidence: float) -> tuple[Hinge, ...]:
    """Measure scores by themselves and distances in the box's units, as the papers do."""
    n = len(cohort.labels)
    return (Hinge(cohort, confidence, np.ones((n, cohort.classes)), np.ones(n)),)


def in_sample_units(successes: Successes, confidence: float) -> Step[tuple[Hinge, ...]]:
    """Measure by the slopes at each sample, at a gradient for each leading rival: as steep as their mean are others.

    The first hinge counts the rival alone that is nearest at the sample; the second whichever is nearest at the point.
    """
    cohort, ranked = successes.cohort, (yield from rank_rivals(successes))
    lengths = np.where(ranked.lengths > 0, ranked.lengths, 1.0)  # (n, m); where a slope vanished: as it comes
    scales = np.repeat(lengths.mean(axis=1, keepdims=True), cohort.classes, axis=1)
    np.put_along_axis(scales, ranked.rivals, lengths, axis=1)
    nearest = Hinge(cohort, confidence, scales * ranked.distance[:, None], ranked.distance)
    return (nearest,) if cohort.targets is not None else (replace(nearest, aims=ranked.rivals[:, 0]), nearest)
