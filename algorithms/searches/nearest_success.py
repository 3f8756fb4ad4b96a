"""The nearest success of a climb: at the radius asked for, or at the smallest radius at which it still succeeds.

Doubling until it does, then bisection, each success pulled back towards the sample.
"""

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.case import Conversation, Step
from algorithms.seam.claims import Note
from algorithms.searches.ascent import Climb

TOLERANCE = 0.01  # a search ends where the smallest success is within 1 % of the largest failure


def climb_nearest(climb: Climb, search_steps: int) -> Conversation:
    """Climb at the radius asked for, or search the smallest that succeeds; claim successes, and note diagnostics."""
    cohort, epsilon = climb.cohort, climb.threat.epsilon
    first_order_distance = yield from climb.rank_rivals()
    if epsilon is not None:
        everyone = np.ones(len(cohort.live), np.bool_)
        yield from climb.at_radius(np.full(len(everyone), epsilon), everyone)
    else:
        yield from _search(climb, np.minimum(first_order_distance, cohort.reached), search_steps)
    for owner in np.flatnonzero(cohort.live):
        yield Note(climb.diagnostics(int(owner)), int(owner))


def _search(climb: Climb, first_guess: Numbers, search_steps: int) -> Step[None]:
    """The smallest radius at which a climb succeeds, sample by sample: doubling, then bisection.

    Steps grow with the radius, so a climb may fail in the whole box and succeed nearer by: where doubling has ended
    without a success, the radius is halved again.
    """
    farthest = climb.farthest()
    radius = np.minimum(first_guess, farthest)
    failed, found = np.zeros_like(radius), np.full_like(radius, np.inf)
    wanted, widening = np.ones(len(radius), np.bool_), np.ones(len(radius), np.bool_)
    for _ in range(search_steps):
        won = yield from climb.at_radius(radius, wanted)
        found = np.where(won, np.minimum(found, climb.distance), found)
        failed = np.where(wanted & ~won, radius, failed)
        failed = np.where(failed < found, failed, 0.0)  # a failure beyond a success says nothing
        wanted &= failed < (1 - TOLERANCE) * found
        if not wanted.any():
            return
        widening &= radius < farthest
        elsewhere = np.where(widening, np.minimum(2 * radius, farthest), radius / 2)
        radius = np.where(np.isfinite(found), (failed + found) / 2, elsewhere)
