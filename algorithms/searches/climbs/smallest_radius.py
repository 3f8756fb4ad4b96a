"""The smallest radius at which an attack still succeeds, sample by sample: doubling until it does, then bisection.

What is tried at each radius is the attack's own matter, and where it begins there: from its nearest success so far,
brought into the smaller ball, a search costs less than one that begins anew each time.
"""

from collections.abc import Callable

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.case import Step
from algorithms.searches.tallies.successes import Successes

AtRadius = Callable[[Numbers, Mask], Step[Mask]]
"""Tries the wanted samples (n,) within their radii (n,); returns which (n,) had a success there."""


def search(
    successes: Successes, at_radius: AtRadius, first_guess: Numbers, *, tries: int, tolerance: float
) -> Step[None]:
    """Search the smallest radii from a first guess (n,), by at most so many tries.

    A search ends where the largest failure is within this share of the smallest success.

    Steps grow with the radius, so an attack may fail in the whole box and succeed nearer by: where doubling has ended
    without a success, the radius is halved again.
    """
    farthest = successes.farthest()
    radius = np.minimum(first_guess, farthest)
    failed, found = np.zeros_like(radius), np.full_like(radius, np.inf)
    wanted, widening = np.ones(len(radius), np.bool_), np.ones(len(radius), np.bool_)
    for _ in range(tries):
        won = yield from at_radius(radius, wanted)
        found = np.where(won, np.minimum(found, successes.distance), found)
        failed = np.where(wanted & ~won, radius, failed)
        failed = np.where(failed < found, failed, 0.0)  # a failure beyond a success says nothing
        wanted &= failed < (1 - tolerance) * found
        if not wanted.any():
            return
        widening &= radius < farthest
        elsewhere = np.where(widening, np.minimum(2 * radius, farthest), radius / 2)
        radius = np.where(np.isfinite(found), (failed + found) / 2, elsewhere)
