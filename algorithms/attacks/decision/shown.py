"""What samples before this one have shown (`algorithms/artifacts/warm_up.py`): where to begin, and by which moves."""

from collections.abc import Iterator, Sequence

import numpy as np

from algorithms.artifacts.warm_up import CLASSES, EARNED, WAYS
from algorithms.seam.access import Rows
from algorithms.seam.case import Case
from algorithms.threats.threat import Threat

BEYOND = 2.0  # lengths of a way: another sample may be farther from the boundary


def earned(case: Case, moves: int) -> Sequence[float]:
    """Tell what each of so many moves has earned on other samples, in the mean; nothing where there were none."""
    known = case.prepared.get(EARNED, ())
    means: list[float] = np.mean(known, axis=0)[:moves].tolist() if len(known) else []
    return means


def ways(case: Case, threat: Threat) -> Iterator[Rows]:
    """Begin at valid points (*shape) to which samples of this class have shown the way."""
    if WAYS not in case.prepared:
        return
    for way, (own, reached) in zip(case.prepared[WAYS], case.prepared[CLASSES].tolist(), strict=True):
        if own == case.label and case.target in (None, reached):
            yield threat.clip(case.x + np.float32(BEYOND) * way, case.x)
