"""Where an error is: pydantic's location becomes a pointer into the body that was sent."""

import pytest
from pydantic import ValidationError

from jobs.request import JobRequest
from service.edge.handlers import pointer_of

SMALLEST = {"model_id": "mdl_a", "samples_id": "smp_b", "method": {"name": "clever"}}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"model_id": 5}, "/model_id"),
        ({"method": {"name": "clever", "no/such~one": 1}}, "/method/no~1such~0one"),
        ({"method": {}}, "/method"),
        ({"threat": {"norm": "l7"}}, "/threat/norm"),
        ({"threat": {"goal": {"targeted": [1, "two"]}}}, "/threat/goal/targeted"),
        ({"budget": {"queries_per_sample": 0}}, "/budget/queries_per_sample"),
        ({"samples": {"indices": [0, -1]}}, "/samples/indices/1"),
        ({"seed": -1}, "/seed"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_the_pointer_names_the_field_and_no_branch_of_a_union(change: dict[str, object], pointer: str) -> None:
    body = SMALLEST | change
    with pytest.raises(ValidationError) as caught:
        JobRequest.model_validate(body)
    found = [pointer_of(("body", *e["loc"]), body, e["type"]) for e in caught.value.errors()]
    assert any(p == pointer or p.startswith(pointer + "/") for p in found), found


def test_a_missing_field_is_pointed_at_where_it_should_stand() -> None:
    body = {"samples_id": "smp_b", "method": {"name": "clever"}}
    with pytest.raises(ValidationError) as caught:
        JobRequest.model_validate(body)
    assert [pointer_of(("body", *e["loc"]), body, e["type"]) for e in caught.value.errors()] == ["/model_id"]


def test_a_query_parameter_is_no_place_in_the_body() -> None:
    assert pointer_of(("query", "limit"), None, "int_parsing") == ""
