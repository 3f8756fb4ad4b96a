"""Labels as a file gives them out, turned into the numbers of its classes, 0 to K - 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Labels
from algorithms.seam.labeling import NO_CLASS
from models.onnx.classes import ClassNames


def numbered(answer: NDArray[Any], names: ClassNames | None) -> Labels:
    """Number labels (n,) or (n, 1), whole numbers or texts, by their place in `names`; without names as they are.

    What is on no list, or below 0, is NO_CLASS.
    """
    given = answer.reshape(-1)
    if names is None:
        given = given.astype(np.int64)
        return np.where(given < 0, NO_CLASS, given)  # a negative one, as a Cast of NaN leaves it, is no class
    known = np.asarray(names)
    order = np.argsort(known)
    given = given.astype(str if known.dtype.kind == "U" else np.int64)
    places = np.minimum(np.searchsorted(known[order], given), len(known) - 1)
    return np.where(known[order][places] == given, order[places], NO_CLASS).astype(np.int64)
