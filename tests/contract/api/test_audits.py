"""An audit from its request to its verdict and its report."""

import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import redis
from fastapi.testclient import TestClient

from audits.document.report import Report
from audits.policy.policy import Policy
from service.wire import events
from tests.contract.api.conftest import Api, npz, some_samples
from tests.contract.api.test_jobs import events_of, later, waiting
from workers.supervisor.supervisor import Supervisor

POLICY = {"rules": [{"name": "accurate", "metric": "clean_accuracy", "at_least": 0.5}]}


def compute(api: Api, audit: dict[str, Any], *, finds: bool = True) -> None:
    """What workers do: every job, then the report."""
    for job in audit["jobs"]:
        api.compute(job["job_id"], finds=finds)
    write_report(api, audit["id"])


def write_report(api: Api, audit_id: str) -> None:
    none: Any = SimpleNamespace(
        rest=lambda: None, tenants=1
    )  # a report needs no runner, and nobody stands in line for a probe
    Supervisor(api.settings, store=api.store, library=api.library, runners=none).do(audit_id, 0, "probe")


def path_of(audit: dict[str, Any], more: str = "") -> str:
    return f"/v1/audits/{audit['id']}{more}"


def test_an_audit_goes_from_its_request_to_its_verdict(api: Api, caller: TestClient) -> None:
    audit = api.an_audit(caller, policy=POLICY)
    assert (audit["state"], audit["verdict"], audit["report_ready"]) == ("queued", None, False)
    assert caller.get(path_of(audit, "/verdict")).json() == {"verdict": None, "rules": []}
    compute(api, audit)
    ended = caller.get(path_of(audit)).json()
    assert (ended["state"], ended["verdict"], ended["report_ready"]) == ("succeeded", "pass", True)
    told = caller.get(path_of(audit, "/verdict")).json()
    assert told["verdict"] == "pass"
    assert told["rules"][0]["observed"] == 1.0 and told["rules"][0]["evidence"] == "empirical"


def test_the_location_and_the_links_lead_back(api: Api, caller: TestClient) -> None:
    answer = caller.post("/v1/audits", json=api.an_audit_request(caller))
    assert answer.headers["location"] == path_of(answer.json()) and answer.headers["retry-after"]
    for name in ("self", "verdict", "model", "samples"):
        assert caller.get(answer.json()["links"][name]).status_code == 200


def test_a_quick_audit_runs_what_it_can_and_tells_what_it_cannot(api: Api, caller: TestClient) -> None:
    audit = api.an_audit(caller, recipe="quick-1", threat={"norm": "l2"})
    assert {"clever", "pgd", "square"} <= {job["method"] for job in audit["jobs"]}
    reasons = {skip["method"]: skip["reason"] for skip in audit["skipped"]}
    assert reasons["nearest_neighbor"] == "It needs neighbours, which this model does not offer."
    children = {job["id"]: job for job in caller.get("/v1/jobs").json()["items"]}
    assert set(children) == {job["job_id"] for job in audit["jobs"]}


def test_the_report_is_the_document_that_the_schema_describes(api: Api, caller: TestClient) -> None:
    audit = api.an_audit(caller, policy=POLICY)
    compute(api, audit)
    answer = caller.get(path_of(audit, "/report"))
    assert answer.headers["content-type"] == "application/json"
    report = Report.model_validate_json(answer.content)
    assert report.audit_id == audit["id"] and report.verdict == "pass"
    assert [row.upper for row in report.samples] == [0.5] * 6
    assert {row.upper_by for row in report.samples} == {"pgd"}
    assert report.gallery is not None
    assert {(picture.changed_features, picture.read_as) for picture in report.gallery.pictures} == {(4, 1)}
    assert caller.get("/v1/schemas/report").json().items() >= Report.model_json_schema().items()


def test_the_schema_of_a_policy_is_public(caller: TestClient) -> None:
    schema = caller.get("/v1/schemas/policy").json()
    assert schema.items() >= Policy.model_json_schema().items()
    assert schema["$schema"].endswith("2020-12/schema") and schema["$id"] == "/v1/schemas/policy"
    assert caller.get("/v1/schemas/other").status_code == 422


