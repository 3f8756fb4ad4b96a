"""The table of codes and the one shape."""

import pytest

from service.wire.problems import CODES_BY_STATUS, STATUS, as_problem


def test_every_code_has_one_status() -> None:
    codes = [code for codes in CODES_BY_STATUS.values() for code in codes]
    assert len(codes) == len(set(codes)) == len(STATUS)


@pytest.mark.parametrize("code", STATUS)
def test_every_code_has_the_one_shape(code: str) -> None:
    problem = as_problem(code, "Do this.", request_id="r" * 8)
    shown = problem.model_dump(exclude_none=True)
    expected = {"type", "title", "status", "detail", "code", "request_id"}
    assert set(shown) == (expected | {"errors"} if STATUS[code] == 422 else expected)
    assert problem.type == f"urn:brinell:problem:{code}"
    assert problem.status == STATUS[code]


def test_a_422_that_no_field_is_to_blame_for_says_so_in_errors_too() -> None:
    (only,) = as_problem("shape_bomb", "Do this.", request_id="r").errors or []
    assert (only.pointer, only.detail) == ("", "Do this.")


def test_a_refusal_of_a_newer_worker_is_a_422() -> None:
    assert as_problem("a_code_from_tomorrow", "Do this.", request_id="r").status == 422
