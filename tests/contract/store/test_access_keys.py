"""API keys in the store."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from jobs.record import KeyRecord
from jobs.store import Store

NOW = datetime.now(UTC)


def record(name: str, *, age: int = 0, tenant: str = "lab") -> KeyRecord:
    made = NOW - timedelta(seconds=age)
    return KeyRecord(id=name, tenant=tenant, scopes=frozenset({"jobs:read"}), secret_hash="ff", created_at=made)


def test_a_key_comes_back_as_it_was_added(store: Store) -> None:
    store.add_key(record("k1"))
    assert store.key("k1") == record("k1")
    assert store.key("k2") is None


def test_keys_are_listed_oldest_first(store: Store) -> None:
    for name, age in (("b", 5), ("a", 9), ("c", 1)):
        store.add_key(record(name, age=age))
    records = store.keys()
    assert [record.id for record in records] == ["a", "b", "c"]


def test_a_revoked_key_is_gone(store: Store) -> None:
    store.add_key(record("k1"))
    assert store.revoke_key("k1") is True
    assert (store.revoke_key("k1"), store.key("k1"), store.keys()) == (False, None, [])


def test_the_last_use_of_a_key_is_remembered_once_a_minute(store: Store) -> None:
    store.add_key(record("k1"))
    assert store.keys()[0].last_used_at is None
    store.touch_key("k1")
    first = store.keys()[0].last_used_at
    store.touch_key("k1")
    assert first is not None
    assert first == store.keys()[0].last_used_at


@pytest.mark.parametrize("tenant", ["", "a b", "a:b", "é", "x" * 65])
def test_a_tenant_that_would_reach_into_other_keys_is_refused(tenant: str) -> None:
    with pytest.raises(ValidationError):
        record("k1", tenant=tenant)
