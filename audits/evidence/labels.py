"""Do labels and answers belong together? Wrong labels, their order and missing preprocessing all look like a bad model.

Two signs, neither of which an honest poor model shows. Its answers are not told from chance: the interval of the clean
accuracy reaches down to 1 / K, and not up to half the way from there to 1. Or a permutation of the classes fits the
labels far better than their own order: three times as many of the samples that the two tell apart, of two classes at
least, and so surprising that no permutation would show it by chance. Pure.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.statistics import clopper_pearson, sign_test
from audits.document.report import Alarm
from audits.document.rows import SampleRow

Classes = NDArray[np.int64]  # (n,)

SURPRISE = 0.001  # probability that samples whose own order is right raise the alarm
SURELY = 0.99  # level at which a fair accuracy must be out of the question: not by three samples
MUCH_BETTER = 3  # times as many samples that the permutation alone gets right
MOST_CLASSES = 1_000  # among which the best permutation is looked for
EXAMPLES = 20


def suspicious(rows: Sequence[SampleRow], classes: int) -> Alarm | None:
    """Raises the alarm about labels that came with the samples, with the wrong rows for examples."""
    wrong = [row.index for row in rows if not row.is_correct]
    labels, answers = np.array([(row.label, row.predicted) for row in rows], np.int64).reshape(-1, 2).T
    if fits_another_order(labels, answers, classes):
        seen = "The answers fit the labels much better with the classes in another order."
    elif is_near_chance(len(rows) - len(wrong), len(rows), classes):
        seen = "The model is right no more often than one that guesses."
    else:
        return None
    return Alarm(
        code="labels_suspicious",
        severity="warning",
        count=len(wrong),
        samples=len(rows),
        examples=tuple(wrong[:EXAMPLES]),
        explanation=f"{seen} Labels, order or preprocessing?",
        consequence="Robustness is measured from answers that may be right by accident. See whether class 0 of the "
        'samples is the model\'s first (folders sorted by name have "10" before "2"), and whether the rows are scaled '
        "as in training; then audit again. It holds nothing back: have a rule on clean_accuracy.",
    )


def is_near_chance(right: int, of: int, classes: int) -> bool:
    """Tell whether an accuracy is not told from 1 / classes, by samples enough to tell it from a fair one."""
    chance = 1 / classes
    (low, _), (_, high) = clopper_pearson(right, of), clopper_pearson(right, of, SURELY)
    return low <= chance and high < (1 + chance) / 2


def fits_another_order(labels: Classes, answers: Classes, classes: int) -> bool:
    """Tell whether the answers fit the labels much better with the classes in another order.

    A usual mistake (`_usual`) is one guess of a few. The best permutation of all was chosen by the samples themselves:
    it has to be surprising even among all those that move as many classes.
    """
    answered = (answers >= 0) & (answers < classes)
    labels, answers = labels[answered], answers[answered]
    guesses = list(_usual(classes))
    if any(_surprise(labels, answers, order) * len(guesses) <= SURPRISE / 2 for order in guesses):
        return True
    seen = np.union1d(labels, answers)
    if len(seen) > MOST_CLASSES:
        return False
    order = np.arange(classes)
    order[seen] = seen[_best(np.searchsorted(seen, labels), np.searchsorted(seen, answers), len(seen))]
    moved = int((order[np.unique(labels)] != np.unique(labels)).sum())
    surprise = _surprise(labels, answers, order)
    if moved == 0 or surprise == 1:
        return False
    tests = math.log(len(seen)) + _log_choices(len(seen), moved)
    return math.log(max(surprise, 1e-300)) + tests <= math.log(SURPRISE / 2)


def _usual(classes: int) -> Iterator[Classes]:
    """Yield what label c may have been meant by: order[c] is the class as the model has it."""
    by_name = np.array(sorted(range(classes), key=str), np.int64)  # folders: "10" before "2"
    yield by_name
    yield np.argsort(by_name)
    yield np.roll(np.arange(classes), 1)  # counted from 1, and the other way round
    yield np.roll(np.arange(classes), -1)
    yield np.arange(classes)[::-1]


def _surprise(labels: Classes, answers: Classes, order: Classes) -> float:
    """Bound the probability of a split this uneven if the own order were at least as good; 1 where it is not much."""
    own, other = answers == labels, answers == order[labels]
    won, lost = int((other & ~own).sum()), int((own & ~other).sum())
    is_much = won >= MUCH_BETTER * max(lost, 1) and len(np.unique(labels[other & ~own])) > 1
    return sign_test(won, lost) if is_much else 1.0


def _best(labels: Classes, answers: Classes, classes: int) -> Classes:
    """Find the permutation (classes,) that most of the answers fit; of equal ones, one near the own order."""
    from scipy.optimize import linear_sum_assignment

    fits = np.zeros((classes, classes))
    np.add.at(fits, (labels, answers), 1.0)
    fits[np.diag_indices(classes)] += 0.5  # less than a sample
    _, order = linear_sum_assignment(fits, maximize=True)
    return np.asarray(order, np.int64)


def _log_choices(classes: int, moved: int) -> float:
    """Bound the logarithm of the number of ways to move so many of the classes: which ones, and where each goes."""
    which = math.lgamma(classes + 1) - math.lgamma(moved + 1) - math.lgamma(classes - moved + 1)
    return which + math.lgamma(classes + 1) - math.lgamma(classes - moved + 1)
