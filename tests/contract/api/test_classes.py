"""Jobs about classes through HTTP: without samples, and with findings, points and a page of queries."""

import io

import numpy as np
from fastapi.testclient import TestClient

from tests.contract.api.conftest import SHAPE, Api


def test_a_job_without_samples_is_taken_and_says_so(api: Api, caller: TestClient) -> None:
    body = {"model_id": api.a_ready_model(caller)["id"], "method": {"name": "input_free"}}
    for request in (body, body | {"samples_id": None}):
        answer = caller.post("/v1/jobs", json=request)
        assert answer.status_code == 202, answer.text
        job = answer.json()
        assert job["request"]["samples_id"] is None
        assert job["request"]["threat"]["box"] == [0.0, 1.0] and job["request"]["samples"] == {"limit": 3}
        assert "samples" not in job["links"]
        again = caller.post("/v1/jobs", json=job["request"])
        assert again.status_code == 202, again.text


def test_samples_are_refused_there_and_asked_for_elsewhere(api: Api, caller: TestClient) -> None:
    request = api.a_job_request(caller)
    with_some = caller.post("/v1/jobs", json=request | {"method": {"name": "input_free"}}).json()
    without = caller.post("/v1/jobs", json={name: value for name, value in request.items() if name != "samples_id"})
    assert (with_some["code"], with_some["errors"][0]["pointer"]) == ("invalid_request", "/samples_id")
    assert (without.json()["code"], without.json()["errors"][0]["pointer"]) == ("invalid_request", "/samples_id")
    assert "leave samples_id out" in with_some["detail"] and "give their samples_id" in without.json()["detail"]


def test_a_model_in_use_by_it_is_kept_and_its_points_outlive_it(api: Api, caller: TestClient) -> None:
    model = api.a_ready_model(caller)["id"]
    job = caller.post("/v1/jobs", json={"model_id": model, "method": {"name": "input_free"}}).json()
    assert caller.delete(f"/v1/models/{model}").json()["code"] == "in_use"
    api.compute(job["id"])
    assert caller.get(f"/v1/jobs/{job['id']}").json()["state"] == "succeeded"
    assert caller.delete(f"/v1/models/{model}").status_code == 204
    points = np.load(io.BytesIO(caller.get(f"/v1/jobs/{job['id']}/adversarials").content))
    assert points["x"].shape == (3, *SHAPE)


def test_the_list_of_methods_says_which_takes_no_samples(caller: TestClient) -> None:
    cards = {card["name"]: card for card in caller.get("/v1/methods").json()}
    assert {name for name, card in cards.items() if card["samples"] == "refused"} == {"input_free"}
    assert (cards["input_free"]["norms"], cards["input_free"]["goals"]) == ([], [])
    assert (cards["input_free"]["proves"], cards["input_free"]["epsilon"]) == ("fooled", "refused")


def test_no_audit_takes_it_and_says_why(api: Api, caller: TestClient) -> None:
    request = api.an_audit_request(caller)
    alone = caller.post("/v1/audits", json=request | {"recipe": ["input_free"]}).json()
    assert alone["errors"][0]["pointer"] == "/recipe" and "run it as a job" in alone["detail"]
    beside = caller.post("/v1/audits", json=request | {"recipe": ["pgd", "input_free"]}).json()
    assert [skipped["method"] for skipped in beside["skipped"]] == ["input_free"]
