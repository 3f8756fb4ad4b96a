"""A job from its request to its findings."""

import io
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio
import numpy as np
import pytest
from fastapi.testclient import TestClient

from algorithms import registry
from jobs.record import Progress
from jobs.result import ChunkResult
from jobs.store import names
from jobs.work.lease import Commit
from service.wire import events
from service.wire.waiting import LONGEST_SECONDS
from tests.contract.api.asgi import RudeClient
from tests.contract.api.conftest import SHAPE, Api, a_finding, npz
from tests.contract.api.test_problems import problem_of
from tests.patience import PATIENCE_SECONDS

CROWD = 60  # callers who wait: more than the threads there are


def later(act: Any, *arguments: Any) -> threading.Timer:
    """In a moment; a test that asks for this holds whenever it is."""
    timer = threading.Timer(0.4, act, arguments)
    timer.start()
    return timer


def waiting(api: Api, path: str, act: Callable[[], object], **headers: str) -> RudeClient:
    """What a caller of acme's hears who prefers to wait, and during whose wait something happens."""
    key = {"Authorization": f"Bearer {api.key()}", "Prefer": f"wait={LONGEST_SECONDS}"}
    client = RudeClient("GET", path, key | headers, [b""], PATIENCE_SECONDS, True, while_waiting=act)
    began = time.monotonic()
    anyio.run(client.call, api.app)
    assert client.while_waiting is None, "it did not wait"
    assert time.monotonic() - began < LONGEST_SECONDS, "it waited to the end"
    assert client.header("preference-applied") == f"wait={LONGEST_SECONDS}"
    return client


def follower(api: Api, path: str, on_event: Callable[[dict[str, str]], object], **headers: str) -> list[dict[str, str]]:
    """The events that a caller of acme's hears, who does something about each as it comes."""
    key = {"Authorization": f"Bearer {api.key()}"}

    def hears(piece: bytes) -> None:
        for event in events_of(piece.decode()):
            on_event(event)

    client = RudeClient("GET", path, key | headers, [b""], PATIENCE_SECONDS, True, on_body=hears)
    anyio.run(client.call, api.app)
    assert client.header("content-type").startswith("text/event-stream")
    return events_of(client.body.decode())


def path_of(job: dict[str, Any], rest: str = "") -> str:
    return f"/v1/jobs/{job['id']}{rest}"


def test_a_job_is_accepted_with_its_defaults_and_the_place_to_look(api: Api, caller: TestClient) -> None:
    answer = caller.post("/v1/jobs", json=api.a_job_request(caller))
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == path_of(job) == job["links"]["self"]
    assert int(answer.headers["retry-after"]) >= 1
    assert job["state"] == "queued"
    assert job["request"]["threat"] == {"norm": "l2", "box": [0.0, 1.0], "epsilon": None, "goal": "untargeted"}
    assert job["request"]["samples"] == {"limit": 6}
    assert (job["method"]["name"], job["method"]["version"]) == ("pgd", registry.method("pgd").version)
    assert job["request"]["method"] == {"name": "pgd"} | job["method"]["params"]
    assert job["progress"]["samples_total"] == 6


