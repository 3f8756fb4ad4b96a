"""docs/adding-a-protocol.md, followed to the letter in a copy of the checkout's models and algorithms."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "adding-a-protocol.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(REGISTRATION,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
(NAME,) = re.findall(r"^`models/endpoints/(\w+)\.py`:$", PAGE, re.MULTILINE)
TABLES = re.compile(r"^SHAPES = \{.*?\}$", re.MULTILINE | re.DOTALL)

SPEAK = """
import json, sys
from datetime import UTC, datetime
from jobs.registration import EndpointRequest, register
from models.endpoints._classifier import RemoteClassifier
from tests.endpoints_for_tests import permit
from tests.served import ServedModel
import numpy as np

request = EndpointRequest.model_validate(json.loads(sys.argv[1]))
made = register(request, model_id="mdl_1", now=datetime.now(UTC), trusted_origins=frozenset())
assert made.card.state == "unverified", made.card

def answers(handler, body):
    rows = np.array(json.loads(body)["instances"])
    handler.send(200, json.dumps({"predictions": np.c_[rows, rows.sum(axis=1)].tolist()}).encode())

with ServedModel(np.asarray) as server:
    server.always = answers
    here = made.card.endpoint.model_copy(update={"url": server.url, "origin": server.origin})
    model = RemoteClassifier(here, permit(), max_batch=2)
    print(model.scores(np.float32([[0.5, 1], [2, 3], [4, 0.25]])).tolist())
    model.close()
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page asks for, done."""
    here = tmp_path_factory.mktemp("checkout")
    for folder in ("algorithms", "models", "jobs", "tests"):
        shutil.copytree(ROOT / folder, here / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", here)
    protocol, tables = PYTHON
    (here / "models" / "endpoints" / f"{NAME}.py").write_text(protocol)
    test = here / "tests" / "unit" / "models" / "endpoints" / "test_protocols.py"
    test.write_text(TABLES.sub(lambda found: f"{found[0]}\n{tables}", test.read_text(), count=1))
    return here


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_protocol_of_the_page_passes_the_tests_of_all_protocols(checkout: Path) -> None:
    done = run(
        checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/models/endpoints/test_protocols.py"
    )
    assert done.returncode == 0, done.stdout[-3000:]
    without = run(checkout, "-c", "from models.endpoints import PROTOCOLS; print(*sorted(PROTOCOLS))")
    assert NAME in without.stdout.split()


def test_the_protocol_of_the_page_is_registered_and_spoken(checkout: Path) -> None:
    done = run(checkout, "-W", "error", "-c", SPEAK, json.dumps(json.loads(REGISTRATION)))
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == [[0.5, 1, 1.5], [2, 3, 5], [4, 0.25, 4.25]]


def test_the_protocol_of_the_page_is_written_as_the_others_are(checkout: Path) -> None:
    file = f"models/endpoints/{NAME}.py"
    for command in (["ruff", "check", file], ["ruff", "format", "--check", file]):
        done = run(checkout, "-m", *command)
        assert done.returncode == 0, done.stdout + done.stderr
