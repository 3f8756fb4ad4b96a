"""Servers for the end-to-end tests: a machine without HTTP to shoot at, and a whole installation to talk to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from brinell.local import Installation
from tests.e2e.machine import Machine


@pytest.fixture
def machine(empty_valkey_url: str, tmp_path: Path) -> Iterator[Machine]:
    """Workers with a lease of three seconds, which have been started by nobody yet."""
    here = Machine(empty_valkey_url, tmp_path)
    yield here
    here.stop()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Valkey, the API and one worker on loopback, as `brinell up` starts them: `.url`, `.api_key`, `.client()`."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BRINELL_REDIS_URL", "BRINELL_LIBRARY"):
            patch.delenv(name, raising=False)
        with Installation(tmp_path_factory.mktemp("installation")) as running:
            yield running
