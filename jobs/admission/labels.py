"""The labels of a job's samples, and the targets that it gives, read as columns of the model's scores."""

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import Refused
from jobs.request import Goal, Targeted
from models.cards import ModelCard, SamplesCard
from models.class_names import NamedClasses
from models.samples import UploadedLabels

Columns = NDArray[np.int64]
TARGETS = "/threat/goal/targeted"


def are_told(samples: SamplesCard, card: ModelCard) -> bool:
    """Tells whether the samples' card alone shows what `read` needs: it lists labels that are names, or there are none.

    Of numbers of columns their range is enough.
    """
    if not samples.labelled or samples.label_values is not None:
        return True
    return samples.label_minimum is not None and card.classes_named is None


def read(samples: SamplesCard, y: UploadedLabels | None, classes: NamedClasses) -> Columns | None:
    """Reads the labels (m,) of the selected rows; None without them. All that the card lists must mean a class.

    Raises Refused(label_out_of_range).
    """
    ends = (samples.label_minimum, samples.label_maximum)
    listed = samples.label_values or tuple(end for end in ends if end is not None and classes.names is None)
    if listed:
        classes.columns(np.array(listed))
    return None if y is None else classes.columns(y)


def targets(goal: Goal, count: int, labels: Columns | None, classes: NamedClasses) -> tuple[int, ...] | None:
    """Reads given targets, one for each of `count` selected rows, as labels are read; None where none are given.

    Raises Refused(invalid_request, label_out_of_range).
    """
    given = given_targets(goal)
    if given is None:
        return None
    if len(given) != count:
        raise Refused(f"Give one target for each of the {count} selected samples.", pointer=TARGETS)
    found = tuple(_target(target, f"{TARGETS}/{i}", classes) for i, target in enumerate(given))
    for i, target in enumerate(found):
        if labels is not None and labels[i] == target:
            raise Refused("A target must differ from the sample's label.", pointer=f"{TARGETS}/{i}")
    return found


def given_targets(goal: Goal) -> tuple[int, ...] | None:
    """Returns the targets as they were given; None where a rule chooses them, or there are none."""
    return tuple(goal.targeted) if isinstance(goal, Targeted) and isinstance(goal.targeted, list) else None


def _target(target: int, pointer: str, classes: NamedClasses) -> int:
    try:
        return int(classes.columns(np.array([target]))[0])
    except Refused:
        raise Refused(
            f"A target must be a label that the model knows, {classes.numbers}.",
            code="label_out_of_range",
            pointer=pointer,
        ) from None
