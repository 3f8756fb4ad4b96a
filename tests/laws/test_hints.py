"""A hint says where to begin, and nothing more: it is paid for, it is repeatable, and none can make a finding wrong."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.driver.running import Samples
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from algorithms.threats.threat import Box, Threat
from audits.evidence.brackets import reached
from tests.laws.members import SHAPE, N, go, held, is_attack, samples, truth, undisturbed


def takes_hints(method):
    """Whether hints are what it may begin with, and not all that it has, as points found on a surrogate are."""
    return method.takes_hints and method.attack_on_surrogate is None


def hinted(*hints: Hint) -> Samples:
    return replace(samples(), hints=hints)


def honest(method, norm) -> tuple[Hint, ...]:
    """What another run found, or, of a certificate, proved."""
    found = undisturbed(method, norm)
    if is_attack(method):
        return tuple(Hint(point=o.x_adv, reached=reached(o.finding) or np.inf) for o in found)
    values = [outcome.finding.value or 0.0 for outcome in found]
    return tuple(Hint(proven=0.9 * value, reached=2 * value or np.inf) for value in values)


SOMEWHERE = np.full(SHAPE, 0.5, np.float32)
ITSELF = Hint(point=SOMEWHERE)  # stands for the sample's own point
LIES = {  # one for each sample
    "of points": (
        Hint(point=SOMEWHERE + 7),  # outside the box
        Hint(point=SOMEWHERE * np.nan, reached=np.nan, proven=np.nan),
        Hint(point=SOMEWHERE + 0.45),  # near a corner, whatever the model says there
        Hint(point=SOMEWHERE.ravel()),  # of another shape
        ITSELF,
    ),
    "of distances": (
        Hint(reached=1e-12, proven=0.0),  # broken at once
        Hint(reached=1e12),  # broken nowhere
        Hint(proven=1e12),  # proven everywhere
        Hint(reached=1e-3, proven=1e3),  # proven beyond where it breaks
        Hint(reached=-1.0, proven=-1.0),  # less than nothing
    ),
}


@held(lambda method: not method.takes_hints)
def test_a_method_that_takes_no_hints_is_not_moved_by_one(method, norm):
    hints = (Hint(point=SOMEWHERE, reached=0.1, proven=0.05),) * N
    assert _bits(go(method, norm, what=hinted(*hints))) == _bits(undisturbed(method, norm))


@held(takes_hints, in_every_norm=True)
def test_a_hint_that_knows_nothing_changes_nothing(method, norm):
    assert _bits(go(method, norm, what=hinted(*(NOTHING_KNOWN,) * N))) == _bits(undisturbed(method, norm))


@held(takes_hints)
def test_the_same_hints_give_the_same_bits_alone_and_in_company(method, norm):
    hints = honest(method, norm)
    together = _bits(go(method, norm, what=hinted(*hints)))
    assert together == _bits(go(method, norm, what=hinted(*hints)))
    alone = [go(method, norm, what=replace(samples((i,)), hints=(hints[i],)))[0] for i in range(N)]
    assert together == _bits(alone)


@held(takes_hints)
def test_what_is_asked_about_a_hint_is_charged(method, norm):
    model = truth(method)
    outcomes = go(method, norm, model, hinted(*honest(method, norm)))
    assert sum(outcome.finding.queries for outcome in outcomes) == sum(map(len, model.queried))
    assert sum(outcome.finding.gradients for outcome in outcomes) == sum(map(len, model.differentiated))


@held(lambda method: takes_hints(method) and is_attack(method))
def test_an_attack_that_begins_where_another_ended_ends_no_farther(method, norm):
    hints = honest(method, norm)
    for hint, outcome in zip(hints, go(method, norm, what=hinted(*hints)), strict=True):
        if hint.point is not None:
            distance = reached(outcome.finding)
            assert distance is not None and distance <= 1.02 * hint.reached


@pytest.mark.parametrize("lies", LIES.values(), ids=LIES)
@held(takes_hints, in_every_norm=True)
def test_no_hint_makes_a_finding_wrong(method, norm, lies):
    """Each sample is told another lie, and in each norm another than in the one before.

    A certificate in an unbounded box, where the true radius is known in every norm.
    """
    model, box = truth(method), Threat().box if is_attack(method) else Box.unbounded()
    turn = method.norms.index(norm)
    told = zip((*lies[turn:], *lies[:turn]), samples().x, strict=True)
    hints = [replace(lie, point=x.copy()) if lie is ITSELF else lie for lie, x in told]
    for x, outcome in zip(samples().x, go(method, norm, model, hinted(*hints), box=box), strict=True):
        radius = model.radius(x, outcome.finding.label, norm)
        if is_attack(method):
            distance = reached(outcome.finding)
            assert distance is None or distance >= radius * (1 - 1e-6)
        else:
            assert 0 < outcome.finding.value <= radius
    assert all(box.contains(rows).all() for rows in model.queried + model.differentiated)


def _bits(outcomes):
    return [(outcome.finding, None if outcome.x_adv is None else outcome.x_adv.tobytes()) for outcome in outcomes]
