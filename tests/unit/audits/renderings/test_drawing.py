"""Axes have room for what they show, and the steps of the envelope stay on the safe side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.renderings.drawing import Axis
from audits.renderings.envelope_chart import _down, _up


@given(st.lists(st.floats(1e-6, 1e6), min_size=1))
def test_an_axis_has_room_for_every_value_and_not_much_more(values):
    axis = Axis.up_to("distance", values)
    assert max(values) <= axis.high <= 2 * max(values)
    assert 3 <= len(axis.ticks()) <= 8


def test_an_axis_without_values_is_still_an_axis():
    assert Axis.up_to("distance", []).high > 0


def test_a_logarithmic_axis_is_marked_at_powers_of_ten():
    axis = Axis("queries", 1.0, 2000.0, is_log=True)
    assert [value for value, _ in axis.ticks()] == [1.0, 10.0, 100.0, 1000.0]
    assert axis.part(1.0) == 0
    assert axis.part(2000.0) == 1


@pytest.mark.parametrize("step", [_down, _up])
def test_steps_go_through_every_point(step):
    points = [(0.0, 0.9), (1.0, 0.5), (2.0, 0.1)]
    assert set(points[1:-1]) <= set(step(points))


def test_certified_steps_fall_before_the_curve_and_empirical_ones_after_it():
    points = [(0.0, 0.9), (1.0, 0.5)]
    assert _down(points) == [(0.0, 0.5), (1.0, 0.5)]
    assert _up(points) == [(0.0, 0.9), (1.0, 0.9), (1.0, 0.5)]
