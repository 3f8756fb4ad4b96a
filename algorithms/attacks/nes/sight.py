"""What NES sees of an answer when it does not see all scores: the class aimed at among the highest, or the label."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from algorithms.attacks.nes.params import NESParams
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Step
from algorithms.seam.labeling import is_fooled
from algorithms.seam.questions.labels import AskLabels
from algorithms.seam.questions.scores import AskScores
from algorithms.searches.scores.margins import about, losses, margins
from algorithms.searches.scores.partial import are_among, seen


class Glimpse(NamedTuple):
    """A glimpse is of m rows: what is climbed, whether the class aimed at is in sight, whether it is the answer."""

    values: Numbers
    in_sight: Mask
    wins: Mask


Sight = Callable[[Rows], Step[Glimpse]]


def sight_of(case: Case, params: NESParams) -> Sight:
    """Choose how rows are seen, (m, *shape) each: with `top_k` or by their labels."""
    if params.information == "labels":
        return partial(_labels, case)
    if params.information == "top_k" and case.target is not None:
        return partial(_top, case, case.target, params)
    return partial(_leaders, case)


def is_in_sight(case: Case, params: NESParams) -> bool:
    """Tell whether the sample itself shows its target among the highest scores."""
    if params.information != "top_k" or case.target is None or case.scores is None:
        return False
    return bool(are_among(case.scores[None], np.array([case.target]), params.top)[0])


def _labels(case: Case, rows: Rows) -> Step[Glimpse]:
    labels = yield from AskLabels(rows)
    return _by_wins(np.asarray(is_fooled(labels, case.label, case.target)))


def _leaders(case: Case, rows: Rows) -> Step[Glimpse]:
    """The labels that scores name: of equal ones none, as the model is asked at the end."""
    scores = yield from AskScores(rows)
    return _by_wins(margins(scores, *about(case, len(rows))) > 0)


def _top(case: Case, target: int, params: NESParams, rows: Rows) -> Step[Glimpse]:
    scores = yield from AskScores(rows)
    told = about(case, len(rows))
    climbed = losses(params.loss, seen(scores, params.top, case.are_probabilities), *told)
    in_sight = are_among(scores, np.full(len(rows), target), params.top)
    return Glimpse(climbed, in_sight, margins(scores, *told) > 0)


def _by_wins(wins: Mask) -> Glimpse:
    return Glimpse(wins.astype(np.float64), wins, wins)
