"""The largest radius that bounds prove, looked for where one is worth its time: a search that knows when to stop.

    the scale: the margin's distance to first order, the box, what others reached
    -> a look at a sixteenth of it, and none nearer unless there are steps enough -> at the scale -> between the two

Where curves are relaxed one by one through a deep network, a radius that is proven may be a thousandth of the scale,
and each look on the way down costs as much as all the rest of an audit. Such a bound helps nobody; the first look shows
it. Where the margin is flat around the sample (a dead zone, a saturated curve), first order tells no scale: there plain
intervals, which cost next to nothing, tell from how far up to look.

As in `radius.py` beside this file, only radii that were themselves proven count, and a sample's looks depend on
nothing but the sample, the model, and the hints about it.
"""

from dataclasses import replace

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import Note
from algorithms.seam.question import Owners
from algorithms.searches.proofs.radius import ALMOST, BESIDE, Prover, close_in, first_order_distance
from algorithms.searches.proofs.zero import Look, ZeroSearch
from algorithms.threats.threat import Threat

USEFUL = 1 / 16  # of the scale: a bound of less says little of the sample
STEPS_A_DESCENT = 8  # for each so many steps, one look nearer by that share is allowed after the first has failed
BEYOND = 4.0  # a first-order distance of more than so many times what is known to be the end tells no scale
WIDE = 2.0**10  # taken for the end where there is none
HALVINGS = 30  # of the end, all of which intervals try: down to a millionth, and less within a box


def run(cohort: Cohort, threat: Threat, search_steps: int) -> Conversation:
    """End each sample in LowerBounds, the largest last; with an epsilon not proven in Abstained: `not_proven`."""
    prover = Prover(cohort, threat, "crown")
    if threat.epsilon is None:
        yield from search(prover, prover.everyone, search_steps)
    else:
        yield from prover.answer_at(threat.epsilon)


def search(prover: Prover, who: Owners, search_steps: int) -> Step[dict[int, ZeroSearch]]:
    """Find the largest radii proven of samples `who`. Returns where it ended, of each that a look was worth."""
    everyone, farthest = prover.everyone, prover.farthest()
    at_zero = yield from prover.bounds(everyone, np.zeros(len(everyone)))
    beside = yield from prover.bounds(everyone, np.full(len(everyone), BESIDE))
    for owner in everyone:
        yield prover.claim(int(owner), 0.0, at_zero[owner], steps=0)
        if beside[owner].min() > 0 and farthest[owner] > BESIDE:
            yield prover.claim(int(owner), BESIDE, beside[owner], steps=0)
    first, end = first_order_distance(at_zero, beside), np.minimum(farthest, prover.cohort.reached)
    going = (at_zero > 0).all(axis=1) & (farthest > BESIDE) & np.isin(everyone, who)
    flat = going & ~(np.isfinite(first) & (first <= BEYOND * end))
    scale = np.minimum((1 - ALMOST) * np.clip(first, prover.cohort.proven, prover.cohort.reached), farthest)
    steep = yield from _first_looks(prover, np.flatnonzero(going & ~flat), scale, at_zero.min(axis=1), search_steps)
    level = yield from _looks_by_intervals(prover, np.flatnonzero(flat), np.where(np.isfinite(end), end, WIDE))
    searches = steep | level
    yield from close_in(prover, searches, range(2, search_steps + 1))
    return searches


def _first_looks(
    prover: Prover, who: Owners, scale: Numbers, at_zero: Numbers, search_steps: int
) -> Step[dict[int, ZeroSearch]]:
    """Look at a share of the scale, and as long as that fails and steps allow, at a share of the share."""
    tried = np.clip(USEFUL * scale, np.minimum(prover.cohort.proven, scale), scale)
    farthest, searches = prover.farthest(), dict[int, ZeroSearch]()
    failed: dict[int, Look] = {}
    for _ in range(1 + search_steps // STEPS_A_DESCENT):
        if not len(who):
            break
        bounds = yield from prover.bounds(who, tried[who])
        for owner, margins in zip(who.tolist(), bounds, strict=True):
            look = Look(float(tried[owner]), float(margins.min()))
            if not look.is_proof:
                failed[owner] = look
                continue
            yield prover.claim(owner, look.radius, margins, steps=1)
            if owner in failed:
                searches[owner] = _between(look, failed[owner], float(farthest[owner]))
            else:
                zero, next_ = Look(0.0, float(at_zero[owner])), float(scale[owner])
                searches[owner] = ZeroSearch(
                    float(farthest[owner]), next_, look, zero, proven=look.radius, bisects="ratio"
                )
        who = who[~(bounds > 0).all(axis=1)]
        tried[who] *= USEFUL
    for owner in who.tolist():
        yield Note({"out_of_reach": True}, owner=owner)
    return searches


def _looks_by_intervals(prover: Prover, who: Owners, end: Numbers) -> Step[dict[int, ZeroSearch]]:
    """Begin between the largest radius that intervals prove, of the halvings of the end, and the end itself."""
    if not len(who):
        return {}
    cheap, farthest = replace(prover, relaxation="intervals"), prover.farthest()
    radii = end[who, None] * 0.5 ** np.arange(HALVINGS + 1)
    found = yield from cheap.bounds(np.repeat(who, HALVINGS + 1), radii.ravel())
    searches: dict[int, ZeroSearch] = {}
    for owner, tried, bounds in zip(who.tolist(), radii, found.reshape(*radii.shape, -1), strict=True):
        proven = Look(BESIDE, np.inf)
        held = np.flatnonzero((bounds > 0).all(axis=1))
        if len(held) and tried[held[0]] > BESIDE:
            proven = Look(float(tried[held[0]]), np.inf)
            yield cheap.claim(owner, proven.radius, bounds[held[0]], steps=1)
        searches[owner] = _between(proven, Look(float(end[owner]), -np.inf), float(farthest[owner]))
    return searches


def _between(proven: Look, failed: Look, farthest: float) -> ZeroSearch:
    """Go on in the middle, by ratio, of a radius that is proven and one that is not, or that is taken for the end."""
    return ZeroSearch(
        farthest=farthest,
        next=float(np.sqrt(proven.radius * failed.radius)),
        newest=proven,
        before=proven,
        across=failed,
        proven=proven.radius,
        failed=failed.radius,
        bisects="ratio",
    )
