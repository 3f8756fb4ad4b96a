"""A process whose settings make no sense ends at once, with EX_CONFIG and a sentence instead of a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.store.start import have_library_or_exit

ROOT = Path(__file__).parents[2]
PROCESSES = {
    "the API": ["service.main"],
    "a worker": ["celery", "-A", "workers.app", "worker", "-Q", "compute"],
    "the command that makes keys": ["service.keys", "list"],
    "the check of a worker's health": ["workers.health"],
}


@pytest.mark.parametrize("command", PROCESSES.values(), ids=PROCESSES)
def test_every_process_says_which_setting_makes_no_sense(command: list[str]) -> None:
    environment = {**os.environ, "BRINELL_LEASE_SECONDS": "inf"}
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == os.EX_CONFIG
    assert ended.stderr == (
        "BRINELL_LEASE_SECONDS: Input should be a finite number. It takes a number from 1 to 3600.\n"
    )


def test_a_library_that_is_no_folder_to_write_to_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        have_library_or_exit(f"file://{tmp_path}/file/library")
    assert ended.value.code == os.EX_CONFIG
    assert capsys.readouterr().err.startswith("BRINELL_LIBRARY: the folder cannot be used (Not a directory); ")


def test_a_library_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    have_library_or_exit(f"file://{tmp_path}/a%20new/library")
    assert (tmp_path / "a new" / "library").is_dir()
    have_library_or_exit("s3://a-bucket-that-may-come-later/prefix")
