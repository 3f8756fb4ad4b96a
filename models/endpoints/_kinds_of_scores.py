"""What an endpoint's scores are by the numbers of a few rows, held against what they were registered as."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import ModelFault, Refused
from models.endpoints._faults import BAD_RESPONSE, Unordered

MOST_DECIMALS = 6  # what float32 can show of a number near one
SUM_TOLERANCE = 0.02  # of probabilities; rounding may explain more
FEWEST_TO_SORT = 6  # classes

AS_SHARES = "let it answer shares between 0 and 1, and register it with output.kind probabilities"

Numbers = NDArray[np.float64]  # (m, classes)
Far = Callable[[], Numbers]  # asks rows far from ordinary ones, one by one; an endpoint need not take such rows


def check_kind(kind: Literal["logits", "probabilities"], alone: Numbers, far: Far) -> None:
    """Refuse scores of single rows that are another kind than was registered. Raises Refused."""
    _check_percentages(alone, far)
    if _is_one_logit(alone):
        are_probabilities = _is_bounded(alone, far)
    else:
        most = _rounding(alone) if kind == "probabilities" else SUM_TOLERANCE  # only close sums refute a registration
        are_probabilities = bool(np.all(np.abs(alone.sum(axis=1) - 1) <= most)) and _are_within(alone)
    if are_probabilities == (kind == "probabilities"):
        return
    if are_probabilities:
        raise _bad("The endpoint answers probabilities; register it with output.kind probabilities.")
    raise _bad(f"The endpoint answers no probabilities, which would be in [0, 1] and sum to 1; {_mend(alone)}.")


def check_kind_of_some(kind: Literal["logits", "probabilities"], alone: Numbers, far: Far) -> None:
    """Refuse the likeliest classes' scores of single rows, bounds for the others, of another kind. Raises Refused."""
    if kind == "logits" and _is_bounded(alone, far):
        raise _bad("The endpoint answers numbers in [0, 1] only; register it with output.kind probabilities.")


def _mend(alone: Numbers) -> str:
    if _are_within(alone):
        return (
            "of the likeliest classes only, let it answer all of them, in one order, or the class beside each score, to"
            " which the option classes of json_template leads; of a probability for each class by itself, register it"
            " with output.kind logits"
        )
    is_one = alone.shape[1] == 2 and bool(np.all(alone.sum(axis=1) == 1))
    unless = " if class 1 is what is above 0 (a percentage is not: let it answer 0 to 1)" if is_one else ""
    return f"register it with output.kind logits{unless}"


def check_order(scores: NDArray[np.float64]) -> None:
    """Refuse scores that fall from the first column to the last in every row: so does a list sorted by score.

    A model whose columns fall by chance is one of 720 or more, and it would have to answer every row alike in that. Of
    shares that do not sum to one, as the likeliest of more classes do not, fewer are enough.
    """
    if scores.ndim == 1 or not np.all(np.diff(scores, axis=1) < 0):
        return
    are_some_of_more = _are_within(scores) and bool(np.all(scores.sum(axis=1) < 1 + SUM_TOLERANCE))
    are_some_of_more &= bool(np.any(scores.sum(axis=1) < 1 - SUM_TOLERANCE))
    if scores.shape[1] >= FEWEST_TO_SORT or are_some_of_more:
        raise _bad(
            "The scores fall from the first class to the last in every row that was asked, as if they were sorted; let"
            " the endpoint answer all classes in one order, or the class beside each score, to which the option classes"
            " of json_template leads."
        )


def decimals(answers: NDArray[np.float64]) -> int | None:
    """Count the decimals that scores are rounded to; None where that cannot be seen, as in rows that are saturated."""
    if answers.ndim == 1:
        return None
    saturated = (answers.max(axis=1) == 1) & (np.count_nonzero(answers, axis=1) == 1)
    seen = answers[~saturated].astype(np.float32)
    rounded = (n for n in range(MOST_DECIMALS) if np.array_equal(seen, seen.astype(np.float64).round(n).astype("f4")))
    return next(rounded, None) if len(seen) else None


def _check_percentages(alone: Numbers, far: Far) -> None:
    """Refuse numbers from 0 to 100 that say that they are percentages, by their sum or by never being negative."""
    if _are_within(alone, 100) and bool(np.all(np.abs(alone.sum(axis=1) - 100) <= 100 * SUM_TOLERANCE)):
        raise _bad(f"The endpoint answers percentages, which sum to 100; {AS_SHARES}.")
    if _is_one_logit(alone) and not _are_within(alone) and _is_bounded(alone, far, 100):
        raise _bad(
            "The endpoint answers one number between 0 and 100 to every row, near and far; as a logit it would put all"
            f" of them into class 1, which is what lies above 0. Of a percentage, {AS_SHARES}; of a logit, let it"
            " answer a number for each class."
        )


def _rounding(scores: Numbers) -> float:
    """How far the sum of a row may be from 1: each of its probabilities was rounded by half of the last decimal."""
    last = decimals(scores)
    return SUM_TOLERANCE if last is None else max(SUM_TOLERANCE, scores.shape[1] * 0.5 * 10**-last)


def _is_one_logit(scores: Numbers) -> bool:
    """[0, z] of two classes, as one number a row is read."""
    return scores.shape[1] == 2 and not np.any(scores[:, 0])


def _is_bounded(scores: Numbers, far: Far, most: float = 1) -> bool:
    """Whether the one number is a probability: no sum tells, and a logit of noise may well be in [0, 1].

    So rows farther from zero, on both sides, are asked too: hardly a logit stays within [0, 1] there, or [0, `most`].
    Of an endpoint that does not take such rows its registration is believed.
    """
    try:
        return _are_within(scores, most) and _are_within(far(), most)
    except Unordered:
        raise
    except ModelFault:
        return False


def _are_within(scores: Numbers, most: float = 1) -> bool:
    return bool(np.all((scores >= 0) & (scores <= most)))


def _bad(detail: str) -> Refused:
    return Refused(detail, code=BAD_RESPONSE)
