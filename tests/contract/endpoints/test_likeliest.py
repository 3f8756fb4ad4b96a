"""Endpoints that answer the likeliest classes only, each beside its score: bounds stand for the rest, and are true."""

import json
from contextlib import closing

import numpy as np
import pytest
from pydantic import ValidationError

from algorithms.driver.running import Samples, run
from algorithms.errors import ModelFault, Refused
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.searches.scores.margins import margins
from algorithms.threats.threat import Threat
from models.cards import EndpointOutput
from models.endpoints._probing import probe
from models.endpoints.json_template import Options
from tests.endpoints_for_tests import endpoint, permit, remote
from tests.served import ServedModel, sends
from tests.truths import Linear

SHAPE, CLASSES = (1, 4, 4), 5
NAMES = ("crow", "moth", "bear", "wolf", "newt")
RNG = np.random.default_rng(8)
LINEAR = Linear(RNG.normal(size=(CLASSES, 16)), RNG.normal(size=CLASSES), shape=SHAPE)
ROWS = RNG.random((40, *SHAPE), dtype=np.float32)


def logits(rows):
    return LINEAR.scores(rows).astype(np.float64)


def probabilities(rows):
    powers = np.exp(logits(rows) - logits(rows).max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


KINDS = {"logits": logits, "probabilities": probabilities}


def items(scores, k, names):
    """[{"class", "score"}] a row, the likeliest first."""
    ranked = [np.argsort(-row, kind="stable")[:k] for row in scores]
    called = (lambda j: int(j)) if names is None else names.__getitem__
    return [[{"class": called(j), "score": row[j]} for j in order] for row, order in zip(scores, ranked, strict=True)]


FORMS = {  # an answer of these items, and the paths to scores and classes
    "objects": (
        lambda rows: {"predictions": [{"top": row} for row in rows]},
        ("$.predictions[*].top[*].score", "$.predictions[*].top[*].class"),
    ),
    "two lists a row": (
        lambda rows: [{"p": [each["score"] for each in row], "c": [each["class"] for each in row]} for row in rows],
        ("$[*].p", "$[*].c"),
    ),
    "two tables": (
        lambda rows: {
            "values": [[each["score"] for each in row] for row in rows],
            "indices": [[each["class"] for each in row] for row in rows],
        },
        ("$.values", "$.indices[*][*]"),
    ),
    "pairs": (lambda rows: [[[each["class"], each["score"]] for each in row] for row in rows], None),
}


def speaks(kind, k, names=None, form="objects", of=lambda rows: rows):
    def exchange(handler, body):
        rows = np.array(json.loads(body)["rows"], np.float32)
        handler.server.rows += len(rows)
        found = items(KINDS[kind](rows), k, names)
        handler.send(200, json.dumps(FORMS[form][0](of(found))).encode())

    return exchange


@pytest.fixture
def server():
    with ServedModel(logits) as served:
        yield served


def options(form="objects"):
    scores, classes = FORMS[form][1]
    return {"request": {"rows": "$batch"}, "scores": scores, "classes": classes}


def about(kind, names=None, form="objects", **change):
    output = EndpointOutput(kind=kind, classes=CLASSES if names is None else names)
    return {"protocol": "json_template", "options": options(form), "output": output} | change


def model(server, kind, k, names=None, form="objects"):
    server.always = speaks(kind, k, names, form)
    return remote(server, SHAPE, CLASSES, **about(kind, names, form))


def probed(server, kind, k, names=None, **change):
    server.always = change.pop("always", speaks(kind, k, names))
    return probe(endpoint(server, SHAPE, CLASSES, **about(kind, names, **change)), permit())


@pytest.mark.parametrize("names", [None, NAMES], ids=["numbers", "names"])
@pytest.mark.parametrize("form", ["objects", "two lists a row", "two tables"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 2, 5])
def test_what_is_answered_is_read_by_class_and_the_rest_is_bounded_from_above(server, kind, form, names, k):
    there = model(server, kind, k, names, form)
    truth, found = KINDS[kind](ROWS), there.scores(ROWS).astype(np.float64)
    np.testing.assert_array_equal(found.argmax(axis=1), truth.argmax(axis=1))
    np.testing.assert_array_equal(there.labels(ROWS), truth.argmax(axis=1))
    seen = np.argsort(np.argsort(-truth, axis=1, kind="stable"), axis=1) < k
    np.testing.assert_allclose(found[seen], truth[seen], rtol=1e-6)
    assert np.all(found[~seen] >= truth[~seen] - 1e-6)
    least = np.where(seen, truth, np.inf).min(axis=1)
    assert np.all(found[~seen] <= np.broadcast_to(least[:, None], truth.shape)[~seen] * (1 + 1e-6) + 1e-6)
    if k == CLASSES:
        np.testing.assert_allclose(found, truth, rtol=1e-6)
    there.close()


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_a_margin_is_a_bound_on_the_side_of_success_only_where_it_is_one(server, kind, k):
    """Towards a target out of sight it is more than the true one and never above 0; away from a label it is less."""
    there = model(server, kind, k)
    found, truth, is_p = there.scores(ROWS), KINDS[kind](ROWS), kind == "probabilities"
    for aim in range(CLASSES):
        aims = np.full(len(ROWS), aim)
        bound, true = (margins(scores, aims, aims, is_p) for scores in (found, truth))
        assert np.all((bound >= true - 1e-5) | (true > 0)) and np.array_equal(bound > 0, true > 0)
        away, truly = (margins(scores, aims, None, is_p) for scores in (found, truth))
        assert np.all((away <= truly + 1e-5) | (truly <= 0)) and np.array_equal(away > 0, truly > 0)
    there.close()


@pytest.mark.parametrize(("k", "told"), [(1, 1), (3, 3), (5, None)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_card_says_how_many_classes_a_row_is_answered_by(server, kind, k, told):
    found = probed(server, kind, k, NAMES)
    assert (found.probe.classes, found.output.classes, found.classes_named) == (told, CLASSES, NAMES)
    assert [str(offer) for offer in found.offers] == ["labels", "scores"]
    assert found.model_dump(mode="json")["probe"].get("classes") == told


def test_rows_may_name_different_numbers_of_classes(server):
    ragged = speaks("logits", 4, of=lambda rows: [row[: 1 + i % 4] for i, row in enumerate(rows)])
    found = probed(server, "logits", 4, always=ragged)
    assert found.probe.classes == 1
    there = model(server, "logits", 4)
    server.always = ragged
    np.testing.assert_array_equal(there.labels(ROWS), logits(ROWS).argmax(axis=1))
    there.close()


@pytest.mark.parametrize(
    ("kind", "name"),
    [("logits", "square"), ("probabilities", "nes"), ("probabilities", "input_free"), ("logits", "hopskipjump")],
)
def test_methods_run_on_it_and_what_they_find_is_true(server, kind, name):
    there, asked = model(server, kind, 2), method(name)
    x, indices = (np.full((CLASSES, *SHAPE), 0.5, np.float32), tuple(range(CLASSES)))
    targets = np.arange(CLASSES) if asked.is_about_classes else None
    threat = Threat(Norm.L2, targeted="given" if asked.is_about_classes else None)
    what = Samples(x if asked.is_about_classes else ROWS[:CLASSES], indices, None, targets)
    before = server.rows
    outcomes = run(there, what, asked, asked.smallest, threat, Budget(300), seed=2)
    assert server.rows - before == sum(outcome.finding.queries for outcome in outcomes)
    shown = [outcome for outcome in outcomes if outcome.x_adv is not None]
    assert len(shown) >= (2 if asked.is_about_classes else 3)  # a class out of sight may never be met
    for outcome in shown:
        label = int(logits(outcome.x_adv[None]).argmax())
        assert (label == outcome.finding.label) == (outcome.finding.kind is Kind.FOOLED)
    there.close()


def test_nes_that_sees_the_highest_scores_finds_on_it_what_it_finds_on_all_scores(server):
    there, asked = model(server, "logits", 3), method("nes")
    here = Linear(LINEAR.weights, LINEAR.bias, SHAPE)
    params = asked.params(information="top_k", top=3, pairs=6, steps=20)
    what, threat = Samples(ROWS[:4], (0, 1, 2, 3), None), Threat(Norm.LINF, epsilon=0.3)
    by_three, by_all = (run(m, what, asked, params, threat, Budget(400), seed=2) for m in (there, here))
    assert [o.finding.value for o in by_three] == [o.finding.value for o in by_all]
    there.close()


def test_rounded_probabilities_may_sum_to_more_than_one_and_bounds_stay_bounds(server):
    truth = np.array([[0.55, 0.25, 0.15, 0.05, 0.0], [0.43, 0.43, 0.06, 0.05, 0.03]])
    written = [[(0, 0.6), (1, 0.3), (2, 0.2)], [(0, 0.4), (1, 0.4), (2, 0.1)]]
    rows = [[{"class": c, "score": s} for c, s in row] for row in written]
    server.always = sends(200, json.dumps({"predictions": [{"top": row} for row in rows]}).encode())
    there = remote(server, SHAPE, CLASSES, **about("probabilities"))
    found = there.scores(ROWS[:2])
    np.testing.assert_allclose(found[:, :3], [[0.6, 0.3, 0.2], [0.4, 0.4, 0.1]], rtol=1e-6)
    assert np.all(found[:, 3:] >= truth[:, 3:]) and np.all(found[:, 3:] <= found[:, 2:3])
    there.close()


def first_twice(rows):
    return [[*row[:1], *row] for row in rows]


def without_a_class(rows):
    return [[{name: part for name, part in each.items() if i or name != "class"} for each in row] for i, row in rows]


WRONG = {
    "a class twice": (speaks("logits", 2, of=first_twice), "a class twice"),
    "a class it does not have": (
        speaks("logits", 2, of=lambda rows: [[{"class": 9, "score": 1.0}] for _ in rows]),
        "none of its classes, 0 to 4",
    ),
    "names where none are known": (speaks("logits", 2, NAMES), "register it with output.classes as the list"),
    "an entry without its class": (
        speaks("logits", 2, of=lambda rows: [[{"score": 1.0}, *row] for row in rows]),
        "one class beside each score",
    ),
    "text for scores": (
        speaks(
            "logits", 2, of=lambda rows: [[{"class": each["class"], "score": "0.5"} for each in row] for row in rows]
        ),
        "text where numbers are wanted",
    ),
    "nothing": (sends(200, b'{"predictions": []}'), "found nothing"),
    "probabilities": (speaks("probabilities", 2), "register it with output.kind probabilities"),
}


@pytest.mark.parametrize(("always", "why"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_refused_at_the_registration_with_the_reason(server, always, why):
    with pytest.raises(Refused, match=why) as refused:
        probed(server, "logits", 2, always=always)
    assert refused.value.code == "endpoint_bad_response"


@pytest.mark.parametrize(
    ("factor", "why"), [(100, "not percentages"), (1.5, "no probabilities"), (-1, "no probabilities")]
)
def test_what_is_no_probability_is_refused_where_probabilities_were_registered(server, factor, why):
    def times(rows):
        return [[each | {"score": factor * each["score"]} for each in row] for row in rows]

    with pytest.raises(Refused, match=why):
        probed(server, "probabilities", 5, always=speaks("probabilities", 5, of=times))


LATER = {
    "a class twice": (first_twice, "a class twice"),
    "a row too few": (lambda rows: rows[:-1], r"likeliest classes of \d+ rows"),
    "a row of nothing": (lambda rows: [[], *rows[1:]], r"likeliest classes of \d+ rows"),
}


@pytest.mark.parametrize(("of", "why"), LATER.values(), ids=LATER)
def test_an_answer_that_changes_its_form_in_a_job_is_a_fault(server, of, why):
    with closing(model(server, "logits", 2)) as there:
        server.always = speaks("logits", 2, of=of)
        with pytest.raises(ModelFault, match=why) as fault:
            there.scores(ROWS)
        assert fault.value.code == "endpoint_bad_response"


def test_a_registration_that_does_not_say_so_is_told_how_it_could(server):
    server.always = speaks("probabilities", 2, form="objects")
    silent = endpoint(
        server,
        SHAPE,
        2,
        protocol="json_template",
        options={"request": {"rows": "$batch"}, "scores": "$.predictions[*].top[*].score"},
        output=EndpointOutput(kind="probabilities", classes=2),
    )
    with pytest.raises(Refused, match="option classes"):
        probe(silent, permit())
    with pytest.raises(Refused, match=r"3 x 5 numbers.* option classes|1 x 5 numbers.* option classes"):
        probe(silent.model_copy(update={"output": EndpointOutput(kind="probabilities", classes=CLASSES)}), permit())


def test_classes_go_with_scores():
    with pytest.raises(ValidationError, match="give the path scores, too"):
        Options(request="$batch", label="$", classes="$")
    assert "classes" not in Options(request="$batch", scores="$").model_dump()
