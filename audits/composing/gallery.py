"""A few samples beside their nearest adversarial points, small enough to stand in the report. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.windows import Canvas
from audits.document.report import FeatureChange, Gallery, Picture
from audits.document.rows import SampleRow

MOST = 8  # pictures
MOST_PIXELS = 64  # a side: larger images are thinned
MOST_CHANGES = 10  # features of a sample that is no image
DIGITS = 4  # after the comma: a shade is 1/256


@dataclass(frozen=True)
class Pair:
    """A pair is one sample (*shape) and its adversarial point (*shape), with the class that this is read as."""

    row: SampleRow
    x: NDArray[np.float32]
    x_adv: NDArray[np.float32]
    read_as: int | None = None


def choose(rows: Sequence[SampleRow]) -> tuple[SampleRow, ...]:
    """Picks at most MOST samples that an attack broke, evenly through their order from the nearest to the farthest."""
    broken = [row for row in rows if row.upper is not None and row.is_correct]
    ordered = sorted(broken, key=lambda row: (row.upper or 0.0, row.index))
    places = np.unique(np.linspace(0, len(ordered) - 1, MOST).round().astype(int)) if ordered else ()
    return tuple(ordered[place] for place in places)


def gallery(shown: Sequence[Pair], *, minimum: float, maximum: float) -> Gallery | None:
    """Makes the pictures small enough for the report; None where there is nothing to show."""
    if not shown:
        return None
    is_image = _is_image(shown[0].x.shape)
    pictures = tuple(_picture(one, is_image=is_image) for one in shown)
    return Gallery(kind="image" if is_image else "features", minimum=minimum, maximum=maximum, pictures=pictures)


def _is_image(shape: tuple[int, ...]) -> bool:
    """Two axes of some length, and one or three channels (`Canvas` tells which axis they are)."""
    if len(shape) not in (2, 3):
        return False
    canvas = Canvas.of(shape)
    return canvas.channels in (1, 3) and min(canvas.height, canvas.width) >= 4


def _picture(shown: Pair, *, is_image: bool) -> Picture:
    row = shown.row
    assert row.upper is not None  # `choose` takes no others
    assert row.upper_by is not None
    changed = int(np.count_nonzero(shown.x != shown.x_adv))
    known: dict[str, Any] = {
        "index": row.index,
        "label": row.label,
        "read_as": shown.read_as,
        "method": row.upper_by,
        "distance": row.upper,
    }
    if not is_image:
        return Picture(**known, changes=_changes(shown), changed_features=changed)
    height, width, channels = _pixels(shown.x).shape
    return Picture(
        **known,
        height=height,
        width=width,
        channels=channels,
        original=_rounded(_pixels(shown.x)),
        adversarial=_rounded(_pixels(shown.x_adv)),
        changed_features=changed,
    )


def _pixels(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """(height, width, channels), every k-th pixel where there are more than MOST_PIXELS."""
    image: NDArray[np.float32] = np.moveaxis(Canvas.of(x.shape).view(x[None])[0], 0, -1)  # (H, W, C)
    step = math.ceil(max(image.shape[:2]) / MOST_PIXELS)
    return image[::step, ::step]


def _rounded(values: NDArray[np.float32]) -> tuple[float, ...]:
    return tuple(values.astype(np.float64).round(DIGITS).ravel().tolist())


def _changes(shown: Pair) -> tuple[FeatureChange, ...]:
    x, x_adv = shown.x.ravel().astype(np.float64), shown.x_adv.ravel().astype(np.float64)
    largest = np.argsort(-np.abs(x_adv - x), kind="stable")[:MOST_CHANGES].tolist()
    return tuple(
        FeatureChange(feature=i, original=float(x[i]), adversarial=float(x_adv[i])) for i in largest if x[i] != x_adv[i]
    )
