"""A store in an empty server of its own kind."""

from typing import Any

import pytest

from jobs.settings import Settings
from jobs.store.store import Store
from tests.jobs_for_tests import MakeStore, Upload


@pytest.fixture
def make_store(empty_valkey_url: str) -> MakeStore:
    """Stores of the same server under other settings."""

    def make(**settings: Any) -> Store:
        return Store(Settings(redis_url=empty_valkey_url, **settings))

    return make


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store()


@pytest.fixture
def upload(store: Store) -> Upload:
    return Upload(store)
