"""How many more domains a search is expected to take."""

import pytest

from algorithms.certificates.close.forecast import HOPELESS, Forecast


def test_a_bound_that_rises_alike_with_every_doubling_is_told_when_it_is_proven():
    forecast = Forecast(opening=48, beyond=2.0)
    for domains, bound in ((64, -3.0), (128, -2.0), (256, -1.0)):
        forecast.see(domains, bound)
    assert forecast.cost == pytest.approx(256)  # one doubling more


def test_two_looks_with_the_same_domains_are_one():
    forecast = Forecast(opening=48, beyond=2.0)
    for _ in range(2):
        forecast.see(64, -3.0)
    assert forecast.cost == pytest.approx(64 * 2.0**8)


def test_a_search_that_was_forgotten_and_begins_anew_is_seen_anew():
    forecast = Forecast(opening=48, beyond=2.0)
    for domains, bound in ((64, -3.0), (512, -1.0), (9, -1.0), (64, -1.0 + 1e-3)):
        forecast.see(domains, bound)
    assert forecast.cost > 64 * 2.0**50


def test_what_has_not_begun_is_guessed_by_how_far_it_lies_beyond_what_is_proven():
    near, far = Forecast(48, 1.05), Forecast(48, 1.5)
    assert 0 < near.cost < far.cost < HOPELESS == Forecast(48, float("inf")).cost


@pytest.mark.parametrize("bound", [-2.0, -2.5, float("-inf")])
def test_a_bound_that_does_not_rise_is_hopeless_and_still_a_number(bound):
    forecast = Forecast(opening=48, beyond=1e3)
    forecast.see(64, -2.0)
    forecast.see(128, bound)
    assert 1e9 < forecast.cost <= HOPELESS
