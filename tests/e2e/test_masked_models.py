"""A gate believes no silence of attacks on a model that hides its gradients, until somebody answers for it."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier

from brinell.client import Client
from tests.e2e.command_line import run
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

FEATURES, LEVELS = 24, 8
AUDIT = ("--samples", "rows.npz", "--recipe", "pgd,square", "--limit", "1", "--policy", "policy.yaml")
RULE = {"name": "attacked", "metric": "attack_success_rate", "at": 0.0001, "at_most": 0.5}
WAIVER = {"alarm": "no_white_box", "reason": "the camera has three bits", "by": "A. Engineer"}


def thermometer() -> bytes:
    """A linear model of two classes that sees of each feature only how many of eight thresholds it exceeds."""
    weights = np.random.default_rng(1).normal(size=(FEATURES, 2)).astype(np.float32)
    constants = {
        "thresholds": ((np.arange(LEVELS) + 0.5) / LEVELS).astype(np.float32),
        "last": np.array([2], np.int64),
        "levels": np.float32(LEVELS),
        "weights": weights,
        "bias": -weights.sum(axis=0) / 2,
    }
    nodes = [
        helper.make_node("Unsqueeze", ["x", "last"], ["each"]),
        helper.make_node("Greater", ["each", "thresholds"], ["above"]),
        helper.make_node("Cast", ["above"], ["ones"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["ones", "last"], ["count"], keepdims=0),
        helper.make_node("Div", ["count", "levels"], ["seen"]),
        helper.make_node("Gemm", ["seen", "weights", "bias"], ["logits"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", FEATURES])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])
    graph = helper.make_graph(
        nodes, "thermometer", [x], [logits], [numpy_helper.from_array(a, n) for n, a in constants.items()]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


@pytest.fixture(scope="module")
def client(folder):
    here = folder / ".brinell"
    with Client((here / "url").read_text().strip(), (here / "api-key").read_text().strip()) as client:
        yield client


@pytest.fixture(scope="module")
def hidden(client, folder, files):
    """The thermometer, uploaded once: its id."""
    return client.upload_model(folder / "thermometer.onnx", timeout_seconds=PATIENCE_SECONDS)["id"]


@pytest.fixture(scope="module", autouse=True)
def files(folder):
    """A thermometer, a forest and rows for both."""
    rng = np.random.default_rng(2)
    rows = rng.uniform(0, 1, (30, FEATURES)).astype(np.float32)
    labels = rows[:, 0] + rows[:, 1] > 1
    (folder / "thermometer.onnx").write_bytes(thermometer())
    forest = RandomForestClassifier(4, max_depth=3, random_state=0).fit(rows, labels)
    (folder / "forest.onnx").write_bytes(to_onnx(forest, rows[:1], options={"zipmap": False}).SerializeToString())
    np.savez(folder / "rows.npz", x=rows)


def gate(folder, *waivers):
    (folder / "policy.yaml").write_text(yaml.safe_dump({"rules": [RULE], "waivers": list(waivers)}))


def test_the_silence_of_attacks_on_a_hidden_model_ends_with_3_and_every_form_says_why(folder, hidden):
    gate(folder)
    forms = ("--report", "report.html", "--junit", "rules.xml", "--markdown", "report.md")
    code, out, err = run("audit", hidden, *AUDIT, *forms, folder=folder)
    assert code == 3, err
    assert "inconclusive" in out and "the alarm no_white_box" in out and "{alarm: no_white_box, reason: " in out
    (case,) = ET.parse(folder / "rules.xml").getroot().iter("testcase")
    (error,) = case.iter("error")
    assert "no_white_box" in error.get("message")
    for form in ("report.html", "report.md"):
        told = (folder / form).read_text().replace("\\_", "_")
        assert "the alarm no_white_box" in told and "It holds back 1 rule that would pass: attacked." in told


def test_the_verdict_over_http_names_the_alarm(folder, client, hidden):
    gate(folder)
    code, out, err = run("audit", hidden, *AUDIT, "--no-wait", folder=folder)
    assert code == 0, err
    assert client.wait_for_audit(out.strip(), timeout_seconds=PATIENCE_SECONDS)["state"] == "succeeded"
    verdict = client.verdict(out.strip())
    (rule,) = verdict["rules"]
    assert (verdict["verdict"], rule["verdict"], rule["held_back_by"]) == (
        "inconclusive",
        "inconclusive",
        ["no_white_box"],
    )


def test_it_passes_where_somebody_answers_for_the_alarm(folder, hidden):
    gate(folder, WAIVER)
    code, out, err = run("audit", hidden, *AUDIT, folder=folder)
    assert code == 0, err
    assert "The alarm no_white_box is waived by A. Engineer: the camera has three bits." in out


def test_a_waiver_that_has_ended_holds_no_longer(folder, hidden):
    gate(folder, WAIVER | {"until": "2026-11-01"})
    code, out, err = run("audit", hidden, *AUDIT, folder=folder)
    assert code == 3, err
    assert "The waiver of no_white_box by A. Engineer ended on 2026-11-01." in out


def test_a_waiver_of_an_alarm_that_there_is_not_ends_with_4_and_lists_those_there_are(folder, hidden):
    gate(folder, WAIVER | {"alarm": "no_whitebox"})
    code, _, err = run("audit", hidden, *AUDIT, folder=folder)
    assert code == 4
    assert "masked_gradients, saturated_scores, black_box_beats_white_box, noise_suffices, no_white_box" in err


def test_a_forest_is_not_held_back(folder):
    gate(folder)
    code, out, err = run("audit", "forest.onnx", *AUDIT, "--json", folder=folder)
    assert code == 0, err
    assert [(alarm["code"], alarm["severity"]) for alarm in json.loads(out)["alarms"]] == [("no_white_box", "note")]
