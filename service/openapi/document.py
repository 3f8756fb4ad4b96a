"""The OpenAPI document: what the routes say of themselves, the bodies that FastAPI does not know, and examples."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from audits.asking.request import AuditRequest
from jobs.registration import EndpointRequest
from jobs.request import JobRequest
from service.openapi import examples
from service.openapi.declaring import REF, SHARED_PROBLEMS
from service.openapi.names import named_by_titles, without_field_titles
from service.wire.problems import Problem

DESCRIPTION = """How far is each sample from the nearest one that the model gets wrong?

Upload an ONNX model and samples, POST an audit (or a single job), poll it, read its verdict and report.
Everything under `/v1` needs an API key.
Errors are problems (RFC 9457) with a stable `code`. The whole contract in words: `docs/api.md`."""

BODIES = (JobRequest, AuditRequest, EndpointRequest)  # read by `service.wire.bodies`, so FastAPI does not know them


ECHO = "The request as it was taken, with its defaults filled in."


def install(app: FastAPI) -> None:
    """Lets FastAPI build the document once, when it is first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    answered = document["components"]["schemas"]
    for body in BODIES:
        if body.__name__ in answered:  # an answer repeats it, without the parameters of every method
            answered[body.__name__] |= {"title": f"{body.__name__}Echo", "description": ECHO}
    named_by_titles(document)
    schemas = document["components"]["schemas"] | _bodies()  # what a body may say includes what an answer repeats
    for name, schema in schemas.items():
        schema.setdefault("title", name)  # an alias of a type has none
    for name, example in examples.OBJECTS.items():
        schemas[name]["examples"] = [example]
    document["components"] |= {"schemas": dict(sorted(schemas.items())), "responses": SHARED_PROBLEMS}
    without_field_titles(document)
    return document


def _bodies() -> dict[str, Any]:
    bodies: list[tuple[type[BaseModel], JsonSchemaMode]] = [(body, "validation") for body in BODIES]
    _, defined = models_json_schema([*bodies, (Problem, "serialization")], ref_template=REF)
    schemas: dict[str, Any] = defined["$defs"]
    return schemas
