"""Whatever a tenant writes into a body is its own mistake: never a 5xx.

Each body begins as one that is taken. Then parts of it are replaced by what breaks parsers.
"""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given

from tests.contract.api.conftest import ENDPOINT, TRUSTED_ORIGIN, Api
from tests.contract.api.hostile import LAST_RESORT, PATHS, STORM, is_no_fault_of_ours, spoilt
from tests.contract.api.test_problems import JSON, problem_of


def storm(caller: TestClient, path: str, bodies: list[dict[str, Any]]) -> None:
    """Sends them; what was taken nevertheless is read back, alone and in its list."""
    for body in bodies:
        taken = caller.post(path, json=body)
        assert taken.status_code == 202, taken.text
    seen = []

    @STORM
    @given(body=spoilt(bodies))
    def send(body: bytes) -> None:
        answer = caller.post(path, content=body, headers=JSON)
        is_no_fault_of_ours(answer, body)
        seen.append(answer.status_code)
        if answer.status_code < 300:
            is_no_fault_of_ours(caller.get(f"{path}/{answer.json()['id']}"), body)

    send()
    assert set(seen) >= {202, 422}, "some are taken, some refused"
    is_no_fault_of_ours(caller.get(f"{path}?limit=1000"), "the list")


TEMPLATE = ENDPOINT | {
    "url": f"{TRUSTED_ORIGIN}/predict",
    "protocol": "json_template",
    "auth": {"type": "header", "name": "X-Key", "value": "secret"},
    "limits": {"max_batch": 4, "timeout_seconds": 3.0},
    "options": {"request": {"rows": ["$batch"], "more": {"a": [1, None]}}, "scores": "$.scores[*].x"},
}
NAMED = TEMPLATE | {
    "output": {"kind": "labels", "classes": ["a", "b"]},
    "options": {"request": "$batch", "label": "$[*].label"},
}


def test_a_description_of_an_endpoint(caller: TestClient) -> None:
    storm(caller, "/v1/models", [ENDPOINT, TEMPLATE, NAMED])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("option", ["scores", "label"])
def test_a_path_to_an_endpoints_answers(caller: TestClient, path: str, option: str) -> None:
    body = TEMPLATE | {"options": {"request": "$batch", option: path}}
    is_no_fault_of_ours(caller.post("/v1/models", json=body), path)


def test_a_job(api: Api, caller: TestClient) -> None:
    body = api.a_job_request(
        caller,
        method={"name": "pgd", "restarts": 3},
        threat={"norm": "linf", "box": [0, [1, 1, 1, 1]], "epsilon": 0.1, "goal": {"targeted": [1, 2]}},
        budget={"queries_per_sample": 100, "gradients_per_sample": 100, "seconds": 5.0},
        samples={"indices": [0, 1]},
        seed=3,
    )
    storm(api.under(live_jobs=10**6).caller(), "/v1/jobs", [body, api.a_job_request(caller, samples={"limit": 2})])


POLICY = {
    "rules": [
        {"name": "accurate", "metric": "clean_accuracy", "at_least": 0.5, "confidence": 0.9, "severity": "warn"},
        {"name": "robust", "metric": "empirical_robust_accuracy", "at_least": 0.5, "at": 0.1},
    ],
    "waivers": [{"rule": "accurate", "reason": "because", "until": "2030-01-01", "by": "me"}],
}


def test_an_audit(api: Api, caller: TestClient) -> None:
    body = api.an_audit_request(caller, recipe=[{"name": "pgd", "restarts": 3}, {"name": "square", "steps": 20}])
    ready = body | {"threat": {"norm": "l2", "box": [0, 1], "goal": "untargeted"}, "samples": {"limit": 2}, "seed": 3}
    judged = body | {"policy": POLICY}
    texts = body | {"policy": json.dumps(POLICY)}
    storm(api.under(live_jobs=10**6).caller(), "/v1/audits", [body, ready, judged, texts])


@pytest.mark.parametrize("kind", [RecursionError, OverflowError, UnicodeError, MemoryError])
def test_the_last_resort_is_a_refusal_without_a_word_of_what_was_raised(api: Api, kind: type[Exception]) -> None:
    def read_badly() -> None:
        raise kind("/secret/path")

    api.app.add_api_route("/v1/badly", read_badly)
    answer = api.caller().get("/v1/badly")
    assert LAST_RESORT in problem_of(answer, "invalid_request").detail
    assert "secret" not in answer.text
