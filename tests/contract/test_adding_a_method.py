"""docs/adding-a-method.md, followed to the letter in a copy of the checkout's algorithms, jobs and models."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-method.md").read_text()
FILE, SMALL = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(REQUEST,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
(PATH,) = re.findall(r"^`(algorithms/attacks/\w+\.py)`:$", PAGE, re.MULTILINE)
NAME = Path(PATH).stem


def put(file: Path, before: str, text: str) -> None:
    """Insert in front of the first place that reads so."""
    content = file.read_text()
    assert before in content
    file.write_text(content.replace(before, text + before, 1))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page asks for, done."""
    here = tmp_path_factory.mktemp("checkout")
    for folder in ("algorithms", "models", "jobs", "tests"):
        shutil.copytree(ROOT / folder, here / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", here)
    (here / PATH).write_text(FILE)
    put(here / "tests" / "contract" / "test_driver_laws.py", '    "clever":', SMALL)
    return here


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *command], cwd=checkout, env=environment, capture_output=True, text=True, timeout=150
    )


def test_the_method_of_the_page_keeps_the_drivers_laws(checkout: Path) -> None:
    laws = "tests/contract/test_driver_laws.py"
    done = run(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", laws, "-k", NAME)
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 40


def test_a_request_for_the_method_of_the_page_is_understood(checkout: Path) -> None:
    understood = (
        "import sys; from jobs.request import JobRequest as R; print(R.model_validate_json(sys.argv[1]).method)"
    )
    asked = json.dumps(json.loads(REQUEST))
    done = run(checkout, "-c", understood, asked)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "halvings=20" in done.stdout


def test_the_method_of_the_page_is_written_as_the_others_are(checkout: Path) -> None:
    for command in (["ruff", "check", PATH], ["ruff", "format", "--check", PATH], ["mypy", "--strict", PATH]):
        done = run(checkout, "-m", *command)
        assert done.returncode == 0, done.stdout + done.stderr
