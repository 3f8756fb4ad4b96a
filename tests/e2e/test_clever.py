"""CLEVER through the front door on a model whose radius is known: an uploaded file that is one dense layer."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.exports import graph, linear
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

NORMS = {"l1": np.inf, "l2": 2, "linf": 1}  # and the dual, in which gradients are measured


@pytest.fixture(scope="module")
def client(installation):
    with installation.client() as caller:
        yield caller


@pytest.fixture(scope="module")
def uploads(client, tmp_path_factory: pytest.TempPathFactory):
    """(model, samples, rows)"""
    folder: Path = tmp_path_factory.mktemp("linear")
    weights, bias = linear(d=12, classes=5)
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["z"])]
    data = graph(nodes, ["N", 12], [("z", TensorProto.FLOAT, ["N", 5])], {"W": weights, "b": bias})
    (folder / "linear.onnx").write_bytes(data)
    rows = np.random.default_rng(1).normal(size=(4, 12)).astype(np.float32)
    np.savez(folder / "rows.npz", x=rows)
    model = client.upload_model(folder / "linear.onnx", timeout_seconds=PATIENCE_SECONDS)
    return model, client.upload_samples(folder / "rows.npz"), rows


@pytest.mark.parametrize("norm", NORMS)
def test_the_score_of_a_linear_model_is_its_radius(client, uploads, norm):
    model, samples, rows = uploads
    asked = {
        "model_id": model["id"],
        "samples_id": samples["id"],
        "method": {"name": "clever", "batches": 5, "batch_size": 16},
        "threat": {"norm": norm, "box": None},
    }
    job = client.wait_for_job(client.create_job(asked)["id"], timeout_seconds=PATIENCE_SECONDS)
    assert job["state"] == "succeeded", job["error"]
    weights, bias = (numbers.astype(np.float64) for numbers in linear(d=12, classes=5))
    logits = rows.astype(np.float64) @ weights + bias
    for finding, f in zip(client.findings(job["id"]), logits, strict=True):
        c = int(f.argmax())
        rivals = [j for j in range(5) if j != c]
        lengths = np.linalg.norm(weights[:, [c]] - weights[:, rivals], NORMS[norm], axis=0)
        rounding = 1e-6 * np.abs(f).max() / lengths.min()
        assert finding["value"] == pytest.approx(((f[c] - f[rivals]) / lengths).min(), abs=rounding)
