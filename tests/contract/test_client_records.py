"""The client's typed dictionaries are those of the OpenAPI document, and their writer knows its kinds of schema."""

import typing

import pytest

from brinell import records
from tools.client_records import FILE, client_records, openapi_document

HOW = "brinell/records.py is not what the service answers any more; write it anew: make records"


def test_the_clients_records_are_those_of_the_document():
    assert FILE.read_text(encoding="utf-8") == client_records(openapi_document()), HOW


def test_the_records_can_be_read_at_run_time():
    hints = typing.get_type_hints(records.Job)
    assert hints["state"] is records.JobState
    assert typing.get_type_hints(records.FindingPage)["items"] == list[records.Finding]


def document(**schemas):
    """An OpenAPI document of one call, which answers `Answer`."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    call = {"responses": {"200": {"content": content}, "422": {"content": refused}}}
    problem = {"type": "object", "properties": {"code": {"type": "string"}}}
    return {"paths": {"/v1/answer": {"get": call}}, "components": {"schemas": {"Problem": problem, **schemas}}}


def fields(**properties):
    """The lines of a record with these fields, all of them required."""
    answer = {"type": "object", "properties": properties, "required": list(properties)}
    return client_records(document(Answer=answer)).split("class Answer(TypedDict):\n")[1].split()


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({"type": "string", "format": "date-time"}, "str"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "float|None"),
        ({"type": "array", "items": {"type": "integer"}}, "list[int]"),
        ({"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]}, "list[float]"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "dict[str,bool]"),
        ({"type": "object", "additionalProperties": True, "properties": {"name": {}}}, "dict[str,Any]"),
        ({"const": "ready"}, 'Literal["ready"]'),
        ({"enum": ["a", "b"], "type": "string"}, 'Literal["a","b"]'),
        ({}, "Any"),
    ],
    ids=str,
)
def test_each_kind_of_schema_has_its_type(schema, written):
    assert "".join(fields(field=schema)) == f"field:{written}"


def test_only_what_good_answers_hold_is_written_with_what_it_refers_to():
    part = {"type": "object", "properties": {"n": {"type": "integer"}}, "description": "A part.\n\nMore of it."}
    answer = {"type": "object", "properties": {"part": {"$ref": "#/components/schemas/Part"}}}
    written = client_records(document(Answer=answer, Part=part, Word={"enum": ["unused"]}))
    assert 'class Part(TypedDict):\n    """A part."""\n\n    n: NotRequired[int]\n' in written
    assert "part: NotRequired[Part]" in written
    assert "Problem" not in written and "unused" not in written


def test_a_kind_of_schema_without_a_type_is_no_guess():
    with pytest.raises(KeyError):
        fields(field={"type": "file"})
