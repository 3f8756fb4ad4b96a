"""The lattice of a threat: whether the box can be cut so, and whether the samples lie on it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import Refused
from algorithms.threats.threat import Threat

POINTER = "/threat/lattice"


def check(threat: Threat[Any], x: NDArray[np.float32] | None) -> None:
    """Refuses a lattice of a box without ends, one too fine for float32, and samples (m, *shape) that are off it.

    Raises Refused(invalid_request, outside_box).
    """
    lattice, ends = threat.lattice, (threat.box.lower, threat.box.upper)
    if lattice is None:
        return
    if not threat.box.is_bounded:
        raise Refused(
            "A lattice cuts a box with two ends; give threat.box, or leave threat.lattice out.", pointer=POINTER
        )
    if not lattice.is_told_apart(ends):
        raise Refused(
            f"float32 cannot tell {lattice.levels} values of this box apart; ask for fewer levels.", pointer=POINTER
        )
    if x is not None and not np.all(lattice.holds(x, ends)):
        off = int((~lattice.holds(x, ends)).reshape(len(x), -1).any(axis=1).sum())
        last = lattice.levels - 1
        raise Refused(
            f"{off} of the {len(x)} selected samples have features between the lattice's values, which are "
            f"lower + k (upper - lower) / {last} for whole k from 0 to {last}; round them to it, or leave "
            "threat.lattice out.",
            code="outside_box",
            pointer=POINTER,
        )
