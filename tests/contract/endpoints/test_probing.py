"""What a few requests show of an endpoint, and what they refuse."""

import json

import numpy as np
import pytest

from algorithms.errors import Refused
from algorithms.seam.access import Access
from models.endpoints import _client
from models.endpoints._probing import probe
from tests.endpoints_for_tests import endpoint, permit, remote
from tests.served import ServedModel, response_of, rows_of, sends
from tests.truths import Linear

SHAPE, CLASSES = (3,), 4


def logits(rows):
    rng = np.random.default_rng(3)
    return Linear(rng.normal(size=(CLASSES, 3)), rng.normal(size=CLASSES)).scores(rows)


def probabilities(rows):
    raised = np.exp(logits(rows).astype(np.float64))
    return raised / raised.sum(axis=1, keepdims=True)


def labels(rows):
    return logits(rows).argmax(axis=1)


def probed(answer, *, script=(), **change):
    with ServedModel(answer) as server:
        server.script = list(script)
        return probe(endpoint(server, SHAPE, CLASSES, **change), permit()), server


@pytest.mark.parametrize(
    ("answer", "kind", "offers"),
    [
        (logits, "logits", (Access.LABELS, Access.SCORES)),
        (probabilities, "probabilities", (Access.LABELS, Access.SCORES)),
        (labels, "labels", (Access.LABELS,)),
    ],
)
def test_what_was_registered_is_found(answer, kind, offers):
    found, server = probed(answer, kind=kind)
    assert (found.input.shape, found.output.classes, found.output.kind) == (SHAPE, CLASSES, kind)
    assert found.offers == offers
    assert found.probe.max_batch == 32
    assert found.probe.deterministic
    assert found.probe.decimals is None
    assert server.calls <= 8


def test_labels_say_why_they_offer_no_scores():
    found, _ = probed(labels, kind="labels")
    assert [withheld.offer for withheld in found.withheld] == [Access.SCORES]


@pytest.mark.parametrize("decimals", [0, 2, 4])
def test_rounding_is_seen(decimals):
    found, _ = probed(lambda rows: logits(rows).round(decimals))
    assert found.probe.decimals == decimals


@pytest.mark.parametrize(("classes", "decimals"), [(100, 2), (7, 1), (10, 0)])
def test_probabilities_may_be_rounded_and_sum_to_something_else(classes, decimals):
    shares = np.linspace(1, 3, classes) / np.linspace(1, 3, classes).sum()
    with ServedModel(lambda rows: np.tile(shares.round(decimals), (len(rows), 1))) as server:
        found = probe(endpoint(server, SHAPE, classes, kind="probabilities"), permit())
    assert found.probe.decimals == decimals


@pytest.mark.parametrize(("others", "decimals"), [(0.0, None), (0.25, 2)])
def test_saturated_rows_are_not_taken_for_rounded_ones(others, decimals):
    def answer(rows):
        rest = np.where(rows[:, :1] < 0.5, others, 0)
        return np.hstack([rest, 1 - 2 * rest, rest, 0 * rest])

    found, _ = probed(answer, kind="probabilities")
    assert found.probe.decimals == decimals


def test_an_endpoint_that_answers_the_same_row_otherwise_is_not_deterministic():
    rng = np.random.default_rng(0)
    found, _ = probed(lambda rows: logits(rows) + rng.normal(size=(len(rows), CLASSES)))
    assert not found.probe.deterministic


def test_an_endpoint_whose_answers_depend_on_their_company_is_not_deterministic():
    found, _ = probed(lambda rows: logits(rows) + len(rows))
    assert not found.probe.deterministic


def takes_at_most(most, server, status=422):
    def exchange(handler, body):
        rows = rows_of(json.loads(body))
        if len(rows) > most:
            handler.send(status, b"{}")
        else:
            handler.send(200, json.dumps(response_of(server.answer(rows))).encode())

    return exchange


@pytest.mark.parametrize(("most", "found"), [(32, 32), (31, 16), (10, 8), (1, 1)])
def test_the_largest_batch_is_found_by_halving(most, found):
    with ServedModel(logits) as server:
        server.always = takes_at_most(most, server)
        assert probe(endpoint(server, SHAPE, CLASSES), permit()).probe.max_batch == found


def test_a_batch_that_breaks_the_server_is_halved_too(monkeypatch):
    monkeypatch.setattr(_client, "FIRST_PAUSE_SECONDS", 0.01)
    with ServedModel(logits) as server:
        server.always = takes_at_most(8, server, status=500)
        assert probe(endpoint(server, SHAPE, CLASSES), permit()).probe.max_batch == 8


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (logits, "probabilities", "no probabilities"),
        (probabilities, "logits", "answers probabilities"),
        (labels, "logits", "32|1 x 4"),
        (logits, "labels", "1 numbers"),
        (lambda rows: logits(rows)[:, :3], "logits", "1 x 4"),
        (lambda rows: logits(rows)[:-1], "logits", "1 x 4"),
    ],
)
def test_what_is_something_else_than_was_registered_is_refused(answer, kind, sentence):
    with pytest.raises(Refused, match=sentence) as refused:
        probed(answer, kind=kind)
    assert refused.value.code == "endpoint_bad_response"


def one_logit(rows):
    return 0.5 + 0.1 * logits(rows)[:, :1]  # in [0, 1] for noise, and not by nature


def one_probability(rows):
    return (1 + np.tanh(logits(rows)[:, 0].astype(np.float64) / 2)) / 2


@pytest.mark.parametrize(("answer", "kind"), [(one_logit, "logits"), (one_probability, "probabilities")])
def test_of_two_classes_one_number_a_row_will_do(answer, kind):
    with ServedModel(answer) as server:
        found = probe(endpoint(server, SHAPE, 2, kind=kind), permit())
        assert (found.output.classes, found.output.kind, found.probe.deterministic) == (2, kind, True)
        model = remote(server, SHAPE, 2, kind=kind)
        rows = np.random.default_rng(1).random((5, *SHAPE), dtype=np.float32)
        z = answer(rows).reshape(-1)
        other = 1 - z if kind == "probabilities" else 0 * z
        assert model.scores(rows) == pytest.approx(np.stack([other, z], axis=1), abs=1e-6)
        model.close()


@pytest.mark.parametrize(
    ("answer", "kind"), [(one_probability, "logits"), (lambda rows: logits(rows)[:, 1], "probabilities")]
)
def test_one_number_a_row_of_another_kind_is_refused(answer, kind):
    with ServedModel(answer) as server, pytest.raises(Refused, match="register it with") as refused:
        probe(endpoint(server, SHAPE, 2, kind=kind), permit())
    assert refused.value.code == "endpoint_bad_response"


def test_what_cannot_be_reached_is_refused():
    with pytest.raises(Refused) as refused:
        probed(logits, script=[sends(404, b"")])
    assert refused.value.code == "endpoint_unavailable"
