"""A whole installation for the end-to-end tests to talk to."""

from collections.abc import Iterator

import pytest

from brinell.local import Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Valkey, the API and one worker on loopback, as `brinell up` starts them: `.url`, `.api_key`, `.client()`."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BRINELL_REDIS_URL", "BRINELL_LIBRARY"):
            patch.delenv(name, raising=False)
        with Installation(tmp_path_factory.mktemp("installation")) as running:
            yield running
