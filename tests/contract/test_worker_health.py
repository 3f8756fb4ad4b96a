"""What the worker images ask themselves."""

from jobs.installation.settings import Settings
from jobs.store.connection.connection import Connection
from jobs.store.sections.workers import Workers
from workers.health import is_beating


def test_a_worker_is_healthy_while_it_beats_and_only_on_its_own_host(empty_valkey_url: str) -> None:
    workers = Workers(Connection(Settings(redis_url=empty_valkey_url)))
    assert not is_beating(workers, "here")

    workers.beat("celery@here", "compute", {})
    assert is_beating(workers, "here")
    assert not is_beating(workers, "there")
