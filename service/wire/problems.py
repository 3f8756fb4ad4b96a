"""Every error as HTTP: one table from code to status, one problem shape (RFC 9457).

Codes are stable words; five of them belong to HTTP alone: `method_not_allowed`, `too_slow`, `body_too_large`,
`head_too_large` and `internal`. One is reserved: `idempotency_in_progress`, of which no call has need while each object
is made in one move.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"

CODES_BY_STATUS: dict[int, tuple[str, ...]] = {
    401: ("unauthenticated",),
    403: ("scope_missing", "quota_exceeded"),
    404: ("not_found",),
    405: ("method_not_allowed",),
    408: ("too_slow",),
    409: ("model_not_ready", "in_use", "job_not_finished", "idempotency_in_progress"),
    411: ("length_required",),
    413: ("model_too_large", "samples_too_large", "body_too_large"),
    415: ("media_type",),
    422: (
        "invalid_request",
        "unknown_method",
        "access_too_weak",
        "norm_not_supported",
        "lattice_not_supported",
        "goal_not_supported",
        "epsilon_required",
        "epsilon_refused",
        "box_required",
        "outside_box",
        "budget_too_small",
        "shape_mismatch",
        "label_out_of_range",
        "samples_not_finite",
        "samples_unreadable",
        "idempotency_key_reused",
        "not_available",
        "model_unparseable",
        "external_data_forbidden",
        "custom_domain_forbidden",
        "op_not_supported",
        "model_too_complex",
        "tensor_size_mismatch",
        "shape_bomb",
        "unsupported_signature",
        "model_invalid",
        "endpoint_unavailable",
        "endpoint_bad_response",
    ),
    429: ("rate_limited",),
    431: ("head_too_large",),
    500: ("internal",),
    503: ("unavailable",),
    507: ("insufficient_storage",),
}

STATUS: dict[str, int] = {code: status for status, codes in CODES_BY_STATUS.items() for code in codes}


class FieldError(BaseModel):
    """A field error is about one place in the request body that has to change."""

    model_config = ConfigDict(extra="forbid")

    pointer: str  # RFC 6901, into the request body; empty: not a place in the body
    detail: str


class Problem(BaseModel):
    """Every error looks like this. `detail` says what to do next; `code` is the word to test."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] | None = None  # present on 422, and then never empty
    model_id: str | None = None  # present where an upload was kept as a refused model


def as_problem(
    code: str, detail: str, *, request_id: str, errors: list[FieldError] | None = None, model_id: str | None = None
) -> Problem:
    """Makes the problem of a code. One that is not in the table (a refusal of a newer worker) is a 422: the caller has
    to change something.

    A 422 has at least one entry in `errors`, so that clients need to read one place only.
    """
    status = STATUS.get(code, 422)
    return Problem(
        type=f"urn:brinell:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        errors=(errors or [FieldError(pointer="", detail=detail)]) if status == 422 else None,
        model_id=model_id,
    )


def problem_response(
    request: Request,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[FieldError] | None = None,
    model_id: str | None = None,
) -> JSONResponse:
    """Makes the problem an answer to this request."""
    problem = as_problem(code, detail, request_id=request.state.request_id, errors=errors, model_id=model_id)
    content = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status_code=problem.status, headers=headers, media_type=MEDIA_TYPE)
