"""Directions around one: theta + beta u for random u of size 1."""

from dataclasses import dataclass

import numpy as np

from algorithms.mathematics.norms import Norm
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.directions.unit import Offsets, make_unit
from algorithms.threats.threat import Threat


@dataclass(frozen=True)
class Around:
    """Directions are drawn that differ from theta by beta, in the threat's norm; in l2 of size 1 again.

    In linf they are left as long as they are. Where theta is a corner of the cube nearly all of them would be cut, or
    by the paper's division shortened: the boundary's normal shows in what lies outside too.
    """

    theta: Offsets  # (*shape) of size 1
    beta: float
    law: DirectionLaw
    threat: Threat

    def draw(self, rng: np.random.Generator, out: Offsets) -> None:
        """Draw directions (m, *shape) into `out`."""
        self.law.draw(rng, out)
        if self.threat.norm is Norm.LINF:
            out /= self.threat.lengths(out).astype(np.float32).reshape(-1, *(1,) * self.theta.ndim)
        out *= np.float32(self.beta)
        out += self.theta
        if self.threat.norm is not Norm.LINF:
            make_unit(out)


def make_direction(raw: Offsets, threat: Threat) -> None:
    """Bring rows (m, *shape) back to size 1, in place: scaled in l2; in linf cut to the cube.

    The authors' code divides in linf too. That shrinks whatever is not the largest feature: no corner of the cube,
    where a linear boundary is nearest, would ever be reached.
    """
    if threat.norm is Norm.LINF:
        np.minimum(np.maximum(raw, -1, out=raw), 1, out=raw)
    else:
        make_unit(raw)