@pytest.mark.parametrize("reserved", ["sarif", "intoto", "cyclonedx"])
def test_a_reserved_format_is_not_available(api: Api, caller: TestClient, reserved: str) -> None:
    audit = api.an_audit(caller)
    report = path_of(audit, f"/report?format={reserved}")
    early = caller.get(report)
    compute(api, audit)
    for answer in (early, caller.get(report)):
        assert (answer.status_code, answer.json()["code"]) == (422, "not_available")
    assert api.caller("another").get(report).status_code == 404


def test_there_is_no_report_before_the_end_and_none_of_a_cancelled_audit(api: Api, caller: TestClient) -> None:
    audit = api.an_audit(caller)
    early = caller.get(path_of(audit, "/report"))
    assert (early.status_code, early.json()["code"]) == (409, "job_not_finished")
    assert caller.post(path_of(audit, "/cancel")).json()["state"] == "cancelled"
    late = caller.get(path_of(audit, "/report"))
    assert (late.status_code, late.json()["code"]) == (404, "not_found")
    assert caller.get(path_of(audit, "/verdict")).json()["verdict"] is None


def test_a_failed_job_leaves_its_rules_inconclusive_and_the_audit_succeeds(api: Api, caller: TestClient) -> None:
    robust = {"name": "robust", "metric": "empirical_robust_accuracy", "at": 0.1, "at_least": 0.0}
    recipe = [{"name": "pgd"}, {"name": "square"}]
    audit = api.an_audit(caller, recipe=recipe, policy={"rules": [*POLICY["rules"], robust]})
    first, second = (job["job_id"] for job in audit["jobs"])
    api.compute(first)
    api.store.leases.fail(api.lease(second), "model_fault", "The model crashed the runtime.", retry=False)
    write_report(api, audit["id"])
    told = caller.get(path_of(audit, "/verdict")).json()
    assert caller.get(path_of(audit)).json()["state"] == "succeeded"
    assert [rule["verdict"] for rule in told["rules"]] == ["pass", "inconclusive"]
    assert "square is failed: The model crashed" in told["rules"][1]["detail"]


def test_without_labels_rules_on_accuracy_are_inconclusive_with_the_reason(api: Api, caller: TestClient) -> None:
    with np.load(io.BytesIO(some_samples())) as labelled:
        bare = api.samples(caller, npz(x=labelled["x"]))
    audit = api.an_audit(caller, samples_id=bare["id"], policy=POLICY)
    compute(api, audit)
    (rule,) = caller.get(path_of(audit, "/verdict")).json()["rules"]
    assert rule["verdict"] == "inconclusive" and "without labels" in rule["detail"]
    assert caller.get(path_of(audit, "/report")).json()["envelope"] == []


def test_a_policy_may_be_the_text_of_a_yaml_file(api: Api, caller: TestClient) -> None:
    text = "rules:\n  - {name: accurate, metric: clean_accuracy, at_least: 0.5}\nwaivers: []\n"
    assert api.an_audit(caller, policy=text)["request"]["policy"]["rules"][0]["name"] == "accurate"


