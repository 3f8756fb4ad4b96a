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


@pytest.mark.parametrize("first", ["Identity", "Relu"])
def test_the_second_order_score_of_a_quadratic_model_is_its_radius_and_kinks_are_named(client, tmp_path, first):
    """Class 0 within distance 1 of the origin: z = (1 - |x|^2, 0), behind a ReLU that changes nothing on these rows."""
    nodes = [
        helper.make_node(first, ["x"], ["y"]),
        helper.make_node("Mul", ["y", "y"], ["squares"]),
        helper.make_node("Gemm", ["squares", "W", "b"], ["z"]),
    ]
    numbers = {"W": np.tile(np.array([-1.0, 0.0], np.float32), (3, 1)), "b": np.array([1.0, 0.0], np.float32)}
    (tmp_path / "disc.onnx").write_bytes(graph(nodes, ["N", 3], [("z", TensorProto.FLOAT, ["N", 2])], numbers))
    rows = np.random.default_rng(1).uniform(0.1, 0.4, (4, 3)).astype(np.float32)
    np.savez(tmp_path / "rows.npz", x=rows)
    model = client.upload_model(tmp_path / "disc.onnx", timeout_seconds=PATIENCE_SECONDS)
    asked = {
        "model_id": model["id"],
        "samples_id": client.upload_samples(tmp_path / "rows.npz")["id"],
        "method": {"name": "clever_second_order", "batches": 5, "batch_size": 8},
        "threat": {"norm": "l2", "box": None},
    }
    job = client.wait_for_job(client.create_job(asked)["id"], timeout_seconds=PATIENCE_SECONDS)
    assert job["state"] == "succeeded", job["error"]
    assert job["summary"]["isolation"] == "strict"
    findings = list(client.findings(job["id"]))
    if first == "Relu":
        assert [finding["details"] for finding in findings] == [{"reason": "not_smooth", "operators": ["Relu"]}] * 4
        assert job["summary"]["warnings"] == ["not_smooth"]
    else:
        exact = 1 - np.linalg.norm(rows.astype(np.float64), axis=1)
        assert [finding["value"] for finding in findings] == pytest.approx(exact, rel=1e-4)
