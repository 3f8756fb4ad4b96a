"""The final fresh re-query: no adversarial point is believed before the model has been asked of it again."""

from collections.abc import Sequence

import numpy as np

from algorithms.driver.beat import ask
from algorithms.driver.trial import Trial
from algorithms.seam.access import Access, Model, Scores
from algorithms.seam.case import Case
from algorithms.seam.labeling import NO_CLASS, is_fooled, named
from algorithms.seam.questions.labels import AskLabels
from algorithms.seam.questions.scores import AskScores


def confirm(model: Model, trials: list[Trial], needs: Sequence[Access]) -> None:
    """Ask every best point of samples that are over, as the method asks by what it needs: labels know of no tie."""
    by_labels = Access.LABELS in needs or Access.SCORES not in model.offers
    while claimed := [t for t in trials if t.is_over and t.needs_confirmation()]:
        rows = np.stack([t.best_point() for t in claimed])
        if by_labels:
            seen = ask(model, AskLabels(rows))
            held = [bool(is_fooled(s, t.case.label, t.case.target)) for s, t in zip(seen, claimed, strict=True)]
        else:
            scores = ask(model, AskScores(rows))
            seen = named(scores)
            held = [leads(s, t.case) for s, t in zip(scores, claimed, strict=True)]
        for trial, holds, read_as in zip(claimed, held, seen, strict=True):
            trial.confirm(holds, int(read_as))


def leads(scores: Scores | None, case: Case) -> bool:
    """Tell whether scores (classes,) name another class than the label (or the target), and by more than a tie."""
    if scores is None or named(scores[None])[0] == NO_CLASS:
        return False
    if case.target is not None:
        return bool(scores[case.target] > np.delete(scores, case.target).max())
    return bool(np.delete(scores, case.label).max() > scores[case.label])
