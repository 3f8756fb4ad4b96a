"""How long a client that sends a body is waited for."""

import pytest

from service.wire.packets import SLOWEST_BYTES_PER_SECOND, patience

SECONDS = 15.0
LARGE = 200 * 2**20


def left_at(rate: float, size: int) -> float:
    """Patience with a client that has sent so many bytes at a steady rate."""
    return patience(SECONDS, waited=size / rate, size=size)


@pytest.mark.parametrize("size", [0, 1, 10**6, LARGE])
def test_a_client_at_the_slowest_rate_may_send_as_much_as_it_likes(size: int) -> None:
    assert left_at(SLOWEST_BYTES_PER_SECOND, size) == pytest.approx(SECONDS)


def test_a_client_at_half_that_rate_is_sent_away_after_twice_the_grace() -> None:
    assert left_at(SLOWEST_BYTES_PER_SECOND / 2, int(SLOWEST_BYTES_PER_SECOND * SECONDS)) == pytest.approx(0)


def test_whoever_was_fast_has_no_right_to_a_longer_silence() -> None:
    assert left_at(10**9, LARGE) == SECONDS
