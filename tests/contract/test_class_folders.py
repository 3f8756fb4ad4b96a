"""Samples from class folders sorted by name, where "10" stands before "2": an audit asks whether labels fit."""

from datetime import UTC, datetime

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from algorithms.driver.running import Samples, run
from algorithms.method import Budget
from algorithms.registry import method
from audits.asking.admission import admit
from audits.asking.request import AuditRequest
from audits.composing.compose import Material, compose
from audits.composing.rows import rows_of
from audits.document.report import Alarm, Report
from audits.evidence.evidence import Evidence
from jobs.record import Job, JobMethod, Progress
from jobs.states import JobState
from jobs.summary import summarize
from models.cards import ModelCard
from models.opening import inspect_model, open_model
from tests.jobs_for_tests import model_card, result, samples_card

CLASSES, COUNT = 12, 60
NOW = datetime(2026, 11, 28, tzinfo=UTC)


def network() -> bytes:
    """The largest of twelve features."""
    weights = numpy_helper.from_array(np.eye(CLASSES, dtype=np.float32), "weights")
    x, scores = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", CLASSES]) for name in ("x", "scores"))
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "weights"], ["scores"])], "g", [x], [scores], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def rows(accuracy: float) -> tuple[np.ndarray, np.ndarray]:
    """(x, the true class of each); the model is right on this share."""
    rng = np.random.default_rng(4)
    classes = np.arange(COUNT) % CLASSES
    read_as = np.where(rng.random(COUNT) < accuracy, classes, rng.integers(0, CLASSES, COUNT))
    x = rng.uniform(0, 0.3, (COUNT, CLASSES))
    x[np.arange(COUNT), read_as] = 0.9
    return x.astype(np.float32), classes


def alarm_about(x: np.ndarray, y: np.ndarray) -> Alarm | None:
    return next((alarm for alarm in audited(x, y).alarms if alarm.code == "labels_suspicious"), None)


def audited(x: np.ndarray, y: np.ndarray) -> Report:
    data = network()
    card = model_card()
    card = card.inspected(inspect_model(card, data, device="cpu"))
    assert isinstance(card, ModelCard)
    samples = samples_card(count=len(x), shape=x.shape[1:], label_maximum=int(y.max()))
    body = {"model_id": card.id, "samples_id": samples.id, "recipe": ["noise"]}
    plan = admit(AuditRequest.model_validate(body), card, samples)
    (spec,) = plan.jobs
    outcomes = run(
        open_model(card, data, device="cpu"),
        Samples(x, spec.indices, y),
        method("noise"),
        spec.request.method,
        spec.threat.threat(x.shape[1:]),
        Budget(queries=20),
        seed=0,
    )
    findings = tuple(outcome.finding for outcome in outcomes)
    job = Job(
        id="job_noise",
        state=JobState.SUCCEEDED,
        method=JobMethod(name="noise", version="1", params={}),
        request=spec.request,
        progress=Progress(),
        summary=summarize(spec, [result((), findings=findings)]),
        created_at=NOW,
    )
    evidence = [Evidence(job, spec, findings)]
    return compose(Material("aud_x", plan.spec, evidence, None, "0", NOW), rows_of(plan.spec, evidence), None)


@pytest.mark.parametrize("accuracy", [1.0, 0.6])
def test_class_folders_sorted_by_name_raise_an_alarm_and_folders_in_order_none(accuracy: float) -> None:
    x, classes = rows(accuracy)
    folders = sorted(range(CLASSES), key=str)
    assert folders[2] == 10
    by_name = np.array([folders.index(c) for c in classes])
    alarm = alarm_about(x, by_name)
    assert alarm and (alarm.severity, alarm.samples, alarm.holds_back) == ("warning", COUNT, False)
    assert "in another order" in alarm.explanation and "before" in alarm.consequence
    assert alarm_about(x, classes) is None


def test_a_model_that_guesses_raises_the_alarm_too() -> None:
    x, classes = rows(0.0)
    alarm = alarm_about(x, classes)
    assert alarm and "one that guesses" in alarm.explanation
