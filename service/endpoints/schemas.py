"""`/v1/schemas`: the JSON Schemas of what is written outside HTTP, policies, and read outside it, reports."""

from typing import Any, Literal

from fastapi import APIRouter

from audits.document.report import Report
from audits.policy.policy import Policy
from service.edge.dependencies import AnyCaller
from service.openapi.declaring import answers, declares

router = APIRouter(tags=["audits"])

SCHEMAS = {
    name: {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"/v1/schemas/{name}", **schema}
    for name, schema in (
        ("policy", Policy.model_json_schema()),
        ("report", Report.model_json_schema()),
    )
}


@router.get(
    "/v1/schemas/{name}",
    response_model=dict[str, Any],
    responses=answers(200, "A JSON Schema (2020-12).") | declares("invalid_request"),
)
def get_schema(name: Literal["policy", "report"], caller: AnyCaller) -> dict[str, Any]:  # noqa: ARG001 - any key will do
    """Returns the JSON Schema of a policy or of a report."""
    return SCHEMAS[name]
