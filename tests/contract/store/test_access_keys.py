"""API keys in the store."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from algorithms.errors import RateLimited
from jobs.store.sections.keys import KeyRecord
from jobs.store.store import Store
from tests.contract.store.passing import After
from tests.jobs_for_tests import MakeStore
from tests.patience import PATIENCE_SECONDS

NOW = datetime.now(UTC)


def record(name: str, *, age: int = 0, tenant: str = "lab") -> KeyRecord:
    made = NOW - timedelta(seconds=age)
    return KeyRecord(id=name, tenant=tenant, scopes=frozenset({"jobs:read"}), secret_hash="ff", created_at=made)


def test_a_key_comes_back_as_it_was_added(store: Store) -> None:
    store.keys.add(record("k1"))
    assert store.keys.get("k1") == record("k1")
    assert store.keys.get("k2") is None


def test_keys_are_listed_oldest_first(store: Store) -> None:
    for name, age in (("b", 5), ("a", 9), ("c", 1)):
        store.keys.add(record(name, age=age))
    records = store.keys.all()
    assert [record.id for record in records] == ["a", "b", "c"]


def test_a_revoked_key_is_gone(store: Store) -> None:
    store.keys.add(record("k1"))
    assert store.keys.revoke("k1") is True
    assert (store.keys.revoke("k1"), store.keys.get("k1"), store.keys.all()) == (False, None, [])


def test_the_last_use_of_a_key_is_remembered_once_a_minute(store: Store) -> None:
    store.keys.add(key := record("k1"))
    assert store.keys.all()[0].last_used_at is None
    store.keys.arrive(key)
    first = store.keys.all()[0].last_used_at
    store.keys.arrive(key)
    assert first is not None
    assert first == store.keys.all()[0].last_used_at


def refusals(store: Store, key: KeyRecord, times: int) -> list[int]:
    """Retry-After of those of so many requests that were refused."""
    seconds = []
    for _ in range(times):
        try:
            store.keys.arrive(key)
        except RateLimited as error:
            seconds.append(error.retry_after)
    return seconds


def test_a_tenant_may_ask_in_a_burst_and_then_at_its_rate(make_store: MakeStore) -> None:
    store = make_store(requests_per_second=0.0001, requests_burst=3)
    assert refusals(store, record("k1"), 3) == []
    waits = refusals(store, record("k2"), 2)  # another key of the same tenant; and refusals cost nothing
    assert all(10_000 - PATIENCE_SECONDS < wait <= 10_000 for wait in waits) and len(waits) == 2
    assert refusals(store, record("k3", tenant="else"), 3) == []


def test_a_bucket_fills_again(make_store: MakeStore, after: After) -> None:
    store = make_store(requests_per_second=0.001, requests_burst=1)
    store.keys.arrive(record("k1"))
    (seconds,) = refusals(store, record("k1"), 1)
    after(seconds)
    assert refusals(store, record("k1"), 2) == [1000]


def test_a_rate_of_0_is_none(make_store: MakeStore) -> None:
    assert refusals(make_store(requests_per_second=0, requests_burst=1), record("k1"), 20) == []


@pytest.mark.parametrize("tenant", ["", "a b", "a:b", "é", "x" * 65])
def test_a_tenant_that_would_reach_into_other_keys_is_refused(tenant: str) -> None:
    with pytest.raises(ValidationError):
        record("k1", tenant=tenant)
