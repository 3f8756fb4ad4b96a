"""A bounded, seeded storm of requests made from the OpenAPI document itself: no 5xx, and every answer as declared."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.api.conftest import Api
from tests.contract.test_api_documentation import openapi, operations

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 8
STORM = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CALLS = [call for call in operations() if call not in ("GET /readyz", "GET /metrics")]  # no worker here; not JSON


@pytest.mark.parametrize("call", CALLS)
def test_no_request_of_the_documents_making_breaks_the_api(api: Api, call: str) -> None:
    schema = schemathesis.openapi.from_dict(openapi())
    schema.app = api.app
    method, path = call.split(" ")
    caller = api.caller()
    job = api.a_job(caller)
    api.compute(job["id"])
    ids = job["request"] | {"job_id": job["id"]}
    key = {"Authorization": caller.headers["Authorization"]}
    seen = []

    @STORM
    @given(case=schema[path][method].as_strategy())
    def storm(case: Any) -> None:
        for name in set(case.path_parameters or {}) & set(ids):
            if len(seen) % 2:  # every other time a real one
                case.path_parameters[name] = ids[name]
        if len(seen) % 2 and isinstance(case.body, dict):
            case.body |= {name: ids[name] for name in ("model_id", "samples_id")}
        answer = case.call(headers=key)
        case.validate_response(answer, checks=CHECKS, headers=key)
        seen.append(answer.status_code)

    storm()
    assert seen
