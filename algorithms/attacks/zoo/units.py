"""The units of samples, found from what the first probes were answered: no row is asked for them.

How steep z_y - z_j is at a sample is estimated from the coordinates drawn, as if the others were as steep: that is
unbiased, and with all coordinates drawn it is so. From there on as `algorithms.searches.penalties.hinge` has it:
distances are measured by that of the nearest rival to first order, and what is short of a rival by its slope.
"""

import numpy as np

from algorithms.attacks.zoo.space import Lines
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.case import Cohort
from algorithms.seam.question import Owners
from algorithms.searches.boundaries.first_order import leading_rivals
from algorithms.searches.penalties.hinge import NO_AIM, Hinge, UnitsName


class Units:
    """Units are a cohort's; `length` (n,) is 1 until they are known, and in the box's units."""

    def __init__(self, cohort: Cohort, confidence: float, name: UnitsName) -> None:
        self._cohort, self._confidence = cohort, confidence
        n = len(cohort.labels)
        self.are_known: Mask = np.full(n, name == "box")
        self.length: Numbers = np.ones(n)
        self._scales, self._nearest = np.ones((n, cohort.classes)), np.full(n, NO_AIM)
        self._leading = leading_rivals(cohort)  # (n, r)

    def hinge(self, *, towards_nearest: bool) -> Hinge:
        """Make f in these units: of the rival alone that is nearest at the sample, or whichever is at the point."""
        aims = self._nearest if towards_nearest and self._cohort.targets is None else None
        return Hinge(self._cohort, self._confidence, self._scales, self.length, aims)

    def measure(
        self, owners: Owners, z: Numbers, lines: Lines, coordinates: int, ends: tuple[Numbers, Numbers]
    ) -> None:
        """Take in the logits z (m, 1 + 2 B, classes) of the points of lines, B of so many coordinates.

        `ends` (m,) each: how far their points are from the samples, and the largest distances that are valid.
        """
        before, farthest = ends
        labels, rivals = self._cohort.labels[owners], self._leading[owners]
        behind = np.take_along_axis(z, labels[:, None, None], axis=2) - np.take_along_axis(z, rivals[:, None], axis=2)
        slopes, _ = lines.parabolas(behind)  # (m, B, r)
        lengths = np.where(lines.squares > 0, lines.squares, 1.0)[:, :, None]
        steep = np.sqrt(coordinates * np.mean(slopes**2 / lengths, axis=1))  # (m, r)
        away = np.where(steep > 0, behind[:, 0] / np.where(steep > 0, steep, 1.0), np.inf)
        is_known = np.isfinite(away).any(axis=1)
        found, steep, away = owners[is_known], steep[is_known], away[is_known]
        shown = np.where(steep > 0, steep, np.nan)
        steep = np.where(steep > 0, steep, np.nanmean(shown, axis=1, keepdims=True))
        end = farthest[is_known]
        least = 1e-6 * np.where(np.isfinite(end), end, 1.0)
        length = np.minimum(before[is_known] + np.abs(away).min(axis=1), end)
        length = np.maximum(length, least)
        scales = np.repeat(steep.mean(axis=1, keepdims=True), self._cohort.classes, axis=1)
        np.put_along_axis(scales, rivals[is_known], steep, axis=1)
        self._scales[found], self.length[found] = scales * length[:, None], length
        self._nearest[found] = rivals[is_known, away.argmin(axis=1)]
        self.are_known[found] = True
