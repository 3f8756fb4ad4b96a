"""Properties through the front door: a text is posted, a worker decides it on the uploaded bytes, the job is polled."""

import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from brinell.client import Client
from brinell.machine.local import Installation
from brinell.records import Finding, Job
from tests.exports import graph
from tests.patience import PATIENCE_SECONDS

BRINELL = str(Path(sys.executable).with_name("brinell"))
BOX = "".join(f"(assert (>= X_{i} -50)) (assert (<= X_{i} 50))\n" for i in range(2))


@pytest.fixture(scope="module")
def client(installation) -> Iterator[Client]:
    with installation.client() as caller:
        yield caller


@pytest.fixture(scope="module")
def shares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose last step is a soft-max: for attacks that is cut off, and no property may lose it."""
    node = helper.make_node("Softmax", ["x"], ["y"], axis=-1)
    file = tmp_path_factory.mktemp("shares") / "shares.onnx"
    file.write_bytes(graph([node], ["N", 2], [("y", TensorProto.FLOAT, ["N", 2])]))
    return file


@pytest.fixture(scope="module")
def model_id(client: Client, shares: Path) -> str:
    """Preprocessing is not part of the graph, so it changes no answer."""
    preprocessing = '{"subtract": 100, "divide": 3}'
    return client.upload_model(shares, preprocessing=preprocessing, timeout_seconds=PATIENCE_SECONDS)["id"]


def decided(client: Client, model_id: str, text: str, folder: Path, seconds: float = 120.0) -> tuple[Job, Finding]:
    file = folder / "p.vnnlib"
    file.write_text(text)
    job = client.create_property(model_id, file, seconds=seconds)
    job = client.wait_for_job(job["id"], timeout_seconds=PATIENCE_SECONDS)
    assert job["state"] == "succeeded", job["error"]
    (finding,) = client.findings(job["id"])
    assert job["details"] and job["details"]["answer"] == finding["details"]["answer"]
    return job, finding


def test_what_no_input_reaches_is_unsat(client: Client, model_id: str, tmp_path: Path) -> None:
    _, finding = decided(client, model_id, BOX + "(assert (or (>= Y_0 1.001) (<= Y_1 -0.001)))", tmp_path)
    assert (finding["details"]["answer"], finding["kind"]) == ("unsat", "lower_bound")


def test_a_sat_has_a_witness_that_the_uploaded_file_answers_so(
    client: Client, model_id: str, shares: Path, tmp_path: Path
) -> None:
    job, finding = decided(client, model_id, BOX + "(assert (and (>= Y_0 0.9) (<= X_0 7)))", tmp_path)
    assert (finding["details"]["answer"], finding["kind"]) == ("sat", "upper_bound")
    with np.load(BytesIO(client.adversarials(job["id"]))) as points:
        x = points["x"]
    assert x.shape == (1, 2) and np.abs(x).max() <= 50 and x[0, 0] <= 7
    (y,) = ort.InferenceSession(shares.read_bytes()).run(None, {"x": x})
    assert y[0, 0] >= 0.9
    assert finding["details"]["outputs"] == y[0].tolist() and finding["details"]["inputs"] == x[0].tolist()


def test_the_command_line_says_of_an_uploaded_model_what_it_says_of_its_file(
    installation: Installation, model_id: str, shares: Path, tmp_path: Path
) -> None:
    file = tmp_path / "p.vnnlib"
    for wanted, words in (("(<= Y_0 0.1)", 5), ("(<= Y_0 -0.001)", 1)):
        file.write_text(f"{BOX}(assert {wanted})")
        said = []
        for model in (model_id, str(shares)):
            command = [
                BRINELL,
                "verify",
                model,
                str(file),
                "--url",
                installation.url,
                "--api-key",
                installation.api_key,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
            said.append(done.stdout)
        assert said[0] == said[1]
        assert len(said[0].splitlines()) == words and said[0].startswith("sat" if words > 1 else "unsat")


def test_time_that_is_over_is_an_answer(client: Client, tmp_path: Path, model_id: str) -> None:
    _, finding = decided(client, model_id, BOX + "(assert (and (>= Y_0 0.6) (>= Y_1 0.6)))", tmp_path, seconds=1e-6)
    assert (finding["details"]["answer"], finding["kind"], finding["ended"]) == ("timeout", "abstained", "budget")
