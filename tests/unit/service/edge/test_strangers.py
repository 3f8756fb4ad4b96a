"""How often an address may come without a valid key."""

import pytest

from algorithms.errors import RateLimited
from service.edge.strangers import MOST_ADDRESSES, Strangers


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def refusals(strangers: Strangers, host: str | None, times: int) -> list[int]:
    seconds = []
    for _ in range(times):
        try:
            strangers.fail(host)
        except RateLimited as error:
            seconds.append(error.retry_after)
    return seconds


def test_an_address_may_fail_as_often_as_a_minute_allows_and_then_at_that_rate() -> None:
    clock = Clock()
    strangers = Strangers(6, clock=clock)
    assert refusals(strangers, "192.0.2.1", 9) == [10, 10, 10]
    clock.now += 10
    assert refusals(strangers, "192.0.2.1", 2) == [10]
    clock.now += 600
    assert len(refusals(strangers, "192.0.2.1", 9)) == 3, "rest saves up no more than a minute's"


def test_another_address_is_not_to_blame() -> None:
    strangers = Strangers(2, clock=Clock())
    assert len(refusals(strangers, "192.0.2.1", 5)) == 3
    assert refusals(strangers, "192.0.2.2", 2) == []


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8::1", "2001:db8::2:ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        (None, "not an address", True),
    ],
)
def test_who_counts_as_one_address(first: str | None, second: str, is_one: bool) -> None:
    strangers = Strangers(1, clock=Clock())
    assert refusals(strangers, first, 1) == []
    assert bool(refusals(strangers, second, 1)) == is_one


def test_however_many_addresses_fail_memory_is_bounded_and_the_last_are_remembered() -> None:
    strangers = Strangers(1, clock=Clock())
    hosts = [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(MOST_ADDRESSES + 5)]
    for host in hosts:
        strangers.fail(host)
    assert len(strangers._full_at) == MOST_ADDRESSES
    assert refusals(strangers, hosts[-1], 1) and not refusals(strangers, hosts[0], 1)


def test_none_is_counted_where_the_operator_wants_it_so() -> None:
    assert refusals(Strangers(0, clock=Clock()), "192.0.2.1", 1000) == []
