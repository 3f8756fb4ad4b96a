"""Which class a targeted method aims at, by the rule of the request. The same for every method of a job's seed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.streams import Stream
from algorithms.threats.threat import TargetRule


def choose_targets(
    rule: TargetRule | None,
    labels: NDArray[np.int64],
    scores: NDArray[np.float32 | np.float64] | None,
    given: NDArray[np.int64] | None,
    classes: int,
    indices: Sequence[int],
    seed: int,
) -> Sequence[int | None]:
    """Choose one class a sample, never its label; None each where the goal is untargeted.

    `least_likely` and `runner_up` rank scores: no job with such a rule is admitted on a model that gives labels alone.
    """
    if rule is None:
        return [None] * len(labels)
    if rule == "given":
        assert given is not None
        return [int(t) for t in given]
    if rule == "random":
        pairs = zip(labels, indices, strict=True)
        return [_random_target(int(label), classes, Stream(seed, i, "target")) for label, i in pairs]
    assert scores is not None
    is_least = rule == "least_likely"
    rivals = np.where(np.arange(classes) == labels[:, None], np.inf if is_least else -np.inf, scores)  # (n, classes)
    return [int(target) for target in (rivals.argmin(axis=1) if is_least else rivals.argmax(axis=1))]


def _random_target(label: int, classes: int, stream: Stream) -> int:
    drawn = int(stream.at(0).integers(classes - 1))
    return drawn + (drawn >= label)
