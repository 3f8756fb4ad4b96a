"""Which class a targeted method aims at, by the rule of the request. The same for every method of a job's seed."""

from collections.abc import Sequence

import numpy as np

from algorithms.errors import Refused
from algorithms.seam.access import Labels, Scores
from algorithms.seam.streams import Stream
from algorithms.seam.threat import TargetRule


def choose_targets(
    rule: TargetRule | None,
    labels: Labels,
    scores: Scores | None,
    given: Labels | None,
    classes: int,
    indices: Sequence[int],
    seed: int,
) -> Sequence[int | None]:
    """Choose one class a sample, never its label; None each where the goal is untargeted.

    Raises:
        Refused: `least_likely` and `runner_up` rank scores, which a model that answers labels alone does not give.
    """
    if rule is None:
        return [None] * len(labels)
    if rule == "given":
        assert given is not None
        return [int(t) for t in given]
    if rule == "random":
        pairs = zip(labels, indices, strict=True)
        return [_random_target(int(label), classes, Stream(seed, i, "target")) for label, i in pairs]
    if scores is None:
        detail = f"The rule {rule} needs scores; this model gives labels only: name the targets or use random."
        raise Refused(detail, code="goal_not_supported")
    is_least = rule == "least_likely"
    rivals = np.where(np.arange(classes) == labels[:, None], np.inf if is_least else -np.inf, scores)  # (n, classes)
    return [int(target) for target in (rivals.argmin(axis=1) if is_least else rivals.argmax(axis=1))]


def _random_target(label: int, classes: int, stream: Stream) -> int:
    drawn = int(stream.at(0).integers(classes - 1))
    return drawn + (drawn >= label)
