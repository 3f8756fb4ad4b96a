"""A Redis that holds what this version cannot read: every process says so in a sentence, and does not start."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from brinell.errors import BrinellError
from brinell.machine.local import Installation
from tests.e2e.machine import ROOT
from tests.patience import PATIENCE_SECONDS

PROCESSES = {
    "api": ["-m", "service.main", "--port", "0"],
    "worker": ["-m", "celery", "-A", "workers.app", "worker", "-Q", "compute", "--pool", "prefork"],
    "keys": ["-m", "service.keys", "list"],
}


@pytest.fixture
def newer(empty_valkey_url: str) -> Iterator[str]:
    with redis.Redis.from_url(empty_valkey_url) as server:
        server.set("{brinell}:layout", 99)
        yield empty_valkey_url
        server.flushall()  # others go on with this server as it is


@pytest.mark.parametrize("name", PROCESSES)
def test_it_ends_with_a_sentence(newer: str, name: str, tmp_path: Path) -> None:
    environment = {"BRINELL_REDIS_URL": newer, "BRINELL_LIBRARY": (tmp_path / "library").as_uri()}
    ended = subprocess.run(
        [sys.executable, *PROCESSES[name]],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode == (2 if name == "keys" else os.EX_CONFIG)
    assert "written by a newer version of Brinell (layout 99" in ended.stderr.splitlines()[-1]


def test_an_installation_repeats_the_sentence(newer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRINELL_REDIS_URL", newer)
    with pytest.raises(BrinellError) as refused, Installation(tmp_path / "data"):
        pass
    assert refused.value.code == "cannot_start"
    assert "layout 99" in refused.value.detail and "BRINELL_REDIS_URL" in refused.value.detail
