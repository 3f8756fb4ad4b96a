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
from service.openapi.declaring import REF
from service.wire.problems import Problem

DESCRIPTION = """How far is each sample from the nearest one that the model gets wrong?

Upload an ONNX model and samples, POST an audit (or a single job), poll it, read its verdict and report.
Everything under `/v1` needs an API key.
Errors are problems (RFC 9457) with a stable `code`. The whole contract in words: `docs/api.md`."""

BODIES = (JobRequest, AuditRequest, EndpointRequest)  # read by `service.wire.bodies`, so FastAPI does not know them


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
