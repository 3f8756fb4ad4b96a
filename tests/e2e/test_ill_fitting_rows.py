"""Rows that a model was not made for, through the front door: no numbers, codes that are none, company that tells."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.exports import graph
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
W = np.array([[2.0, -1.0], [1.0, 0.5], [-1.0, 1.0]], np.float32)  # of three features and two classes
V = np.array([[0.0, 1.0], [3.0, -1.0]], np.float32)  # of two codes
FIRST, LAST = np.array([0], np.int64), np.array([2], np.int64)
AXIS, END = np.array([1], np.int64), np.array([3], np.int64)
FLOAT = TensorProto.FLOAT


@pytest.fixture(scope="module")
def client(installation):
    with installation.client() as caller:
        yield caller


def run(client, folder, data, rows, method, **threat):
    (folder / "m.onnx").write_bytes(data)
    np.savez(folder / "s.npz", x=rows)
    model = client.upload_model(folder / "m.onnx", timeout_seconds=PATIENCE_SECONDS)
    samples = client.upload_samples(folder / "s.npz")
    asked = {"model_id": model["id"], "samples_id": samples["id"], "method": {"name": method}, "threat": threat}
    asked["budget"] = {"queries_per_sample": 2000}  # a file of batch 1 is asked row by row
    job = client.wait_for_job(client.create_job(asked)["id"], timeout_seconds=PATIENCE_SECONDS)
    assert job["state"] == "succeeded", job["error"]
    return model, job["summary"], list(client.findings(job["id"]))


def test_nan_is_no_class_for_an_attack_on_labels_nor_for_the_summary(client, tmp_path):
    """Scores where the last feature is positive, else NaN; within them the label never changes."""
    nodes = [
        helper.make_node("Slice", ["x", "last", "end", "axis"], ["feature"]),
        helper.make_node("Sqrt", ["feature"], ["root"]),
        helper.make_node("Mul", ["root", "sides"], ["z"]),  # (0, r), and r > 0 wins
    ]
    sides = np.array([[0.0, 1.0]], np.float32)
    constants = {"last": LAST, "end": END, "axis": AXIS, "sides": sides}
    rows = RNG.normal(size=(4, 3)).astype(np.float32)
    rows[:, 2] = [0.5, 1.0, -0.5, 2.0]
    data = graph(nodes, ["N", 3], [("z", FLOAT, ["N", 2])], constants)
    _, summary, findings = run(client, tmp_path, data, rows, "hopskipjump", box=[[-9, -9, -9], [9, 9, 9]])
    assert [finding["predicted"] for finding in findings] == [1, 1, -1, 1]
    assert findings[2]["details"]["reason"] == "scores_not_finite"
    assert {findings[i]["details"].get("reason") for i in (0, 1, 3)} == {"not_found"}
    assert summary["counts"] == {"abstained": 4} and "scores_not_finite" in summary["warnings"]


def test_an_encoder_that_refuses_what_it_does_not_know_is_audited_with_its_codes_held(client, tmp_path):
    """z = x W with the code's row of V: held at code 20, what is left is linear, and its radius is known."""
    nodes = [
        helper.make_node("Slice", ["x", "first", "last", "axis"], ["numbers"]),
        helper.make_node("Slice", ["x", "last", "end", "axis"], ["code"]),
        helper.make_node("Cast", ["code"], ["whole"], to=TensorProto.INT64),
        helper.make_node("OneHotEncoder", ["whole"], ["marks"], domain="ai.onnx.ml", cats_int64s=[10, 20], zeros=0),
        helper.make_node("Reshape", ["marks", "flat"], ["which"]),
        helper.make_node("MatMul", ["numbers", "W"], ["by_numbers"]),
        helper.make_node("MatMul", ["which", "V"], ["by_code"]),
        helper.make_node("Add", ["by_numbers", "by_code"], ["z"]),
    ]
    flat = np.array([-1, 2], np.int64)
    constants = {"first": FIRST, "last": LAST, "axis": AXIS, "end": END, "W": W[:2], "V": V, "flat": flat}
    data = graph(nodes, ["N", 3], [("z", FLOAT, ["N", 2])], constants)
    rows = RNG.normal(size=(3, 3)).astype(np.float32)
    rows[:, 2] = 20
    box = [[-90, -90, 20], [90, 90, 20]]
    model, summary, findings = run(client, tmp_path, data, rows, "hopskipjump", norm="l2", box=box)
    assert model["input"]["whole_features"] == [2]
    assert summary["counts"] == {"upper_bound": 3} and "whole_features_moved" not in summary["warnings"]
    z = rows[:, :2].astype(np.float64) @ W[:2] + V[1]
    radii = np.abs(z[:, 0] - z[:, 1]) / np.linalg.norm(W[:2, 0] - W[:2, 1])
    for finding, radius in zip(findings, radii, strict=True):
        assert radius * (1 - 1e-5) <= finding["value"] <= 1.05 * radius


def test_a_dynamically_quantized_file_is_audited_row_by_row(client, tmp_path):
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["q", "weights", "zero"], ["sums"]),
        helper.make_node("Cast", ["sums"], ["whole"], to=FLOAT),
        helper.make_node("Mul", ["whole", "scale"], ["z"]),
    ]
    weights = np.array([[5, -3], [-2, 4], [1, 6]], np.int8)
    data = graph(nodes, ["N", 3], [("z", FLOAT, ["N", 2])], {"weights": weights})
    rows = np.array([[1, 0.25, 0], [0.1, 0.9, 0.4], [1, 1, 1]], np.float32)
    model, summary, findings = run(client, tmp_path, data, rows, "square", norm="linf")
    assert model["input"]["batch"] == 1
    assert [finding["predicted"] for finding in findings] == (rows @ weights.astype(np.float32)).argmax(axis=1).tolist()
    assert summary["counts"]["upper_bound"] >= 2