CERTIFIED = {"name": "a", "metric": "certified_accuracy", "at_least": 0}
BAD = {
    "unknown metric": ({"policy": {"rules": [{"name": "a", "metric": "beauty", "at_least": 1}]}}, "invalid_request"),
    "no bound": ({"policy": {"rules": [{"name": "a", "metric": "clean_accuracy"}]}}, "invalid_request"),
    "no rules": ({"policy": {"rules": []}}, "invalid_request"),
    "no yaml": ({"policy": "rules: ["}, "invalid_request"),
    "yaml alias": ({"policy": "rules: &a [*a]"}, "invalid_request"),
    "no radius": ({"policy": {"rules": [CERTIFIED]}}, "invalid_request"),
    "beyond epsilon": ({"threat": {"epsilon": 0.1}, "policy": {"rules": [CERTIFIED | {"at": 1}]}}, "invalid_request"),
    "webhook": ({"webhook": "https://example.com"}, "not_available"),
    "scale": ({"threat": {"scale": 2}}, "not_available"),
    "unknown recipe": ({"recipe": "slow-9"}, "invalid_request"),
    "twice": ({"recipe": [{"name": "pgd"}, {"name": "pgd"}]}, "invalid_request"),
    "nothing fits": ({"recipe": [{"name": "square"}], "threat": {"norm": "l0"}}, "access_too_weak"),
    "shape": ({"samples": {"indices": [99]}}, "invalid_request"),
    "unknown field": ({"colour": "red"}, "invalid_request"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_audited_is_refused_and_leaves_nothing(api: Api, caller: TestClient, name: str) -> None:
    change, code = BAD[name]
    answer = caller.post("/v1/audits", json=api.an_audit_request(caller, **change))
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert caller.get("/v1/audits").json()["items"] == caller.get("/v1/jobs").json()["items"] == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [({"policy": {"rules": [CERTIFIED]}}, "/policy/rules/0"), ({"policy": "rules: ["}, "/policy"), ({}, None)],
)
def test_what_is_wrong_by_itself_is_told_before_anything_is_looked_up(
    caller: TestClient, change: dict[str, Any], pointer: str | None
) -> None:
    """`brinell audit` relies on it: a wrong policy costs no upload."""
    answer = caller.post("/v1/audits", json={"model_id": "mdl_0", "samples_id": "smp_0"} | change)
    assert answer.status_code == (404 if pointer is None else 422)
    assert pointer is None or answer.json()["errors"][0]["pointer"] == pointer


def test_an_unknown_method_in_a_recipe_is_called_so(api: Api, caller: TestClient) -> None:
    answer = caller.post("/v1/audits", json=api.an_audit_request(caller, recipe=["pgd", {"name": "magic"}]))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "unknown_method")
    assert [error["pointer"] for error in problem["errors"]] == ["/recipe/1/name"] and "'magic'" in problem["detail"]


def test_methods_may_be_named_without_parameters(api: Api, caller: TestClient) -> None:
    audit = api.an_audit(caller, recipe=["pgd", {"name": "square"}])
    assert [job["method"] for job in audit["jobs"]] == ["pgd", "square"]
    assert audit["request"]["recipe"][0]["name"] == "pgd" and audit["request"]["recipe"][0]["steps"]


@pytest.mark.parametrize(
    ("recipe", "pointer"),
    [([{"name": "pgd", "stepz": 3}], "/recipe/0/stepz"), ([{}], "/recipe/0"), ("fast", "/recipe")],
)
def test_an_error_in_a_recipe_speaks_of_what_was_meant(api: Api, caller: TestClient, recipe: Any, pointer: str) -> None:
    problem = caller.post("/v1/audits", json=api.an_audit_request(caller, recipe=recipe)).json()
    assert problem["code"] == "invalid_request"
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_a_model_that_is_not_ready_cannot_be_audited(api: Api, caller: TestClient) -> None:
    request = api.an_audit_request(caller) | {"model_id": api.a_model(caller, b"another")["id"]}
    answer = caller.post("/v1/audits", json=request)
    assert (answer.status_code, answer.json()["code"]) == (409, "model_not_ready")


def test_the_same_idempotency_key_gives_the_same_audit(api: Api, caller: TestClient) -> None:
    request, key = api.an_audit_request(caller), {"Idempotency-Key": "once"}
    first, again = (caller.post("/v1/audits", json=request, headers=key).json() for _ in range(2))
    assert first == again
    other = caller.post("/v1/audits", json=request | {"seed": 1}, headers=key)
    assert other.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("change", [{"webhook": "https://example.com"}, {"threat": {"scale": 2}}])
def test_what_is_reserved_is_refused_with_a_known_key_too(api: Api, caller: TestClient, change: dict[str, Any]) -> None:
    request, key = api.an_audit_request(caller), {"Idempotency-Key": "once"}
    assert caller.post("/v1/audits", json=request, headers=key).status_code == 202
    assert caller.post("/v1/audits", json=request | change, headers=key).json()["code"] == "not_available"


def test_an_unchanged_audit_costs_no_body_and_a_job_that_moves_changes_it(api: Api, caller: TestClient) -> None:
    audit = api.an_audit(caller)
    seen = {"If-None-Match": caller.get(path_of(audit)).headers["etag"]}
    assert caller.get(path_of(audit), headers=seen).status_code == 304
    api.lease(audit["jobs"][0]["job_id"])
    assert caller.get(path_of(audit), headers=seen).json()["state"] == "running"


