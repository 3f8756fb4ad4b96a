"""Scores as losses: how far answered rows are from being adversarial, whether a model gives logits or probabilities.

Margins are those of Carlini & Wagner 2017 (f_6), of probabilities the log form of Chen et al., ZOO, 2017, eqs. 4 and 5,
which is the margin of the logits wherever the probabilities are not rounded: log-soft-max shifts all logits alike.
Losses are computed in float64 whatever the scores are in, so that small differences of close rows survive.
"""

from typing import Literal

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.losses import value
from algorithms.seam.access import Labels, Scores
from algorithms.seam.case import Case
from algorithms.seam.labeling import NO_CLASS, named

LEAST = 1e-30  # added to a probability before its logarithm is taken, as the code of ZOO's authors does

ScoreLoss = Literal["margin", "cross_entropy"]


def margins(scores: Scores, labels: Labels, targets: Labels | None, are_probabilities: bool) -> Numbers:
    """Tell by how much rows are adversarial, (m,): max_{j != y} z_j - z_y, targeted z_t - max_{j != t} z_j.

    Scores (m, classes) are logits z, or probabilities, whose logarithms take the place of z. Above 0 rows are
    adversarial; a tie is not. NaN where a row names no class. A margin above 0 is one of the scores as they are: the
    logarithm of a quotient is above 0 where the quotient is above 1.
    """
    mine = labels if targets is None else targets
    place = np.arange(len(scores)), mine
    z = np.array(scores, np.float64)
    own = z[place]
    z[place] = -np.inf
    other = z.max(axis=1)
    ahead, behind = (other, own) if targets is None else (own, other)
    with np.errstate(invalid="ignore", divide="ignore"):  # infinite scores, which name no class
        difference = _log_quotient(ahead, behind) if are_probabilities else ahead - behind
    return np.where(named(scores) == NO_CLASS, np.nan, difference)


def about(case: Case, m: int) -> tuple[Labels, Labels | None, bool]:
    """Say of m rows about one sample what `margins` and `losses` need beside their scores."""
    targets = None if case.target is None else np.full(m, case.target)
    return np.full(m, case.label), targets, case.are_probabilities


def losses(name: ScoreLoss, scores: Scores, labels: Labels, targets: Labels | None, are_probabilities: bool) -> Numbers:
    """Measure the named loss (m,), which grows away from the label, or towards the target; NaN where no class is.

    Cross-entropy is -log p_y, targeted log p_t. It grows flat where the model is sure of the label.
    """
    if name == "margin":
        return margins(scores, labels, targets, are_probabilities)
    measured: Numbers = value(name, logits(scores, are_probabilities), labels, targets)
    return np.where(named(scores) == NO_CLASS, np.nan, measured)


def logits(scores: Scores, are_probabilities: bool) -> Numbers:
    """Find scores (m, classes) whose soft-max the model answers: the logits, or log(p + 1e-30)."""
    z = np.asarray(scores, np.float64)
    return np.log(np.maximum(z, 0) + LEAST) if are_probabilities else z


def hinges(margins: Numbers, kappa: float) -> Numbers:
    """Measure f = max(0, kappa - margin) (m,): 0 where rows are adversarial by kappa (Carlini & Wagner 2017)."""
    return np.maximum(0, kappa - margins)


def _log_quotient(ahead: Numbers, behind: Numbers) -> Numbers:
    return np.log((np.maximum(ahead, 0) + LEAST) / (np.maximum(behind, 0) + LEAST))
