"""Lists of few classes that are sorted by score, and one number a row of whichever class: found out, whatever K."""

import json

import numpy as np
import pytest

from algorithms.errors import Refused
from models.endpoints._probing import probe
from tests.endpoints_for_tests import endpoint, permit
from tests.served import ServedModel
from tests.truths import Linear

SHAPE = (4,)


def linear(classes, seed, bias=0.0):
    rng = np.random.default_rng(seed)
    offsets = np.zeros(classes)
    offsets[0] = bias
    return Linear(rng.normal(size=(classes, 4)), rng.normal(size=classes) + offsets).scores


def shares(scores):
    def answer(rows):
        z = scores(rows).astype(np.float64)
        raised = np.exp(z - z.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    return answer


def ranked(answer):
    return lambda rows: -np.sort(-answer(rows), axis=1)


def told(answer, classes, kind):
    with ServedModel(answer) as server:
        probe(endpoint(server, SHAPE, classes, kind=kind), permit())


@pytest.mark.parametrize("classes", [2, 7])
@pytest.mark.parametrize("bias", [0.0, 4.0], ids=["of all classes", "mostly of one"])
@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("logits", linear),
        ("probabilities", lambda *asked: shares(linear(*asked))),
        ("probabilities", lambda *asked: lambda rows: shares(linear(*asked))(rows).round(1)),
    ],
    ids=["logits", "shares", "rounded shares"],
)
def test_a_sorted_list_is_refused_with_the_fix_and_the_same_list_in_order_is_taken(kind, answer, classes, bias):
    for seed in range(3):
        honest = answer(classes, seed, bias)
        told(honest, classes, kind)
        with pytest.raises(
            Refused, match="as if they were sorted; let the endpoint answer all classes in one"
        ) as refused:
            told(ranked(honest), classes, kind)
        assert refused.value.code == "endpoint_bad_response"


@pytest.mark.parametrize("classes", [3, 4, 10])
def test_how_sure_of_whichever_class_is_no_share_of_class_1(classes):
    answer = shares(lambda rows: 20 * linear(classes, 1)(rows))
    with pytest.raises(Refused, match="how sure it is of whichever class"):
        told(lambda rows: answer(rows).max(axis=1), 2, "probabilities")


@pytest.mark.parametrize("bias", [-6.0, 0.0, 6.0])
def test_a_share_of_class_1_is_taken_though_noise_is_of_one_class(bias):
    told(lambda rows: shares(linear(2, 0, bias))(rows)[:, 1], 2, "probabilities")


def always_the_first(rows):
    return np.tile([0.9, 0.1], (len(rows), 1))


def named_pairs(rows):
    return [[{"label": n, "score": s} for n, s in zip("ab", row, strict=True)] for row in always_the_first(rows)]


def members(rows):
    return [dict(zip("ab", row, strict=True)) for row in always_the_first(rows)]


@pytest.mark.parametrize(
    ("form", "path"), [(named_pairs, "$[*][*].score"), (members, "$[*]['a', 'b']")], ids=["pairs", "members"]
)
def test_one_order_for_ever_is_taken_where_names_prove_it(form, path):
    def exchange(handler, body):
        handler.send(200, json.dumps(form(np.array(json.loads(body)["rows"]))).encode())

    with ServedModel(always_the_first) as server:
        server.always = exchange
        options = {"request": {"rows": "$batch"}, "scores": path}
        found = probe(
            endpoint(server, SHAPE, 2, kind="probabilities", protocol="json_template", options=options), permit()
        )
    assert found.output.classes == 2
    with pytest.raises(Refused, match="as if they were sorted"):
        told(always_the_first, 2, "probabilities")


def test_an_endpoint_that_takes_ordinary_rows_alone_is_still_found_out():
    def exchange(handler, body):
        rows = np.array(json.loads(body)["inputs"][0]["data"]).reshape(-1, 4)
        if (np.abs(rows) > 1).any():
            handler.send(422, b"{}")
        else:
            server.answers(handler, body)

    with ServedModel(ranked(shares(linear(3, 1)))) as server:
        server.always = exchange
        with pytest.raises(Refused, match="as if they were sorted"):
            probe(endpoint(server, SHAPE, 3, kind="probabilities"), permit())
