"""What a route says of itself beyond its signature: its errors, its other answers, the body that it reads itself."""

from typing import Any

from service.wire.problems import CODES_BY_STATUS, MEDIA_TYPE, STATUS
from service.wire.uploads import OCTET_STREAM, TEXT_PLAIN

TEXT = {"type": "string"}
BYTES = {"type": "string", "format": "binary"}  # generators of clients take and give files where they read this
REF = "#/components/schemas/{model}"
ANY_CALL = ("internal", "unavailable")
GUARDED = ("unauthenticated", "scope_missing", "rate_limited", *ANY_CALL)

Responses = dict[int | str, dict[str, Any]]


def declares(*codes: str, guarded: bool = True) -> Responses:
    """Makes the `responses` of a route that can fail with these codes, besides those that any call can fail with."""
    statuses: dict[int, list[str]] = {}
    for code in (*codes, *(GUARDED if guarded else ANY_CALL)):
        statuses.setdefault(STATUS[code], []).append(code)
    return {status: _problem(status, found) for status, found in sorted(statuses.items())}


def answers(
    status: int,
    description: str,
    *,
    media_type: str | None = None,
    headers: dict[str, str] | None = None,
) -> Responses:
    """Describes one good answer, its media type where that is not JSON, and its headers (name -> what it says)."""
    said: dict[str, Any] = {"description": description}
    if media_type is not None:
        said["content"] = {media_type: {"schema": BYTES if media_type == OCTET_STREAM else TEXT}}
    if headers:
        said["headers"] = {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}
    return {status: said}


def takes_bytes(description: str) -> dict[str, Any]:
    """Makes the `openapi_extra` of a raw upload."""
    content = {OCTET_STREAM: {"schema": BYTES}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def takes_text(description: str) -> dict[str, Any]:
    """Makes the `openapi_extra` of an upload of text."""
    content = {TEXT_PLAIN: {"schema": TEXT}, OCTET_STREAM: {"schema": BYTES}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def takes_json(model: str, **shown: dict[str, Any]) -> dict[str, Any]:
    """Makes the `openapi_extra` of a body read by `service.wire.bodies`: component name, and named examples."""
    named = {name: {"value": value} for name, value in shown.items()}
    content = {"application/json": {"schema": {"$ref": REF.format(model=model)}, "examples": named}}
    return {"requestBody": {"required": True, "content": content}}


def takes_one_of(*bodies: dict[str, Any]) -> dict[str, Any]:
    """Makes the `openapi_extra` of a call that takes any of these bodies; the first one describes them."""
    content = {kind: said for body in bodies for kind, said in body["requestBody"]["content"].items()}
    return {"requestBody": {**bodies[0]["requestBody"], "content": content}}


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    known = ", ".join(code for code in CODES_BY_STATUS[status] if code in codes)
    shared = {"description": known, "$ref": f"#/components/responses/{known}"}
    return shared if known in SHARED_PROBLEMS else _described(status, known)


def _described(status: int, codes: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "description": codes,
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}},
    }
    if status in (429, 503, 507):
        said["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return said


# Where a status has one code, its answer is described once in the document, and calls refer to it.
SHARED_PROBLEMS = {
    codes[0]: _described(status, codes[0]) for status, codes in CODES_BY_STATUS.items() if len(codes) == 1
}
