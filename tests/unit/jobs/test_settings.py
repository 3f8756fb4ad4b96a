"""Every setting is documented with its name and default, and comes from the environment alone."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jobs.settings import Settings

KEY = base64.urlsafe_b64encode(bytes(range(100, 132))).decode()
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
    default = Settings.model_fields[name].get_default()
    assert ROWS[name.upper()].strip() == ("none" if default == () else f"`{default}`")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("REDIS_URL", "redis://there:1/2", "redis://there:1/2"),
        ("LEASE_SECONDS", "2.5", 2.5),
        ("SANDBOX", "strict", "strict"),
        (
            "TRUSTED_ORIGINS",
            "HTTPS://A.example, http://10.0.0.5:8080/",
            ("https://a.example:443", "http://10.0.0.5:8080"),
        ),
        ("SECRET_KEYS", f"{KEY}", (KEY,)),
    ],
)
def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any) -> None:
    monkeypatch.setenv(f"BRINELL_{name}", text)
    assert getattr(Settings(), name.lower()) == value


def test_secret_keys_do_not_show_in_a_settings_text_or_in_the_error_about_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BRINELL_SECRET_KEYS", KEY)
    assert KEY not in repr(Settings())
    monkeypatch.setenv("BRINELL_SECRET_KEYS", f"{KEY},{KEY[:-5]}")
    with pytest.raises(ValidationError) as error:
        Settings()
    assert KEY[:-5] not in str(error.value)


def test_a_password_of_redis_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRINELL_REDIS_URL", "redis://:password@there/0")
    assert "password" not in repr(Settings())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LEASE_SECONDS", "0"),
        ("SANDBOX", "none"),
        ("MAX_UPLOAD_BYTES", str(2**31)),
        ("TRUSTED_ORIGINS", "models.example.com"),
        ("TRUSTED_ORIGINS", "https://models.example.com/v2"),
        ("TRUSTED_ORIGINS", "https://*.example.com"),
        ("SECRET_KEYS", "changeme"),
        ("SECRET_KEYS", base64.urlsafe_b64encode(bytes(32)).decode()),
    ],
)
def test_nonsense_is_refused_at_start(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(f"BRINELL_{name}", text)
    with pytest.raises(ValidationError):
        Settings()
