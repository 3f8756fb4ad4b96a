"""How a walk judges answers by scores: what is to fall, what is adversarial, and whether its steps change anything."""

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Scores
from algorithms.seam.case import Cohort
from algorithms.seam.claims import Note
from algorithms.seam.question import Owners
from algorithms.searches.scores.margins import ScoreLoss, losses, margins
from algorithms.searches.scores.plateaus import Plateaus

WINDOW = 32  # steps of a sample, of which most must have changed nothing before it is on a plateau


def judged(
    cohort: Cohort, scores: Scores, asking: Owners, name: ScoreLoss, *, by_logarithms: bool = True
) -> tuple[Numbers, Mask]:
    """Tell the named loss' opposite, which is to fall, inf where a row names no class; and which rows are adversarial.

    Both (m,), of rows with scores (m, classes). Where these are probabilities, their logarithms are judged.
    """
    targets = None if cohort.targets is None else cohort.targets[asking]
    told = scores, cohort.labels[asking], targets, by_logarithms and cohort.are_probabilities
    margin = margins(*told)
    loss = margin if name == "margin" else losses(name, *told)
    return np.where(np.isnan(loss), np.inf, -loss), margin > 0


class FlatSteps:
    """Flat steps are those that changed nothing: where most did, a sample is on a plateau, and its step is widened."""

    def __init__(self, plateaus: Plateaus) -> None:
        self.plateaus = plateaus
        self._seen, self._flat = (np.zeros(len(plateaus.step), np.int64) for _ in range(2))

    def see(self, who: Owners, is_flat: Mask) -> list[Note]:
        """Take in whether a step of each of these samples (m,) changed anything. Returns warnings of first plateaus."""
        self._seen[who] += 1
        self._flat[who] += is_flat
        due = who[self._seen[who] == WINDOW]
        if not len(due):
            return []
        new = self.plateaus.see(due, self._flat[due] / WINDOW)
        self._seen[due] = self._flat[due] = 0
        return [Note(details=self.plateaus.of(int(owner)), owner=int(owner)) for owner in new]
