"""The README, literally: its three calls, run as written against `brinell up`."""

import os
import re
import subprocess

import pytest

from brinell.client import Client
from tests.e2e.machine import ROOT
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow


def _calls() -> str:
    """Every bash block with a curl in it between the words "three calls" and the next heading."""
    section = re.split(r"^#", (ROOT / "README.md").read_text().partition("three calls")[2], flags=re.M)[0]
    return "\n".join(block for block in re.findall(r"```bash\n(.*?)```", section, flags=re.S) if "curl" in block)


def test_the_three_calls_of_the_readme_work_as_written(folder):
    url, key = ((folder / ".brinell" / name).read_text().strip() for name in ("url", "api-key"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BRINELL_")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", _calls()],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with Client(url, key) as client:
        newest = next(client.jobs())
        assert newest["id"] in done.stdout
        assert client.wait_for_job(newest["id"], timeout_seconds=PATIENCE_SECONDS)["state"] == "succeeded"
        assert list(client.findings(newest["id"]))


@pytest.mark.parametrize(
    ("curl", "shows"),
    [
        ('echo \'{"state":"cancelled"}\'', "cancelled"),
        ('echo \'{"state": "expired"}\'', "expired"),
        ('echo \'{"code":"not_found"}\'; return 22', "not_found"),
        ("return 7", ""),
        (
            'if [ -e ended ]; then echo \'{"state":"failed"}\'; else touch ended; echo \'{"state":"queued"}\'; fi',
            "failed",
        ),
    ],
    ids=["cancelled", "expired", "a problem", "no server", "ended later"],
)
def test_the_polling_of_the_readme_ends_whatever_is_answered(tmp_path, curl, shows):
    loop = (
        "while SEEN=" + _calls().partition("while SEEN=")[2].partition('curl -sS --fail-with-body -H "$KEY" "$URL')[0]
    )
    script = f"URL=u KEY=k JOB=j\ncurl() {{ {curl}; }}\n{loop}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert shows in done.stdout
