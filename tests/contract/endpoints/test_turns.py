"""Turns to call an origin: never more than its rate and burst allow, however many jobs ask."""

import asyncio
from time import monotonic

import pytest
from redis import Redis

from jobs.installation.settings import Settings
from jobs.store.connection.connection import Connection
from jobs.store.sections.turns import Turns
from models.cards import Limits
from models.endpoints import _pace
from models.endpoints._pace import Pace

ORIGIN = "https://models.example.com:443"


@pytest.fixture
def turns(empty_valkey_url):
    return Turns(Connection(Settings(redis_url=empty_valkey_url)))


def limits(per_second, burst):
    return Limits(requests_per_second=per_second, burst=burst)


def fits(waits, full, *, began):
    """Whether waits are as long as where everything was asked at once, less the time that passed since `began`."""
    passed = monotonic() - began + 0.001  # Redis counts milliseconds
    return all(whole - passed <= wait <= whole for wait, whole in zip(waits, full, strict=True))


def test_a_burst_goes_at_once_and_the_rest_at_the_rate(turns):
    began = monotonic()
    waits = [turns.reserve(ORIGIN, limits(0.1, 3), calls=1, hold=0) for _ in range(6)]
    assert waits[:3] == [0, 0, 0]
    assert fits(waits[3:], [10, 20, 30], began=began)


def test_turns_taken_by_the_handful_cost_what_single_ones_do(turns):
    began = monotonic()
    assert turns.reserve(ORIGIN, limits(0.1, 4), calls=4, hold=0) == 0
    assert fits([turns.reserve(ORIGIN, limits(0.1, 4), calls=4, hold=0)], [40], began=began)


def test_two_jobs_share_one_origin_and_others_are_not_held_up(turns, empty_valkey_url):
    other = Turns(Connection(Settings(redis_url=empty_valkey_url)))
    began = monotonic()
    assert turns.reserve(ORIGIN, limits(0.1, 1), calls=1, hold=0) == 0
    assert fits([other.reserve(ORIGIN, limits(0.1, 1), calls=1, hold=0)], [10], began=began)
    assert other.reserve("https://models.example.com:8443", limits(0.1, 1), calls=1, hold=0) == 0


def test_a_hold_empties_the_bucket_for_everybody(turns):
    began = monotonic()
    waits = [turns.reserve(ORIGIN, limits(10, 10), calls=1, hold=hold) for hold in (30, 0)]
    assert fits(waits, [30.1, 30.2], began=began)


def test_a_bucket_nobody_asks_fills_up_and_is_forgotten(turns, empty_valkey_url):
    turns.reserve(ORIGIN, limits(20, 2), calls=2, hold=0)
    with Redis.from_url(empty_valkey_url) as redis:
        assert 0 < redis.pttl(f"{{brinell}}:origin:{ORIGIN}") <= 1200


def test_a_pace_takes_handfuls_counts_turns_and_waits_for_them():
    asked = []

    def reserve(calls, hold):
        asked.append((calls, hold))
        return 0.1 * (len(asked) - 1)

    pace = Pace(reserve, per_second=30, burst=10)

    async def run():
        for _ in range(4):
            await pace.turn()
        pace.hold(7.0)
        await pace.turn()

    began = monotonic()
    asyncio.run(run())
    assert asked == [(3, 0.0), (3, 0.0), (3, 7.0)]
    assert pace.calls == 5
    assert monotonic() - began >= 0.29


def test_turns_that_were_kept_for_long_are_asked_for_again(monkeypatch):
    asked = []
    pace = Pace(lambda calls, hold: asked.append(calls) or 0.0, per_second=1000, burst=100)

    async def run():
        await pace.turn()
        await pace.turn()
        monkeypatch.setattr(_pace, "FRESH_SECONDS", 0.0)
        await pace.turn()

    asyncio.run(run())
    assert asked == [100, 100]


def test_a_handful_is_never_more_than_the_burst():
    asked = []
    pace = Pace(lambda calls, hold: asked.append(calls) or 0.0, per_second=10_000, burst=3)
    asyncio.run(pace.turn())
    assert asked == [3]
