"""The box of a threat: three ways to ask for one, and the one way in which a spec keeps it."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import Refused
from algorithms.threats.threat import Box
from jobs.request import ThreatRequest
from jobs.spec import Bound
from models.cards import SamplesCard

DEFAULT = (0.0, 1.0)
POINTER = "/threat/box"


def is_per_feature(threat: ThreatRequest) -> bool:
    """Tells whether a side of the box has a number for each feature."""
    return threat.box is not None and any(isinstance(bound, list) for bound in threat.box)


def is_around_all(threat: ThreatRequest, samples: SamplesCard) -> bool:
    """Tells whether the card alone shows that every row of the upload is in this box of two numbers, if it is one."""
    if threat.box_is_given and threat.box is None:
        return True
    lower, upper = threat.box or DEFAULT
    if not isinstance(lower, int | float) or not isinstance(upper, int | float):
        return True  # no box at all: refused before any row matters
    return lower <= samples.minimum and samples.maximum <= upper


def stored(threat: ThreatRequest, samples: SamplesCard, x: NDArray[np.float32] | None) -> tuple[Bound, Bound] | None:
    """Returns both sides of the box as a spec keeps them. None: unbounded, because null was given.

    Left out, it is [0, 1] where the samples fit. Raises Refused(box_required, invalid_request). x as in `check`.
    """
    if threat.box is not None:
        return given(threat.box, samples.shape)
    if threat.box_is_given:
        return None
    least, most = _ends(samples, x)
    lowest, highest = float(np.min(least)), float(np.max(most))
    if lowest < DEFAULT[0] or highest > DEFAULT[1]:
        raise Refused(
            f"The samples run from {lowest:g} to {highest:g}, so [0, 1] cannot be their box; "
            "say what inputs are valid in threat.box: [lo, hi], [[lo…], [hi…]] per feature, or null for any.",
            code="box_required",
            pointer=POINTER,
        )
    return DEFAULT


def given(box: list[Any], shape: tuple[int, ...]) -> tuple[Bound, Bound]:
    """Returns both sides of a box that was given for samples of this shape. Raises Refused(invalid_request)."""
    lower, upper = (_stored(values, shape, f"{POINTER}/{i}") for i, values in enumerate(box))
    return lower, upper


def check_room(box: Box) -> None:
    """Refuses a box that has no room for anything. Raises Refused(invalid_request)."""
    if np.any(box.sides < 0):
        raise Refused("A lower bound of the box is above its upper bound; swap them.", pointer=POINTER)


def check(box: Box, samples: SamplesCard, x: NDArray[np.float32] | None) -> None:
    """Refuses a box that has no room for anything, and samples outside it.

    Raises Refused(invalid_request, outside_box). x (m, *shape): the selected rows; None: the card's range speaks for
    all rows.
    """
    check_room(box)
    lowest, highest = _ends(samples, x)
    if np.any(lowest < box.lower) or np.any(highest > box.upper):
        raise Refused(
            f"Some samples lie outside the box (they run from {float(np.min(lowest)):g} to "
            f"{float(np.max(highest)):g}); widen threat.box, or give null for inputs without bounds.",
            code="outside_box",
            pointer=POINTER,
        )


def _ends(samples: SamplesCard, x: NDArray[np.float32] | None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Smallest and largest number of each feature of the rows, or of the whole upload."""
    if x is None:
        return np.asarray(samples.minimum, np.float32), np.asarray(samples.maximum, np.float32)
    return x.min(axis=0), x.max(axis=0)


def _stored(values: Any, shape: tuple[int, ...], pointer: str) -> Bound:
    """Reads a side from a number, a flat list, or a list nested like a sample, where [number] stands for a whole axis.

    What was given short stays short; a number for each feature is kept flat.
    """
    wrong = Refused(
        f"Each side of the box is one number, or finite numbers in the samples' shape {list(shape)}, nested or flat; "
        "nested, an axis may have one number for all.",
        pointer=pointer,
    )
    try:
        array = np.asarray(values)
    except ValueError as error:  # ragged
        raise wrong from error
    if array.dtype.kind not in "iuf" or not (array.shape in ((), (prod(shape),)) or _spans(array.shape, shape)):
        raise wrong
    if not np.all(np.abs(array.astype(np.float64)) <= np.finfo(np.float32).max):
        raise wrong
    bound = array.astype(np.float32)
    if bound.size == 1:
        return float(bound.item())
    return tuple(bound.ravel().tolist() if bound.shape == shape else bound.tolist())


def _spans(given: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return len(given) == len(shape) and all(n in (1, whole) for n, whole in zip(given, shape, strict=True))
