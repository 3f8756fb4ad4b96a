"""What is left where scores are flat all around a sample: noise, and the way back from it by what the model answers."""

from itertools import chain, islice

import numpy as np

from algorithms.mathematics.arrays import Mask
from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Cohort, Conversation, Step
from algorithms.seam.claims import Abstained, UpperBound
from algorithms.seam.questions.scores import AskScores
from algorithms.seam.questions.together import in_step
from algorithms.searches.labels import starts
from algorithms.searches.labels.line import connect, halve
from algorithms.searches.scores.margins import about, margins
from algorithms.searches.scores.plateaus import WARNING
from algorithms.threats.threat import Threat

HALVINGS = 12  # of the line from noise to the sample
LAST_STARTS = 22  # after noise all over the box: its ends, and noise around the sample, once at every scale
DRAWS = 2  # of a sample's stream: others are the searches' own


def look_without_scores(cohort: Cohort, threat: Threat, are_blind: Mask) -> Conversation:
    """Go by answers alone for those (n,) whose scores said nothing; abstain for the plateau where none is found."""
    blind = np.flatnonzero(are_blind & cohort.live).tolist()
    yield from in_step({owner: _from_noise(cohort.cases[owner], threat) for owner in blind}, cohort.live)


def _from_noise(case: Case, threat: Threat) -> Conversation:
    def wins(row: Rows) -> Step[bool]:
        scores = yield from AskScores(row[None])
        won = bool(margins(scores, *about(case, 1))[0] > 0)
        if won:
            yield UpperBound(row)
        return won

    yield Abstained(WARNING)
    rng = case.stream.at(DRAWS)
    for start in chain(starts.noise(case, threat, rng), islice(starts.last(case, threat, rng), LAST_STARTS)):
        if (yield from wins(start)):
            line = connect(case.x, start, threat)
            yield from halve(line, wins, halvings=HALVINGS, ends_at_rounding=True)
            return
