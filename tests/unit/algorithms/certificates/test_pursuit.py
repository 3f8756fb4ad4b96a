"""Which sample goes on first, and what it does: by its own bracket and nothing else."""

import numpy as np

from algorithms.certificates.close.pursuit import Attack, Deepening, Pursuit
from algorithms.mathematics.streams import Stream
from algorithms.seam.case import Case
from algorithms.seam.hint import Hint
from algorithms.searches.splitting.questions import Questions, TriedRadius
from algorithms.threats.threat import Threat

ATTACK = Attack("fab@1", {}, 80)  # ten domains


def pursuit(lower: float, upper: float, *, radii: tuple[float, ...] = (), attacks: tuple[Attack, ...] = ()) -> Pursuit:
    case = Case(np.full(2, 0.5, np.float32), 0, None, np.array([1.0, 0.0]), 2, Stream(0, 0, "close"))
    made = Pursuit(Questions(case, Threat(), 2**62), 1.1, radii, attacks)
    made.closing.proven, made.questions.distance = lower, upper
    made.point = None if np.isinf(upper) else case.x
    return made


def test_a_bracket_is_over_when_its_ends_are_within_the_ratio():
    assert pursuit(0.2, 0.22).is_over
    assert not pursuit(0.2, 0.2201).is_over


def test_what_is_nearly_closed_goes_before_what_is_wide_open():
    assert pursuit(0.2, 0.23).expected < pursuit(0.2, 0.3).expected < pursuit(0.0, 0.3).expected


def test_brackets_around_a_radius_that_something_hangs_on_go_first_and_far_ones_last():
    around, near, far = (pursuit(*ends, radii=(0.3,)) for ends in ((0.1, 0.4), (0.2, 0.29), (0.02, 0.029)))
    assert around.expected < near.expected < far.expected


def test_the_wanted_radius_is_the_one_that_closes_or_the_named_one_where_that_takes_less():
    move = pursuit(0.2, 0.33).next_move()
    assert isinstance(move, Deepening) and move.is_wanted and 0.3 <= move.at.radius < 0.3001
    named = pursuit(0.2, 0.33, radii=(0.25,)).next_move()
    assert isinstance(named, Deepening) and named.at.radius == 0.25


def test_it_attacks_where_it_has_no_point_and_again_when_proofs_took_as_much_in_vain():
    fresh = pursuit(0.0, np.inf, attacks=(ATTACK, ATTACK))
    assert fresh.next_move() is ATTACK
    fresh.attacked(ATTACK, np.array([0.5, 0.8], np.float32))
    assert np.isclose(fresh.questions.distance, 0.3) and fresh.cost == 10
    assert isinstance(fresh.next_move(), Deepening)
    fresh.in_vain = 10
    assert fresh.next_move() is ATTACK
    fresh.attacked(ATTACK, np.array([0.5, 0.9], np.float32))  # farther: the nearer point stays
    assert np.isclose(fresh.questions.distance, 0.3)
    fresh.in_vain = 10**6
    assert isinstance(fresh.next_move(), Deepening)


def test_a_quarter_of_what_wanted_radii_took_goes_to_smaller_ones():
    open_ = pursuit(0.1, 0.33)
    open_.spent["wanted"] = 100
    smaller = open_.next_move()
    assert isinstance(smaller, Deepening) and not smaller.is_wanted and 0.1 < smaller.at.radius < 0.3
    open_.spent["smaller"] = 25
    assert isinstance(wanted := open_.next_move(), Deepening) and wanted.is_wanted


def test_what_is_expected_of_a_radius_is_never_what_was_expected_of_one_that_is_gone():
    """A name of an object in memory is soon given to another one."""
    made = pursuit(0.1, 0.33)
    for radius in np.linspace(0.11, 0.3, 50).tolist():
        assert made.forecast(TriedRadius(radius)).beyond == radius / 0.1


def test_what_a_hint_has_proven_is_no_end_of_its_own():
    case = Case(
        np.full(2, 0.5, np.float32), 0, None, np.array([1.0, 0.0]), 2, Stream(0, 0, "close"), hint=Hint(proven=0.1)
    )
    hinted = Pursuit(Questions(case, Threat(), 2**62), 1.1, (), ())
    assert not list(hinted.begin()) and hinted.closing.proven == 0.1
    assert hinted.has_nothing
    hinted.proved(0.2)
    assert not hinted.has_nothing
