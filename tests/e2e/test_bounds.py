"""Certificates by bounds through the front door: offered, proven, and refused where they make no sense."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from algorithms.mathematics.norms import Norm
from brinell.client import Client
from brinell.errors import BrinellError
from tests.cells import least_distance
from tests.exports import graph, linear
from tests.patience import PATIENCE_SECONDS
from tests.perceptrons import exported, layers, perceptron

pytestmark = pytest.mark.slow

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@pytest.fixture(scope="module")
def client(installation):
    with installation.client() as caller:
        yield caller


@pytest.fixture(scope="module")
def model(client):
    return client.upload_model(DIGITS / "model_robust.onnx", timeout_seconds=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def samples(client):
    return client.upload_samples(DIGITS / "samples.npz")


def findings(client: Client, model: dict, samples: dict, name: str, **threat: object) -> list[dict]:
    asked = {
        "model_id": model["id"],
        "samples_id": samples["id"],
        "method": {"name": name},
        "threat": {"norm": "linf"} | threat,
        "samples": {"indices": [0, 1, 2]},
    }
    job = client.wait_for_job(client.create_job(asked)["id"], timeout_seconds=PATIENCE_SECONDS)
    assert job["state"] == "succeeded", job["error"]
    return list(client.findings(job["id"]))


def test_the_card_offers_bounds(model):
    assert model["offers"] == ["labels", "scores", "gradients", "bounds"]


def test_crown_proves_no_less_than_intervals_and_no_more_than_an_attack_leaves(client, model, samples):
    intervals, crown, attack = (findings(client, model, samples, name) for name in ("intervals", "crown", "pgd"))
    for lower, better, upper in zip(intervals, crown, attack, strict=True):
        assert (better["kind"], better["confidence"], better["ended"]) == ("lower_bound", 1.0, "finished")
        assert (better["queries"], better["gradients"]) == (1, 0)
        assert 0 < lower["value"] <= better["value"] * 1.002
        assert upper["value"] is None or better["value"] <= upper["value"]


def test_an_epsilon_is_proven_or_abstained_from(client, model, samples):
    (small, *_), (large, *_) = (findings(client, model, samples, "crown", epsilon=e) for e in (0.001, 0.9))
    assert (small["kind"], small["value"]) == ("lower_bound", 0.001)
    assert small["details"]["margin"] > 0
    assert (large["kind"], large["details"]["reason"]) == ("abstained", "not_proven")


def test_a_model_without_bounds_names_its_operator_and_the_method_is_refused(client, samples, tmp_path: Path):
    weights, bias = linear(d=64, classes=10)
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("Atan", ["f"], ["s"]),
        helper.make_node("Gemm", ["s", "W", "b"], ["z"]),
    ]
    outputs = [("z", TensorProto.FLOAT, ["N", 10])]
    file = tmp_path / "atan.onnx"
    file.write_bytes(graph(nodes, ["N", 1, 8, 8], outputs, {"W": weights, "b": bias}))
    card = client.upload_model(file, timeout_seconds=PATIENCE_SECONDS)
    (withheld,) = card["withheld"]
    assert (withheld["offer"], withheld["reason"]) == ("bounds", "Bounds are not implemented for Atan.")
    with pytest.raises(BrinellError) as caught:
        findings(client, card, samples, "crown")
    assert caught.value.code == "access_too_weak"
    assert "bounds" in str(caught.value)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_searches_in_a_strict_runner_end_at_the_radius_that_counting_cells_finds(client, tmp_path, norm):
    """HiGHS and the searches of domains run behind the sandbox's filters; where nodes run out, a job succeeds too."""
    made, rows = layers(1, 2, 4, 8, 2), np.random.default_rng(1).uniform(0.1, 0.9, (3, 2)).astype(np.float32)
    labels = perceptron(made).labels(rows)
    (tmp_path / "small.onnx").write_bytes(exported(made))
    np.savez(tmp_path / "rows.npz", x=rows, y=labels)
    asked = {
        "model_id": client.upload_model(tmp_path / "small.onnx", timeout_seconds=PATIENCE_SECONDS)["id"],
        "samples_id": client.upload_samples(tmp_path / "rows.npz")["id"],
        "threat": {"norm": norm},
    }
    truths = [least_distance(made, x.astype(float), int(y), Norm(norm)) for x, y in zip(rows, labels, strict=True)]

    def told(**method: object) -> list[dict]:
        job = client.wait_for_job(client.create_job(asked | {"method": method})["id"], timeout_seconds=PATIENCE_SECONDS)
        assert job["state"] == "succeeded", job["error"]
        assert job["summary"]["isolation"] == "strict"
        found = list(client.findings(job["id"]))
        for finding in found:
            whole = client.finding(job["id"], finding["index"])
            seconds = whole.pop("curve_seconds")
            assert whole == finding
            if method["name"] == "milp":
                assert seconds is None
            else:
                assert seconds == sorted(seconds) and len(seconds) == len(finding["details"]["curve"]) >= 1
                assert 0 <= seconds[0] and seconds[-1] <= job["summary"]["seconds"] + 0.001
        return found

    exact, split, cut_short = told(name="milp"), told(name="branch_and_bound"), told(name="milp", nodes=2)
    for truth, closed, ends, early in zip(truths, exact, split, cut_short, strict=True):
        assert closed["details"]["closed"] and not early["details"]["closed"]
        assert early["details"]["nodes"] <= 2 and (early["value"] or 0) <= truth
        if np.isfinite(truth):
            assert closed["value"] == pytest.approx(truth, rel=1e-4, abs=1e-5) and closed["value"] <= truth
            assert ends["value"] <= truth <= ends["details"]["upper"] * (1 + 1e-6) <= 1.02 * ends["value"] * (1 + 1e-6)
