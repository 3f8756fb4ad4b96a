"""Slope and curvature along coordinates, from losses at three points each: the point, and two others on its line.

Chen et al., AISec 2017, eqs. 6 and 7, are the case b = -a. At an end of the box both others lie on the same side, where
a difference of the two sides would be half of the slope and a curvature that is not there.

How far apart? Scores are float32, so a loss that is z large comes with an error of about e = 6e-8 z. A slope is then
wrong by e / a, a curvature by 4 e / a^2; with the published a = 1e-4 and z = 10 by 0.006, and by 240 where the distance
itself curves by 2. With a = 0.01 it is 6e-5 and 0.024, which a method can follow. Losses are float64: nothing more is
lost.
"""

import numpy as np

from algorithms.mathematics.arrays import Numbers


def through(base: Numbers, at_a: Numbers, at_b: Numbers, a: Numbers, b: Numbers) -> tuple[Numbers, Numbers]:
    """Find slopes and curvatures (m, B), at 0, of parabolas through (0, base), (a, at_a) and (b, at_b).

    `base` is (m, 1), a and b are (m, B). 0 where a, b and 0 are not three points, or a loss is no finite number.
    """
    are_apart = (a != 0) & (b != 0) & (a != b)
    a, b = np.where(are_apart, a, 1.0), np.where(are_apart, b, -1.0)
    with np.errstate(invalid="ignore", over="ignore"):
        to_a, to_b = (at_a - base) / a, (at_b - base) / b
        slopes, curvatures = (a * to_b - b * to_a) / (a - b), 2 * (to_a - to_b) / (a - b)
    is_known = are_apart & np.isfinite(slopes) & np.isfinite(curvatures)
    return np.where(is_known, slopes, 0.0), np.where(is_known, curvatures, 0.0)
