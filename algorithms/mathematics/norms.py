"""How the size of a change is measured: by a norm that has a dual, or by counting.

The two are different types. What needs a dual, a gradient's length or a direction to climb in, asks for a `Norm`; what
only compares distances takes either.
"""

from enum import StrEnum

import numpy as np


class Norm(StrEnum):
    """An Lp norm measures changes by any real length, and has a dual, which measures gradients."""

    L1 = "l1"
    L2 = "l2"
    LINF = "linf"

    @property
    def p(self) -> float:
        return {"l1": 1.0, "l2": 2.0, "linf": np.inf}[self.value]

    @property
    def dual(self) -> "Norm":
        """Find the norm q with 1/p + 1/q = 1, for which |g.h| <= ||g||_q ||h||_p."""
        return {"l1": Norm.LINF, "l2": Norm.L2, "linf": Norm.L1}[self.value]


class Counting(StrEnum):
    """A count measures how much was changed, however far, by a whole number. It is no norm and has no dual."""

    L0 = "l0"  # features; or pixels, whatever of their channels, where the threat says which feature is of which pixel

    @property
    def p(self) -> float:
        return 0.0


Measure = Norm | Counting
NORMS = (Norm.L1, Norm.L2, Norm.LINF)
