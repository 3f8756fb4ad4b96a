"""A store in an empty server of its own kind."""

from pathlib import Path
from typing import Any

import pytest
import redis

from audits.store import Audits
from jobs.installation.settings import Settings
from jobs.store.store import Store
from tests.contract.store.passing import After, pass_time
from tests.jobs_for_tests import MakeStore, NotedLibrary, NotedQueue, Upload


@pytest.fixture
def server(empty_valkey_url: str) -> "redis.Redis[str]":
    """What the scripts wrote."""
    return redis.Redis.from_url(empty_valkey_url, decode_responses=True)


@pytest.fixture
def after(empty_valkey_url: str) -> After:
    """`after(60)`: for the store a minute has passed."""
    return lambda seconds: pass_time(empty_valkey_url, seconds)


@pytest.fixture
def queue(empty_valkey_url: str) -> NotedQueue:
    return NotedQueue(empty_valkey_url)


@pytest.fixture
def library(tmp_path: Path) -> NotedLibrary:
    return NotedLibrary((tmp_path / "library").as_uri())


@pytest.fixture
def make_store(empty_valkey_url: str, queue: NotedQueue, library: NotedLibrary) -> MakeStore:
    """Stores of the same server, queue and library under other settings."""

    def make(**settings: Any) -> Store:
        return Store(Settings(redis_url=empty_valkey_url, **settings), queue, library)

    return make


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store()


@pytest.fixture
def audits(store: Store) -> Audits:
    return Audits(store)


@pytest.fixture
def upload(store: Store) -> Upload:
    return Upload(store)