def test_a_finished_job_shows_its_summary_and_findings(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    api.compute(job["id"])
    done = caller.get(path_of(job)).json()
    assert done["state"] == "succeeded"
    assert done["summary"]["counts"]["upper_bound"] == 6
    page = caller.get(path_of(job, "/findings")).json()
    assert [item["index"] for item in page["items"]] == list(range(6))
    assert page["next_cursor"] is None


def test_a_job_whose_method_is_gone_by_now_is_listed_and_shown(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    api.compute(job["id"])
    asked = job["request"] | {"method": {"name": "phlogiston", "heat": 3}}
    api.store.moves.connection.ask(
        ("HSET", names.key("t", "acme", "job", job["id"]), "request", json.dumps(asked)),
    )
    answer = caller.get(path_of(job))
    assert answer.status_code == 200 and answer.json()["request"] == asked
    assert answer.json()["method"] == {"name": "phlogiston", "version": job["method"]["version"], "params": {"heat": 3}}
    assert caller.get("/v1/jobs").json()["items"] == [answer.json()]


def test_a_surrogate_of_another_tenant_is_as_unknown_as_none(api: Api, caller: TestClient) -> None:
    theirs = api.a_ready_model(api.caller("globex"))["id"]
    asked = api.a_job_request(caller, method={"name": "transfer"})
    told = []
    for unknown in (theirs, "mdl_unknown"):
        answer = caller.post("/v1/jobs", json=asked | {"surrogate_model_id": unknown})
        told.append((answer.status_code, answer.json()["code"], answer.json()["detail"]))
    assert told[0] == told[1]
    assert told[0][:2] == (404, "not_found")


def test_a_job_on_a_surrogate_names_it_and_holds_it(api: Api, caller: TestClient) -> None:
    surrogate = api.a_ready_model(caller, b"another")["id"]
    job = api.a_job(caller, method={"name": "transfer"}, surrogate_model_id=surrogate)
    assert job["request"]["surrogate_model_id"] == surrogate
    assert caller.delete(f"/v1/models/{surrogate}").json()["code"] == "in_use"


def test_one_finding_is_read_by_its_row_and_whole(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller, samples={"indices": [4, 1]})
    where = f"/v1/jobs/{job['id']}/findings"
    assert caller.get(f"{where}/4").status_code == 404
    lease = api.lease(job["id"])
    votes = {str(label): 1 for label in range(2_000)}
    told = tuple(a_finding(row, found=False).model_copy(update={"details": {"counts": votes}}) for row in (4, 1))
    result = ChunkResult(findings=told, device="cpu", isolation="basic")
    assert api.store.leases.commit(lease, Commit(result=result))
    listed = caller.get(where).json()["items"]
    assert [(line["index"], set(line["details"]["counts"])) for line in listed] == [
        (n, {"sha256", "bytes"}) for n in (4, 1)
    ]
    assert caller.get(f"{where}/1").json() == listed[1] | {"details": {"counts": votes}, "curve_seconds": None}
    assert caller.get(f"{where}/0").status_code == 404
    assert caller.get(f"{where}/x").status_code == 422


def test_findings_come_in_pages(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller, samples={"indices": [5, 0, 3]})
    api.compute(job["id"])
    first = caller.get(path_of(job, "/findings?limit=2")).json()
    second = caller.get(path_of(job, "/findings"), params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [item["index"] for item in first["items"] + second["items"]] == [5, 0, 3]
    assert second["next_cursor"] is None


def test_a_job_of_given_targets_and_box_sees_the_samples_themselves(api: Api, caller: TestClient) -> None:
    box = [[0.0] * 4, [1.0] * 4]
    request = api.a_job_request(caller, samples={"limit": 2})
    clash = request | {"threat": {"box": box, "goal": {"targeted": [1, 1]}}}  # sample 1 has label 1
    problem_of(caller.post("/v1/jobs", json=clash), "invalid_request")
    fits = request | {"threat": {"box": box, "goal": {"targeted": [1, 2]}}}
    assert caller.post("/v1/jobs", json=fits).status_code == 202


def test_a_job_on_some_rows_asks_only_of_them_to_lie_in_the_box(api: Api, caller: TestClient) -> None:
    x = np.linspace(0, 1, 24, dtype=np.float32).reshape(6, 4)
    x[5] = 9
    request = api.a_job_request(caller) | {"samples_id": api.samples(caller, npz(x=x))["id"]}
    problem_of(caller.post("/v1/jobs", json=request), "box_required")
    for start in ("/v1/jobs", "/v1/audits"):
        asked = request if start == "/v1/jobs" else without(request, "method") | {"recipe": [{"name": "pgd"}]}
        assert caller.post(start, json=asked | {"samples": {"limit": 5}}).status_code == 202
        answer = caller.post(start, json=asked | {"samples": {"indices": [0, 5]}})
        problem_of(answer, "box_required")


def without(body: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != field}


def test_the_same_key_and_request_make_one_job(api: Api, caller: TestClient) -> None:
    request = api.a_job_request(caller)
    key = {"Idempotency-Key": "b7d1"}
    first = caller.post("/v1/jobs", json=request, headers=key)
    again = caller.post("/v1/jobs", content=json.dumps(request, indent=2, sort_keys=True), headers=key | as_json())
    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"] == again.headers["location"].split("/")[-1]
    problem_of(caller.post("/v1/jobs", json=request | {"seed": 1}, headers=key), "idempotency_key_reused")
    problem_of(caller.post("/v1/jobs", json=request | {"threat": {"scale": 2}}, headers=key), "not_available")
    assert len(caller.get("/v1/jobs").json()["items"]) == 1


def test_the_same_request_after_a_delete_makes_a_new_job(api: Api, caller: TestClient) -> None:
    request, key = api.a_job_request(caller), {"Idempotency-Key": "b7d1"}
    first = caller.post("/v1/jobs", json=request, headers=key).json()
    assert caller.delete(path_of(first)).status_code == 204
    second = caller.post("/v1/jobs", json=request, headers=key)
    assert second.status_code == 202
    assert second.json()["id"] != first["id"]


def test_one_key_may_go_with_every_call_of_a_run(api: Api, caller: TestClient) -> None:
    request, key = api.a_job_request(caller), {"Idempotency-Key": "b7d1"}
    upload = caller.post("/v1/models", content=b"a model", headers=as_bytes() | key)
    job = caller.post("/v1/jobs", json=request, headers=key)
    assert (upload.status_code, job.status_code) == (202, 202), job.text


def as_bytes() -> dict[str, str]:
    return {"Content-Type": "application/octet-stream"}


def as_json() -> dict[str, str]:
    return {"Content-Type": "application/json"}


def test_a_key_of_one_tenant_means_nothing_to_another(api: Api) -> None:
    key = {"Idempotency-Key": "b7d1"}
    ids = set()
    for tenant in ("acme", "rival"):
        caller = api.caller(tenant)
        ids.add(caller.post("/v1/jobs", json=api.a_job_request(caller), headers=key).json()["id"])
    assert len(ids) == 2


@pytest.mark.parametrize("key", ["", '""', "a" * 256, "two words", "\u00e9"])
def test_a_key_that_cannot_be_one_is_refused(api: Api, caller: TestClient, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = caller.post("/v1/jobs", json=api.a_job_request(caller), headers=headers)
    problem_of(answer, "invalid_request")


def test_an_unchanged_job_costs_a_304_without_a_body(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    first = caller.get(path_of(job))
    tag = {"If-None-Match": first.headers["etag"]}
    unchanged = caller.get(path_of(job), headers=tag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == first.headers["etag"]
    api.compute(job["id"])
    changed = caller.get(path_of(job), headers=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_retry_after_stands_on_living_jobs_only(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    assert "retry-after" in caller.get(path_of(job)).headers
    api.compute(job["id"])
    assert "retry-after" not in caller.get(path_of(job)).headers


def test_a_wait_ends_as_soon_as_the_state_changes(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    client = waiting(api, path_of(job), lambda: api.lease(job["id"]))
    assert json.loads(client.body)["state"] == "running"


def test_a_wait_that_runs_out_answers_with_the_job_as_it_is(api: Api, caller: TestClient) -> None:
    answer = caller.get(path_of(api.a_job(caller)), headers={"Prefer": "wait=1"})
    assert answer.json()["state"] == "queued"


def test_a_wait_for_an_ended_job_or_with_an_old_tag_does_not_wait(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    old = {"If-None-Match": caller.get(path_of(job)).headers["etag"], "Prefer": f"wait={LONGEST_SECONDS}"}
    api.lease(job["id"])
    started = time.monotonic()
    assert caller.get(path_of(job), headers=old).json()["state"] == "running"
    caller.post(path_of(job, "/cancel"))
    ended = api.a_job(caller)
    api.compute(ended["id"])
    assert caller.get(path_of(ended), headers={"Prefer": f"wait={LONGEST_SECONDS}"}).json()["state"] == "succeeded"
    assert time.monotonic() - started < LONGEST_SECONDS


def test_a_caller_who_hangs_up_ends_the_wait(api: Api) -> None:
    job = api.a_job(api.caller())
    headers = {"Authorization": f"Bearer {api.key()}", "Prefer": f"wait={LONGEST_SECONDS}"}
    client = RudeClient("GET", path_of(job), headers, [b""], is_complete=True)
    started = time.monotonic()
    anyio.run(client.call, api.app)
    assert time.monotonic() - started < LONGEST_SECONDS


def test_many_waiting_callers_do_not_hold_up_another(api: Api) -> None:
    job = api.a_job(api.caller())
    headers = {"Authorization": f"Bearer {api.key()}"}

    async def crowd() -> None:
        wait = {"Prefer": f"wait={LONGEST_SECONDS}"}
        waits = [RudeClient("GET", path_of(job), headers | wait, [b""], PATIENCE_SECONDS, True) for _ in range(CROWD)]
        async with anyio.create_task_group() as tasks:
            for client in waits:
                tasks.start_soon(client.call, api.app)
            await anyio.sleep(1)
            other = RudeClient("GET", "/v1/methods", headers, [b""], PATIENCE_SECONDS, True)
            assert await other.call(api.app) == 200
            assert not any(client.received for client in waits), "all of them wait still"
            tasks.cancel_scope.cancel()

    anyio.run(crowd)


def test_a_cancelled_job_says_so_and_cancelling_again_changes_nothing(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    first = caller.post(path_of(job, "/cancel"))
    assert (first.status_code, first.json()["state"]) == (202, "cancelled")
    again = caller.post(path_of(job, "/cancel"))
    assert (again.status_code, again.json()) == (202, first.json())


def test_a_deleted_job_is_gone_with_its_arrays_even_while_it_lives(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    assert caller.delete(path_of(job)).status_code == 204
    problem_of(caller.get(path_of(job)), "not_found")
    done = api.a_job(caller)
    api.compute(done["id"])
    kept = api.store.findings.adversarial_digests("acme", done["id"])
    assert caller.delete(path_of(done)).status_code == 204
    assert not any((api.library.incoming().parent / "objects" / d[:2] / d[2:]).exists() for d in kept)


def test_jobs_are_listed_by_state(api: Api, caller: TestClient) -> None:
    done, waiting = api.a_job(caller), api.a_job(caller)
    api.compute(done["id"])
    listed = {state: caller.get(f"/v1/jobs?state={state}").json()["items"] for state in ("succeeded", "queued")}
    assert [job["id"] for job in listed["succeeded"]] == [done["id"]]
    assert [job["id"] for job in listed["queued"]] == [waiting["id"]]


@pytest.mark.parametrize("finds", [True, False])
def test_adversarials_come_as_one_npz(api: Api, caller: TestClient, finds: bool) -> None:
    job = api.a_job(caller)
    problem_of(caller.get(path_of(job, "/adversarials")), "job_not_finished")
    api.compute(job["id"], finds=finds)
    answer = caller.get(path_of(job, "/adversarials"))
    assert int(answer.headers["content-length"]) == len(answer.content)
    with np.load(io.BytesIO(answer.content), allow_pickle=False) as arrays:
        m = 6 if finds else 0
        assert arrays["x"].shape == (m, *SHAPE)
        assert arrays["index"].tolist() == list(range(m))
        assert arrays["label"].shape == (m,)
    assert api.incoming() == []


def events_of(text: str) -> list[dict[str, str]]:
    blocks = [block for block in text.split("\n\n") if "data:" in block]
    return [dict(line.split(": ", 1) for line in block.splitlines() if ": " in line) for block in blocks]


def test_events_tell_states_and_progress_of_a_job_until_it_ends(
    api: Api, caller: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LOOK_EVERY_SECONDS", 0.02)
    job = api.a_job(caller)

    leases = []

    def work(event: dict[str, str]) -> None:
        if event["event"] == "progress":
            api.compute(job["id"], lease=leases[0])
        elif '"queued"' in event["data"]:
            leases.append(api.lease(job["id"]))
        elif '"running"' in event["data"]:
            api.store.leases.beat(leases[0], Progress(samples_done=2, samples_total=6, queries=4, fraction=0.3))

    told = follower(api, path_of(job, "/events"), work)
    states = [json.loads(event["data"])["state"] for event in told if event["event"] == "state"]
    assert states == ["queued", "running", "succeeded"]
    assert 2 in [json.loads(event["data"])["samples_done"] for event in told if event["event"] == "progress"]
    ids = [int(event["id"]) for event in told]
    assert ids == sorted(set(ids))


def test_events_resume_after_the_last_one_that_arrived(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    seen = str(api.store.objects.version("acme", job["id"]))
    timer = later(api.compute, job["id"])
    told = events_of(caller.get(path_of(job, "/events"), headers={"Last-Event-ID": seen}).text)
    timer.join()
    assert json.loads(told[-1]["data"])["state"] == "succeeded"
    assert seen not in [event["id"] for event in told]


def test_events_of_an_ended_job_are_its_end(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    api.compute(job["id"])
    seen = {"Last-Event-ID": str(api.store.objects.version("acme", job["id"]))}
    for headers in ({}, seen):
        told = events_of(caller.get(path_of(job, "/events"), headers=headers).text)
        assert [json.loads(event["data"])["state"] for event in told] == ["succeeded"]
