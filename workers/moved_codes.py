"""Codes that an attack has changed: what is told of a point that moved a feature which is read as a whole number.

Between two codes there is nothing, so the distance to such a point says little: a Cast cuts 1.97 to 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.claims import Finding
from jobs.summary import MOVED_CODES
from models.cards import ModelCard

MOST = 32  # named of one sample


def told(
    findings: Sequence[Finding],
    points: dict[int, NDArray[np.float32]],
    rows: dict[int, NDArray[np.float32]],
    model: ModelCard,
) -> tuple[Finding, ...]:
    """Name in a finding's details which whole features (counted flat) its point (*shape) has other than its row.

    `points` and `rows` are by the index of the upload.
    """
    whole = [] if model.input is None else list(model.input.whole_features)
    return tuple(
        _told(finding, points[finding.index], rows[finding.index], whole) if finding.index in points else finding
        for finding in findings
    )


def _told(finding: Finding, point: NDArray[np.float32], row: NDArray[np.float32], whole: list[int]) -> Finding:
    moved = [feature for feature in whole if point.ravel()[feature] != row.ravel()[feature]]
    return finding.model_copy(update={"details": finding.details | {MOVED_CODES: moved[:MOST]}}) if moved else finding
