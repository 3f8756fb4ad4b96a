"""What the OpenAPI document says beyond the signatures: every error of a call, bodies that are streamed, examples."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from audits.asking.request import AuditRequest
from jobs.registration import EndpointRequest
from jobs.request import JobRequest
from service.edge.errors import CODES_BY_STATUS, MEDIA_TYPE, STATUS, Problem
from service.wire import examples
from service.wire.uploads import OCTET_STREAM

DESCRIPTION = """How far is each sample from the nearest one that the model gets wrong?

Upload an ONNX model and samples, POST an audit (or a single job), poll it, read its verdict and report.
Everything under `/v1` needs an API key.
Errors are problems (RFC 9457) with a stable `code`. The whole contract in words: `docs/api.md`."""

BODIES = (JobRequest, AuditRequest, EndpointRequest)  # read by `service.wire.bodies`, so FastAPI does not know them
REF = "#/components/schemas/{model}"
ANY_CALL = ("internal", "unavailable")
GUARDED = ("unauthenticated", "scope_missing", "rate_limited", *ANY_CALL)

Responses = dict[int | str, dict[str, Any]]


def declares(*codes: str, guarded: bool = True) -> Responses:
    """The `responses` of a route that can fail with these codes, besides those that any call can fail with."""
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
    """One good answer, its media type where that is not JSON, and its headers (name -> what it says)."""
    said: dict[str, Any] = {"description": description}
    if media_type is not None:
        said["content"] = {media_type: {"schema": {"type": "string"}}}
    if headers:
        said["headers"] = {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}
    return {status: said}


def takes_bytes(description: str) -> dict[str, Any]:
    """`openapi_extra` of a raw upload."""
    schema = {"type": "string", "contentMediaType": OCTET_STREAM}
    return {
        "requestBody": {"required": True, "description": description, "content": {OCTET_STREAM: {"schema": schema}}}
    }


def takes_json(model: str, **shown: dict[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of a body read by `service.wire.bodies`: component name, and named examples."""
    named = {name: {"value": value} for name, value in shown.items()}
    content = {"application/json": {"schema": {"$ref": REF.format(model=model)}, "examples": named}}
    return {"requestBody": {"required": True, "content": content}}


def takes_one_of(*bodies: dict[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of a call that takes any of these bodies; the first one describes them."""
    content = {kind: said for body in bodies for kind, said in body["requestBody"]["content"].items()}
    return {"requestBody": {**bodies[0]["requestBody"], "content": content}}


def install(app: FastAPI) -> None:
    """FastAPI builds the document once, when it is first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    bodies: list[tuple[type[BaseModel], JsonSchemaMode]] = [(body, "validation") for body in BODIES]
    _, defined = models_json_schema([*bodies, (Problem, "serialization")], ref_template=REF)
    components = document.setdefault("components", {}).setdefault("schemas", {})
    components.update(defined["$defs"])  # what a body may say includes what an answer repeats of it
    for name, example in examples.OBJECTS.items():
        components[name]["examples"] = [example]
    return document


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    known = CODES_BY_STATUS[status]
    content = {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}}
    said: dict[str, Any] = {"description": ", ".join(c for c in known if c in codes), "content": content}
    if status in (429, 503):
        said["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return said
