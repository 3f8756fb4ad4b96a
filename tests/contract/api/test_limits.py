"""How often a tenant may ask, and how many jobs it may have: beyond that 429 and a time to come back."""

from dataclasses import replace
from typing import Any

import anyio
import pytest

from service.app import create_app
from service.edge.lanes import Lanes
from service.edge.security import new_key
from tests.contract.api.asgi import RudeClient
from tests.contract.api.conftest import Api
from tests.contract.api.matrix import GUARDED, send
from tests.contract.api.test_problems import problem_of
from tests.contract.test_api_documentation import operations
from tests.patience import PATIENCE_SECONDS


def too_many(answer: Any) -> int:
    """Retry-After of a 429."""
    problem_of(answer, "rate_limited")
    return int(answer.headers["retry-after"])


def test_a_tenant_that_asks_too_often_is_told_when_to_come_back(api: Api) -> None:
    slow = api.under(requests_per_second=0.0001, requests_burst=2)
    first, second, rival = slow.caller(), slow.caller(), slow.caller("rival")
    assert [caller.get("/v1/jobs").status_code for caller in (first, second)] == [200, 200]
    assert 10_000 - PATIENCE_SECONDS < too_many(first.get("/v1/jobs")) <= 10_000
    assert rival.get("/v1/jobs").status_code == 200


@pytest.mark.parametrize("call", GUARDED)
def test_every_call_under_v1_counts(api: Api, call: str) -> None:
    slow = api.under(requests_per_second=0.001, requests_burst=1)
    caller = slow.caller()
    caller.get("/v1/methods")
    too_many(send(caller, call))
    assert "rate_limited" in operations()[call]["responses"]["429"]["description"]


def test_an_address_that_keeps_failing_is_429_and_whoever_has_a_key_there_is_answered(api: Api) -> None:
    strict = api.under(failed_keys_per_minute=4)
    stranger, known = strict.stranger(), strict.caller()
    assert known.get("/v1/methods").status_code == 200
    headers = [
        {},
        {"Authorization": f"Bearer {new_key().text}"},
        {"Authorization": "Basic eA=="},
        {"Authorization": ""},
    ]
    for sent in headers:
        problem_of(stranger.get("/v1/methods", headers=sent), "unauthenticated")
    for sent in headers:
        assert 0 < too_many(stranger.post("/v1/jobs", headers=sent)) <= 15
    assert known.get("/v1/methods").status_code == 200
    assert strict.caller("a-tenant-that-comes-now").get("/v1/methods").status_code == 200
    lacking = strict.caller(scopes=())
    assert {lacking.get("/v1/jobs").status_code for _ in range(9)} == {403}, (
        "a valid key without a scope is no stranger's"
    )
    assert stranger.get("/healthz").status_code == 200


def test_what_asks_for_no_key_is_never_limited(api: Api) -> None:
    slow = api.under(requests_per_second=0.001, requests_burst=1)
    caller = slow.caller()
    caller.get("/v1/methods")
    assert {caller.get("/healthz").status_code for _ in range(5)} == {200}
    assert caller.get("/metrics").status_code == 200
    assert {slow.stranger().get("/v1/jobs").status_code for _ in range(5)} == {401}


def test_a_tenant_with_as_many_live_jobs_as_it_may_have_starts_no_other(api: Api) -> None:
    full = api.under(live_jobs=1)
    caller = full.caller()
    job, audit = full.a_job_request(caller), full.an_audit_request(caller)
    made = caller.post("/v1/jobs", json=job).json()
    assert too_many(caller.post("/v1/jobs", json=job)) > 0
    assert too_many(caller.post("/v1/audits", json=audit)) > 0
    assert caller.post(f"/v1/jobs/{made['id']}/cancel").status_code == 202
    assert caller.post("/v1/audits", json=audit).status_code == 202


def while_one_waits(api: Api, places: int, job: str, key: dict[str, str], asked: list[RudeClient]) -> list[int]:
    """Asks of a server with so few places while one request waits for a job, and the first again when it is gone."""
    parts = api.app.state.parts
    app = create_app(parts.settings, parts.store, parts.library, most_requests=places)

    async def crowd() -> list[int]:
        waits = RudeClient("GET", f"/v1/jobs/{job}", key | {"Prefer": "wait=60"}, [b""], PATIENCE_SECONDS, True)
        met = anyio.Event()
        waits.while_waiting = met.set
        async with anyio.create_task_group() as group:
            group.start_soon(waits.call, app)
            await met.wait()
            seen = [await one.call(app) for one in asked]
            group.cancel_scope.cancel()
        return [*seen, await RudeClient("GET", asked[0].path, asked[0].headers).call(app)]

    return anyio.run(crowd)


def bearer(api: Api, tenant: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {api.key(tenant)}"}


def test_a_crowded_server_says_so_as_a_problem_and_can_still_be_watched(api: Api) -> None:
    key, job = bearer(api, "lab"), api.a_job(api.caller("lab"))
    second, watcher = (RudeClient("GET", path, key) for path in ("/v1/jobs", "/healthz"))
    assert while_one_waits(api, 1, job["id"], key, [second, watcher]) == [503, 200, 200]
    assert b'"unavailable"' in second.body
    assert (b"retry-after", b"2") in second.received[0]["headers"]


def test_one_tenants_waits_leave_places_for_others(api: Api) -> None:
    greedy, other = (bearer(api, tenant) for tenant in ("greedy", "other"))
    job = api.a_job(api.caller("greedy"))
    second, neighbor = (RudeClient("GET", "/v1/jobs", key) for key in (greedy, other))
    assert while_one_waits(api, 4, job["id"], greedy, [second, neighbor]) == [429, 200, 200]
    assert b'"rate_limited"' in second.body
    assert b"of this tenant" in second.body


class NotedLanes(Lanes):
    """Lanes that remember who ran in them."""

    def __init__(self) -> None:
        super().__init__()
        self.tenants: list[str] = []

    async def run(self, tenant: str, call: Any) -> Any:
        self.tenants.append(tenant)
        return await super().run(tenant, call)


def test_what_reads_uploads_and_results_runs_in_the_lane_of_its_tenant(api: Api) -> None:
    noted, apart = NotedLanes(), api.under()
    apart.app.state.parts = replace(apart.app.state.parts, lanes=noted)
    caller = apart.caller("long")
    audit, job = apart.an_audit(caller), apart.a_job(caller)
    assert noted.tenants == ["long"] * 4, "two uploads of samples, an audit, a job"
    apart.compute(job["id"])
    assert caller.get(f"/v1/jobs/{job['id']}/adversarials").status_code == 200
    assert caller.get(f"/v1/audits/{audit['id']}").status_code == caller.get("/v1/jobs").status_code == 200
    assert noted.tenants == ["long"] * 5
