"""An endpoint is audited as the same model in process is: the same findings, points and counts, row for row."""

import json

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget, Method
from algorithms.registry import METHODS
from algorithms.seam.access import Access
from algorithms.threats.threat import Threat
from models.cards import EndpointInput
from tests.endpoints_for_tests import permit, remote
from tests.served import ServedModel, sends
from tests.truths import Linear

SHAPE, CLASSES, N = (1, 4, 4), 4, 5
FITTING = [m for m in METHODS if set(m.needs) <= {Access.LABELS, Access.SCORES} and not m.by_substitutes]
fitting = pytest.mark.parametrize(
    ("method", "norm"), [pytest.param(m, norm, id=f"{m.name}-{norm}") for m in FITTING for norm in m.norms]
)


def linear(*offers: Access) -> Linear:
    rng = np.random.default_rng(3)
    model = Linear(rng.normal(size=(CLASSES, 16)), 0.1 * rng.normal(size=CLASSES), shape=SHAPE)
    model.offers = model.offering(*offers)
    return model


def audited(model, method: Method, norm: Norm):
    x = np.random.default_rng(5).uniform(0.3, 0.7, (N, *SHAPE)).astype(np.float32)
    threat = Threat(norm, epsilon=0.3 if method.epsilon == "required" else None)
    what = Samples(x, tuple(range(N)), labels=None)
    outcomes = run(model, what, method, method.smallest, threat, Budget(300), seed=1)
    points = [None if outcome.x_adv is None else outcome.x_adv.tobytes() for outcome in outcomes]
    return [outcome.finding for outcome in outcomes], points


@fitting
def test_scores_over_http_give_the_findings_of_the_same_model_in_process(method, norm):
    here = linear(Access.LABELS, Access.SCORES)
    with ServedModel(linear(Access.LABELS, Access.SCORES).scores) as server:
        there = remote(server, SHAPE, CLASSES)
        findings, points = audited(there, method, norm)
        there.close()
    assert (findings, points) == audited(here, method, norm)
    assert server.rows == here.queries == sum(finding.queries for finding in findings)


@pytest.mark.parametrize(
    ("method", "norm"),
    [pytest.param(m, norm, id=f"{m.name}-{norm}") for m in FITTING if Access.SCORES not in m.needs for norm in m.norms],
)
def test_labels_over_http_give_the_findings_of_the_same_model_in_process(method, norm):
    here = linear(Access.LABELS)
    with ServedModel(linear(Access.LABELS).labels) as server:
        there = remote(server, SHAPE, CLASSES, kind="labels", input=EndpointInput(shape=SHAPE, dtype="float64"))
        findings, points = audited(there, method, norm)
        there.close()
    assert (findings, points) == audited(here, method, norm)
    assert server.rows == sum(finding.queries for finding in findings)


TEMPLATES = {  # options, and the answer to these scores
    "scores": ({"scores": "$.predictions[*].logits"}, lambda found: [{"logits": row} for row in found.tolist()]),
    "label": ({"label": "$.predictions[*]"}, lambda found: found.argmax(axis=1).tolist()),
}


@pytest.mark.parametrize(("kind", "form"), [("logits", "scores"), ("labels", "label")])
def test_a_template_over_http_gives_the_findings_of_the_same_model_in_process(kind, form):
    method, norm = next(m for m in FITTING if m.name == "hopskipjump"), Norm.L2
    path, predictions = TEMPLATES[form]
    here = linear(Access.LABELS)
    with ServedModel(linear().scores) as server:

        def answers(handler, body):
            request = json.loads(body)
            assert request["signature"] == "v1"
            rows = np.array(request["instances"], np.float32)
            server.rows += len(rows)
            handler.send(200, json.dumps({"predictions": predictions(server.answer(rows))}).encode())

        server.always = answers
        options = {"request": {"instances": "$batch", "signature": "v1"}, **path}
        limits = {"concurrency": 1}  # rows are counted without a lock
        there = remote(
            server,
            SHAPE,
            CLASSES,
            url=f"{server.origin}/score",
            protocol="json_template",
            kind=kind,
            options=options,
            limits=limits,
        )
        findings, points = audited(there, method, norm)
        there.close()
    assert (findings, points) == audited(here, method, norm)
    assert server.rows == here.queries == sum(finding.queries for finding in findings)


def test_what_had_to_be_sent_again_is_counted_apart():
    method, norm = next(m for m in FITTING if m.name == "square"), Norm.L2
    allowed = permit(reserve=lambda calls, hold: 0.0)
    with ServedModel(linear().scores) as server:
        there = remote(server, SHAPE, CLASSES, allowed=allowed)
        answers, again = server.answers, sends(429, b"", Retry_After="0")
        server.always = lambda handler, body: (again if server.calls % 3 == 0 else answers)(handler, body)
        findings, points = audited(there, method, norm)
        there.close()
    assert (findings, points) == audited(linear(Access.LABELS, Access.SCORES), method, norm)
    assert server.rows == sum(finding.queries for finding in findings)
    assert allowed.pace.calls == server.calls > 1.4 * (server.calls - server.calls // 3)
