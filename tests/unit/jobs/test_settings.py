"""Every setting is documented with its name and default, and comes from the environment alone."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jobs.settings import Settings

DOCUMENT = (Path(__file__).parents[3] / "docs" / "settings.md").read_text()
ROWS = dict(re.findall(r"^\| `BRINELL_([A-Z_]+)` \| ([^|]*) \|", DOCUMENT, re.MULTILINE))


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"BRINELL_{name.upper()}", raising=False)


def test_the_document_names_every_setting_and_no_other() -> None:
    assert sorted(ROWS) == sorted(name.upper() for name in Settings.model_fields)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_the_document_gives_the_default(name: str) -> None:
    assert ROWS[name.upper()].strip() == f"`{Settings.model_fields[name].get_default()}`"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("REDIS_URL", "redis://there:1/2", "redis://there:1/2"),
        ("LEASE_SECONDS", "2.5", 2.5),
        ("SANDBOX", "strict", "strict"),
    ],
)
def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any) -> None:
    monkeypatch.setenv(f"BRINELL_{name}", text)
    assert getattr(Settings(), name.lower()) == value


def test_a_password_of_redis_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRINELL_REDIS_URL", "redis://:password@there/0")
    assert "password" not in repr(Settings())


@pytest.mark.parametrize(
    ("name", "text"), [("LEASE_SECONDS", "0"), ("SANDBOX", "none"), ("MAX_UPLOAD_BYTES", str(2**31))]
)
def test_nonsense_is_refused_at_start(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(f"BRINELL_{name}", text)
    with pytest.raises(ValidationError):
        Settings()
