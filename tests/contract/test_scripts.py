"""The scripts of the store as texts. What they do is under test in `store/`; luacheck reads them in `make lint`."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jobs.store.connection.connection import SCRIPTS, SHARED

ROOT = Path(__file__).parents[2]
TEXTS = {file.name: file.read_text() for file in sorted(SCRIPTS.glob("*.lua"))}
WORDS = [
    word
    for name in SHARED
    for names in re.findall(r"^local (?:function )?([\w, ]+?)(?:\(| =)", TEXTS[name], re.MULTILINE)
    for word in names.split(", ")
]
needs_luacheck = pytest.mark.skipif(shutil.which("luacheck") is None, reason="luacheck is not installed")


def test_every_shared_word_is_used_by_another() -> None:
    """luacheck reads a file at a time, and lets them pass as unused."""
    whole = "\n".join(re.sub(r"--.*", "", text) for text in TEXTS.values())
    assert len(WORDS) > 40
    assert [word for word in WORDS if len(re.findall(rf"\b{word}\b", whole)) < 2] == []


@needs_luacheck
def test_a_script_that_uses_what_nobody_defines_is_told() -> None:
    wrong = subprocess.run(
        ["luacheck", "--no-color", "--filename", "jobs/store/lua/cancel_job.lua", "-"],
        input="return replied('ok')",
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "accessing undefined variable" in wrong.stdout and "replied" in wrong.stdout


@needs_luacheck
def test_the_scripts_pass() -> None:
    checked = subprocess.run(
        ["luacheck", "--no-color", "--quiet", "jobs/store/lua"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
