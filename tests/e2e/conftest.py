"""Whole installations for the end-to-end tests to talk to: each takes seconds of all cores to start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from brinell.machine.local import Installation
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.network import read
from tests.e2e.command_line import make_folder, up
from tests.e2e.machine import DIGITS
from tests.served import ServedModel


@pytest.fixture(scope="session")
def served_digits() -> Iterator[ServedModel]:
    """The bundled model behind HTTP, as somebody else's service."""
    network = read(check((DIGITS / "model.onnx").read_bytes()), None)
    with ServedModel(OnnxClassifier(network, None, "cpu").scores) as server:
        yield server


@pytest.fixture(scope="session")
def installation_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the installation keeps everything: `library/`, `logs/`, `valkey/`."""
    return tmp_path_factory.mktemp("installation")


@pytest.fixture(scope="session")
def installation(installation_folder: Path, served_digits: ServedModel) -> Iterator[Installation]:
    """Valkey, the API and both kinds of worker, as `brinell up` starts them: `.url`, `.api_key`, `.client()`.

    The operator trusts the served digits.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BRINELL_REDIS_URL", "BRINELL_LIBRARY"):
            patch.delenv(name, raising=False)
        patch.setenv("BRINELL_TRUSTED_ORIGINS", served_digits.origin)
        with Installation(installation_folder) as running:
            yield running


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where one `brinell up` runs for all tests of commands that leave it alive, as a user's shell stands in it."""
    here = make_folder(tmp_path_factory.mktemp("up"))
    with up(here):
        yield here
