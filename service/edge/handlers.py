"""Turns whatever was raised below an endpoint into the one problem shape. Nothing of an exception leaks unnamed."""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match

from algorithms.errors import BrinellError
from service.wire.problems import STATUS, FieldError, problem_response

log = structlog.get_logger("service")

SHOWN_ERRORS = 20
SHOWN_CHARACTERS = 300
VERBS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
CLIENT_CLOSED_REQUEST = 499  # nobody reads it; the access log does
# What a library raises that reads text, numbers or nesting beyond its means. All that is read below an endpoint was
# written by its caller, and bounded before: one that grows without bounds is not answered so.
BEYOND_READING = (RecursionError, OverflowError, UnicodeError, MemoryError)

PLAINER = {  # than pydantic's own message, by the type of its error
    "extra_forbidden": "There is no such field",
    "tuple_type": "Input should be a list",
    "union_tag_invalid": "There is no {tag!r}; choose one of {expected_tags}",
    "union_tag_not_found": "Say which by {discriminator}",
}
HTTP_CODES = {  # what starlette and FastAPI raise themselves
    404: ("not_found", "There is nothing at this address; the calls are listed at /openapi.json."),
    405: ("method_not_allowed", "This address does not answer that method; the Allow header names those it does."),
    413: ("body_too_large", "The body is too large; send less."),
}


def install(app: FastAPI) -> None:
    """Hands every kind of exception to its handler."""
    app.add_exception_handler(BrinellError, answer_named)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, answer_http)
    app.add_exception_handler(ClientDisconnect, answer_nobody)
    for kind in BEYOND_READING:
        app.add_exception_handler(kind, answer_unreadable)


def answer_named(request: Request, error: Exception) -> Response:
    """Answers an error of ours by its code and its sentence."""
    assert isinstance(error, BrinellError)
    errors = [FieldError(pointer=error.pointer, detail=error.detail)] if error.pointer is not None else None
    retry_after = getattr(error, "retry_after", None)
    headers: dict[str, str] = {}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if STATUS.get(error.code) == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if STATUS.get(error.code) == 408:
        headers["Connection"] = "close"  # what is left of the body is not waited for
    return problem_response(request, error.code, error.detail, errors=errors, headers=headers)


def answer_invalid(request: Request, error: Exception) -> Response:
    """Answers what pydantic refused, each fault with its place."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    errors = [FieldError(pointer=place_of(e, error.body), detail=sentence(e)) for e in found[:SHOWN_ERRORS]]
    code = "unknown_method" if any(is_unknown_method(e) for e in found) else "invalid_request"
    where = errors[0].pointer or ".".join(str(part) for part in found[0]["loc"])
    detail = f"{where}: {errors[0].detail}. Correct what `errors` lists and send it again."
    return problem_response(request, code, detail, errors=errors)


def answer_http(request: Request, error: Exception) -> Response:
    """Answers what starlette or FastAPI raised."""
    assert isinstance(error, HTTPException)
    fallback = ("invalid_request", "The request cannot be read; send it as docs/api.md shows.")
    code, detail = HTTP_CODES.get(error.status_code, fallback)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(methods_of(request))
    return problem_response(request, code, detail, headers=headers)


def methods_of(request: Request) -> list[str]:
    """Returns all methods that this address answers: starlette names those of the first route that fits."""
    asked = {method: {**request.scope, "method": method} for method in VERBS}
    return [
        method
        for method, scope in asked.items()
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    ]


def answer_unreadable(request: Request, error: Exception) -> Response:
    """Answers what no part that reads requests has foreseen, and tells the operator of it."""
    log.error("unforeseen", request_id=request.state.request_id, exc_info=error)
    detail = "The request holds text, numbers or nesting beyond what can be read; make it plainer."
    return problem_response(request, "invalid_request", detail)


def answer_nobody(request: Request, error: Exception) -> Response:  # noqa: ARG001 - starlette's signature
    """Answers a client that has gone, for the access log."""
    return Response(status_code=CLIENT_CLOSED_REQUEST)


def is_unknown_method(error: dict[str, Any]) -> bool:
    """Tells whether the discriminated union of the registry found no member with that name."""
    return error["type"] == "union_tag_invalid" and tuple(error["loc"][:2]) in (("body", "method"), ("body", "recipe"))


def sentence(error: dict[str, Any]) -> str:
    """Returns pydantic's message or a plainer one, printable; what it quotes of the request is cut short."""
    told = {"msg": error["msg"], **error.get("ctx", {})}
    short = {name: str(told[name])[:SHOWN_CHARACTERS] for name in ("msg", "tag") if name in told}
    said = PLAINER.get(error["type"], "{msg}").format(**told | short)
    text = "".join(c if c.isprintable() else " " for c in said)
    return text.removeprefix("Value error, ").rstrip(".")


def place_of(error: dict[str, Any], body: Any) -> str:
    """Returns the pointer of one error.

    A word that chooses between forms is pointed at itself, not what it stands in.
    """
    pointer = pointer_of(error["loc"], body, error["type"])
    if pointer and error["type"] == "union_tag_invalid":
        pointer += "/" + error["ctx"]["discriminator"].strip("'")
    return pointer


def pointer_of(loc: Sequence[int | str], body: Any, kind: str) -> str:
    """Returns the RFC 6901 pointer of a pydantic location, without the union branches that pydantic puts between the
    keys.

    A parameter of the query, the path or a header is no place in the body: "".
    """
    if not loc or loc[0] != "body":
        return ""
    pointer, here = "", body
    for position, part in enumerate(loc[1:], start=2):
        is_missing = kind == "missing" and position == len(loc)
        if isinstance(here, dict) and (part in here or is_missing):
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            continue  # a branch of a union, not a key
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
    return pointer
