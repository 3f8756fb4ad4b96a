"""Every setting is documented with its name and default, and comes from the environment alone."""

import base64
import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jobs.installation.settings import Settings, misspelt, read_or_exit

KEY = base64.urlsafe_b64encode(bytes(range(100, 132))).decode()
DOCUMENT = (Path(__file__).parents[4] / "docs" / "settings.md").read_text()
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


NUMBERS = [name for name, field in Settings.model_fields.items() if field.annotation in (int, float)]
ZERO_IS_A_CHOICE = {"failed_keys_per_minute", "requests_per_second"}
NO_NUMBERS = ["", "ten", "nan", "inf", "-inf", "1e400", "-1", "-0.5", "1" * 40, "3,5", "0x10", "1s", "[1]"]
NO_TEXTS = {
    "redis_url": [
        "",
        "localhost",
        "localhost:6379",
        "http://x",
        "redis:",
        "redis://",
        "redis://:password@/0",
        "redis://there:port/0",
        "redis://there:99999/0",
        "redis://there:0/0",
        "redis://there/one",
        "redis://:pass#word@there/0",
        "redis://[::1/0",
        "unix:///redis.sock",
        "redis+sentinel://there/0",
    ],
    "library": [
        "",
        "/var/lib/brinell",
        "file:",
        "file://",
        "file:///",
        "file://there/folder",
        "file:relative",
        "s3://",
        "s3:///prefix",
        "s3://bucket?region=x",
        "http://bucket",
        "gs://bucket",
    ],
    "sandbox": ["", "none", "Strict", "basic,strict"],
    "device": ["", "gpu", "cuda:0", "cpu,cuda"],
    "log_level": ["", "loud", "10", "INFO "],
    "trusted_origins": ["models.example.com", "https://models.example.com/v2", "https://*.example.com", "*", "http://"],
    "secret_keys": ["changeme", KEY[:-2], base64.urlsafe_b64encode(bytes(32)).decode(), f"{KEY} {KEY}", f"{KEY},x"],
}
NONSENSE = [(name, text) for name in NUMBERS for text in NO_NUMBERS]
NONSENSE += [(name, "0") for name in NUMBERS if name not in ZERO_IS_A_CHOICE]
NONSENSE += [(name, text) for name, texts in NO_TEXTS.items() for text in texts]


def test_there_is_nonsense_for_every_setting() -> None:
    assert {name for name, _ in NONSENSE} == set(Settings.model_fields)


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The sentences with which a process ends that reads its settings now."""
    with pytest.raises(SystemExit) as ended:
        read_or_exit()
    assert ended.value.code == os.EX_CONFIG
    return capsys.readouterr().err


@pytest.mark.parametrize(("name", "text"), NONSENSE)
def test_nonsense_is_refused_at_start_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    monkeypatch.setenv(f"BRINELL_{name.upper()}", text)
    said = refused(capsys)
    assert said.startswith(f"BRINELL_{name.upper()}: ")
    assert said.count("\n") == 1
    if name in NUMBERS:
        assert re.search(r"It takes a number (from|above) \d+ (to|and below) \d+\.$", said.strip())
    if "pass" in text or name == "secret_keys":
        assert text not in said, "it may be a secret"


def test_everything_that_is_wrong_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRINELL_LEASE_SECONDS", "0")
    monkeypatch.setenv("BRINELL_DEVICE", "gpu")
    monkeypatch.setenv("BRINELL_JOB_SECOND", "1")
    assert [line.split()[0].rstrip(":") for line in refused(capsys).splitlines()] == [
        "BRINELL_DEVICE",
        "BRINELL_LEASE_SECONDS",
        "BRINELL_JOB_SECOND",
    ]


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_a_name_that_is_a_letter_short_is_refused_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv(f"BRINELL_{name.upper()[:-1]}", "1")
    assert f"did you mean BRINELL_{name.upper()}?" in refused(capsys)


@pytest.mark.parametrize(
    "name",
    [
        "BRINELL_URL",
        "BRINELL_API_KEY",
        "BRINELL_BENCH_DATA",
        "BRINELL_WORKERS",
        "BRINELL_PORT",
        "BRINELL_SERVICE_HOST",
        "BRINELL_REDIS_PORT",
        "BRINELL_REDIS_SERVICE_HOST",
        "REDIS_URL",
        "MY_BRINELL_LEASE_SECOND",
        "brinell_lease_seconds",
    ],
)
def test_a_name_that_is_somebody_elses_is_let_be(name: str) -> None:
    assert list(misspelt([name])) == []


@pytest.mark.parametrize("name", NUMBERS)
def test_both_ends_of_a_range_are_taken(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    schema = Settings.model_json_schema()["properties"][name]
    ends = [schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1), schema.get("maximum", 2**31 - 1)]
    for end in ends:
        monkeypatch.setenv(f"BRINELL_{name.upper()}", str(end))
        assert getattr(read_or_exit(), name) == end


def test_what_is_empty_in_a_compose_file_is_an_empty_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRINELL_TRUSTED_ORIGINS", "")
    monkeypatch.setenv("BRINELL_SECRET_KEYS", "")
    assert (read_or_exit().trusted_origins, read_or_exit().secret_keys) == ((), ())
