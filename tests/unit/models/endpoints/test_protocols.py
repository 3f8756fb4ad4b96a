"""Every protocol: its own example, no loss on the way there and back, and no failure that is not one of an answer."""

import json
import re

import numpy as np
import pytest
from pydantic import ValidationError
from pydantic_core import to_json

from algorithms.errors import ModelFault
from models.endpoints import PROTOCOLS, _reading, json_template, open_inference_v2

EXAMPLE = re.compile(r"POST (\{.*?\})\n    200  (\{.*?\})\n\n", re.DOTALL)
OPTIONS = {
    "open_inference_v2": {},
    "json_template": {"request": {"instances": "$batch", "signature": "v1"}, "scores": "$.predictions[*].logits"},
}
SHAPES = {"open_inference_v2": (2, 2), "json_template": (2,)}


def rows_like(shape, dtype=np.float32):
    """What the docstrings show: quarters up to one, and down again."""
    quarters = np.array([0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25])
    return quarters[: 2 * int(np.prod(shape))].reshape(2, *shape).astype(dtype)


def floats_in(tree):
    """In the order in which they are written."""
    inside = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [tree] if isinstance(tree, float) else [number for part in inside for number in floats_in(part)]


def test_the_protocols_are_the_modules_without_an_underscore():
    assert set(OPTIONS) == set(PROTOCOLS)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_the_example_of_the_docstring_is_what_is_said_and_heard(name):
    protocol = PROTOCOLS[name]
    request, answer = (json.loads(text) for text in EXAMPLE.search(protocol.__doc__).groups())
    options = protocol.Options.model_validate(OPTIONS[name])
    said = json.loads(to_json(protocol.encode(rows_like(SHAPES[name]), options)))
    assert said == request
    scores = _reading.scores(protocol.decode(answer, options), 2, 3, "logits")
    assert scores.tolist() == [[0.5, 1.5, -2.0], [2.5, 0.0, 1.0]]


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_rows_arrive_bit_for_bit(name):
    protocol = PROTOCOLS[name]
    rows = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    said = json.loads(to_json(protocol.encode(rows, protocol.Options.model_validate(OPTIONS[name]))))
    assert np.array(floats_in(said), np.float32).reshape(5, 3).tobytes() == rows.tobytes()


def test_open_inference_names_its_tensors_and_types():
    options = open_inference_v2.Options(input_name="x", output_name="y")
    said = open_inference_v2.encode(rows_like((2,), np.float64), options)
    assert said["inputs"][0]["name"] == "x"
    assert said["inputs"][0]["datatype"] == "FP64"
    assert said["outputs"] == [{"name": "y"}]


@pytest.mark.parametrize(
    ("outputs", "name", "found"),
    [
        ([{"name": "y", "shape": [2, 2], "data": [1, 2, 3, 4]}], None, [[1, 2], [3, 4]]),
        ([{"name": "y", "shape": [2, 2], "data": [[1, 2], [3, 4]]}], None, [[1, 2], [3, 4]]),
        ([{"name": "a", "shape": [2], "data": [9, 9]}, {"name": "y", "shape": [2], "data": [1, 0]}], "y", [1, 0]),
        ([{"name": "y", "shape": [2, 1], "data": [1, 0]}], None, [[1], [0]]),
    ],
)
def test_open_inference_reads_flat_and_nested_data(outputs, name, found):
    assert open_inference_v2.decode({"outputs": outputs}, open_inference_v2.Options(output_name=name)) == found


