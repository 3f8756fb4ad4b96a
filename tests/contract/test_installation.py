"""The editable install puts the checkout on the path of every interpreter, however it starts."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.client_records import openapi_document
from workers.versions import versions

FOLDERS = ("algorithms", "models", "jobs", "audits", "service", "workers", "brinell")


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_isolated_interpreter_in_an_empty_folder_finds_it(folder: str, tmp_path: Path) -> None:
    """The runner child starts like this: no environment, no current folder on the path."""
    found = subprocess.run(
        [sys.executable, "-I", "-c", f"import {folder}; print({folder}.__file__)"],
        cwd=tmp_path,
        env={},
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(found.stdout.strip()) == Path(__file__).parents[2] / folder / "__init__.py"


def test_api_and_workers_tell_the_version_of_the_project() -> None:
    stated = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    assert openapi_document()["info"]["version"] == versions()["brinell"] == stated