def test_deleting_an_audit_takes_its_jobs_along_and_one_by_one_they_stay(api: Api, caller: TestClient) -> None:
    audit = api.an_audit(caller)
    job = f"/v1/jobs/{audit['jobs'][0]['job_id']}"
    assert caller.delete(job).json()["code"] == "in_use"
    compute(api, audit)
    assert caller.delete(job).json()["code"] == "in_use"
    assert caller.delete(path_of(audit)).status_code == 204
    assert caller.get(job).status_code == caller.get(path_of(audit)).status_code == 404
    assert caller.get("/v1/audits").json()["items"] == []


def test_a_baseline_is_compared_with_sample_by_sample(api: Api, caller: TestClient) -> None:
    drop = {"name": "no worse", "metric": "clean_accuracy", "max_drop_from_baseline": 0.05}
    request = api.an_audit_request(caller)
    first = caller.post("/v1/audits", json=request).json()
    change = {"baseline_audit_id": first["id"], "policy": {"rules": [drop]}}
    early = caller.post("/v1/audits", json=request | change)
    assert (early.status_code, early.json()["code"]) == (409, "job_not_finished")
    compute(api, first)
    second = caller.post("/v1/audits", json=request | change).json()
    compute(api, second)
    (rule,) = caller.get(path_of(second, "/verdict")).json()["rules"]
    assert (rule["verdict"], rule["baseline"], rule["observed"]) == ("pass", 1.0, 1.0)
    (compared,) = caller.get(path_of(second, "/report")).json()["comparisons"]
    assert (compared["measure"], compared["equal"], compared["median_ratio"]) == ("upper", 6, 1.0)


def test_events_tell_of_an_audit_until_its_report_is_written(
    api: Api, caller: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LOOK_EVERY_SECONDS", 0.02)
    audit = api.an_audit(caller)
    compute(api, audit)
    answer = caller.get(path_of(audit, "/events"))
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    assert json.loads(lines[-1].removeprefix("data: "))["state"] == "succeeded"


def test_events_resume_after_the_last_one_seen(api: Api, caller: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOOK_EVERY_SECONDS", 0.02)
    audit = api.an_audit(caller)
    seen = str(api.store.objects.version("acme", audit["id"]))
    timer = later(compute, api, audit)
    told = events_of(caller.get(path_of(audit, "/events"), headers={"Last-Event-ID": seen}).text)
    timer.join()
    assert json.loads(told[-1]["data"])["state"] == "succeeded"
    assert seen not in [event["id"] for event in told]


def test_a_wait_ends_when_the_audit_changes_state(api: Api, caller: TestClient) -> None:
    audit = api.an_audit(caller)
    client = waiting(api, path_of(audit), lambda: api.lease(audit["jobs"][0]["job_id"]))
    assert json.loads(client.body)["state"] == "running"


@pytest.mark.parametrize("field", ["model_id", "samples_id", "baseline_audit_id"])
def test_another_tenants_id_in_an_audit_is_answered_as_an_unknown_one(api: Api, field: str) -> None:
    owner, other = api.caller("acme"), api.caller("rival")
    theirs = api.an_audit_request(owner)
    audit = owner.post("/v1/audits", json=theirs).json()
    compute(api, audit)
    own, foreign = api.an_audit_request(other), {**theirs, "baseline_audit_id": audit["id"]}[field]
    unknown = foreign[:4] + "A" * 22
    first, second = (other.post("/v1/audits", json=own | {field: named}) for named in (foreign, unknown))
    assert first.status_code == second.status_code == 404
    assert first.json() | {"request_id": ""} == second.json() | {"request_id": ""}


def test_a_verdict_costs_a_handful_of_reads_however_large_its_audit(api: Api, caller: TestClient) -> None:
    """Of the store alone, no report is opened: pipelines ask often. How many milliseconds: `python -m benchmarks`."""
    small = api.an_audit(caller, policy=POLICY, recipe=["pgd"], samples={"limit": 1})
    large = api.an_audit(caller, policy=POLICY)
    for audit in (small, large):
        compute(api, audit)
    shutil.rmtree(Path(urlsplit(api.settings.library).path) / "objects")
    with redis.Redis.from_url(api.settings.redis_url) as server:

        def reads(audit: dict[str, Any]) -> int:
            before = sum(seen["calls"] for seen in server.info("commandstats").values())
            assert caller.get(path_of(audit, "/verdict")).json()["verdict"] == "pass"
            return sum(seen["calls"] for seen in server.info("commandstats").values()) - before

        caller.get(path_of(small, "/verdict"))
        assert reads(small) == reads(large) <= 10