@pytest.mark.parametrize(
    ("path", "answer", "found"),
    [
        ({"scores": "$[*]"}, [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ({"scores": "$.p"}, {"p": [[1, 2], [3, 4]]}, [[1, 2], [3, 4]]),
        ({"scores": "$.p[*]"}, {"p": [[1, 2]]}, [1, 2]),  # of one row
        ({"scores": "$.p"}, {"p": [1, 2, 3]}, [1, 2, 3]),  # of three rows, or of one
        ({"scores": "$.p"}, {"p": [[1, 2]]}, [[1, 2]]),
        ({"scores": "$.p[*].s[*]"}, {"p": [{"s": [1, 2]}, {"s": [3, 4]}]}, [1, 2, 3, 4]),
        ({"label": "$.p[*].label"}, {"p": [{"label": 1}, {"label": 0}]}, [1, 0]),
        ({"label": "$.labels"}, {"labels": [1, 0]}, [1, 0]),
        ({"label": "$.labels[*]"}, {"labels": [1]}, [1]),
        ({"scores": "$[*]['b', 'a']"}, [{"a": 1, "b": 2}, {"b": 4, "a": 3}], [2, 1, 4, 3]),  # as the path names them
        ({"scores": "$.*"}, {"p": [[1, 2], [3, 4]]}, [[1, 2], [3, 4]]),  # of one member there is one order
        ({"scores": "$..s"}, {"p": [{"s": [1, 2]}, {"s": [3, 4]}]}, [[1, 2], [3, 4]]),
        ({"scores": "$[*][*].s"}, [[{"n": "a", "s": 1}, {"n": "b", "s": 2}]] * 2, [1, 2, 1, 2]),
        (
            {"scores": "$[*][*].s"},
            [[{"n": "a", "s": 1}], [{"n": "b", "s": 2}]],
            [1, 2],
        ),  # what stands there is no order
    ],
)
def test_a_path_leads_to_the_answers_together_or_one_by_one(path, answer, found):
    assert json_template.decode(answer, json_template.Options(request="$batch", **path)) == found


@pytest.mark.parametrize(
    ("path", "answer", "told"),
    [
        ("$.absent[*]", {"p": []}, "found nothing .* error told with status 200"),
        ("$.predictions", {"error": "out of memory", "code": 500}, "found nothing"),
        ("$[*].*", [{"b": 0.9, "a": 0.1}, {"a": 0.8, "b": 0.2}], "an object has no order"),  # sorted
        ("$[*].*", [{"a": 0.1, "b": 0.9}] * 2, "an object has no order"),  # by chance
        ("$[*].*", [{"a": 0.5, "b": 0.5}] * 2, "an object has no order"),
        ("$..s", {"first": {"s": 1}, "second": {"s": 2}}, "an object has no order"),
        ("$.p[?@ > 0]", {"p": {"a": 1, "b": 2}}, "an object has no order"),
    ],
)
def test_what_a_path_finds_in_no_order_is_no_answer(path, answer, told):
    with pytest.raises(ModelFault, match=told) as fault:
        json_template.decode(answer, json_template.Options(request="$batch", scores=path))
    assert fault.value.code == "endpoint_bad_response"


@pytest.mark.parametrize(
    ("path", "answer", "found"),
    [
        ("$[*].s", [{"n": "a", "s": 9}, {"n": "b", "s": 1}], [("a",), ("b",)]),
        ("$[*][1]", [["a", 9], ["b", 1]], [("a",), ("b",)]),
        ("$[*].s", [{"class": 4, "s": 9, "at": 0.5}, {"class": 2, "s": 1, "at": 0.5}], [(4,), (2,)]),
        ("$.scores", {"labels": ["a", "b"], "scores": [9, 1]}, [("a",), ("b",)]),
        ("$.scores", {"labels": [["a", "b"]] * 2, "scores": [[9, 1]] * 2}, [("a",), ("b",)] * 2),
        ("$[*]['b', 'a']", [{"a": 1, "b": 0, "of": "cat"}], [("b", "cat"), ("a", "cat")]),
        ("$.p", {"p": [[1, 2], [3, 4]], "model": "m", "classes": ["a", "b"]}, [()] * 4),
        ("$", [[1, 2], [3, 4]], []),
    ],
)
def test_names_are_what_a_path_leaves_lying_beside_numbers(path, answer, found):
    assert json_template.names(answer, json_template.Options(request="$batch", scores=path)) == found


def test_open_inference_names_numbers_by_another_output_of_their_shape():
    outputs = [
        {"name": "y", "shape": [1, 2], "datatype": "FP32", "data": [0.9, 0.1]},
        {"name": "sure", "shape": [1], "datatype": "FP32", "data": [0.9]},
        {"name": "of", "shape": [1, 2], "datatype": "BYTES", "data": ["b", "a"]},
    ]
    assert open_inference_v2.names({"outputs": outputs}, open_inference_v2.Options()) == [("b",), ("a",)]


def test_rows_take_the_place_of_batch_and_of_nothing_else():
    tree = {"a": ["$batch", "$batches", {"$batch": 1}], "b": None}
    options = json_template.Options(request=tree, scores="$")
    assert json_template.encode(np.float32([[1]]), options) == {"a": [[[1.0]], "$batches", {"$batch": 1}], "b": None}


@pytest.mark.parametrize("path", ["", "p", "$.", "$.p[", "$.p[*", "$..", "$[?]", "$" * 600])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValidationError):
        json_template.Options(request="$batch", scores=path)
