"""How the size of a change is measured."""

from enum import StrEnum

import numpy as np


class Norm(StrEnum):
    """The Lp norms."""

    L1 = "l1"
    L2 = "l2"
    LINF = "linf"

    @property
    def p(self) -> float:
        return {"l1": 1.0, "l2": 2.0, "linf": np.inf}[self.value]

    @property
    def dual(self) -> "Norm":
        """q with 1/p + 1/q = 1."""
        return {"l1": Norm.LINF, "l2": Norm.L2, "linf": Norm.L1}[self.value]


NORMS = (Norm.L1, Norm.L2, Norm.LINF)
