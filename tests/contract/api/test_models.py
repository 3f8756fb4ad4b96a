"""A model from its upload to its end."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.kinds import KINDS, UPLOADED, ModelKind
from service.wire.waiting import LONGEST_SECONDS
from tests.contract.api.conftest import ENDPOINT, ONNX, Api
from tests.contract.api.test_problems import problem_of
from tests.patience import until

WAIT = {"Prefer": f"wait={LONGEST_SECONDS}"}


def as_a_worker(api: Api, caller: TestClient, act: Any) -> threading.Thread:
    """Does `act(model_id)` as soon as a model waits for its inspection."""

    def work() -> None:
        (model, *_) = until(lambda: caller.get("/v1/models").json()["items"], what="a model")
        act(model["id"])

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_an_upload_is_accepted_with_the_place_to_look(caller: TestClient) -> None:
    answer = caller.post("/v1/models?name=net", content=b"a model", headers=ONNX)
    assert answer.status_code == 202
    model = answer.json()
    assert answer.headers["location"] == f"/v1/models/{model['id']}"
    assert int(answer.headers["retry-after"]) >= 1
    assert (model["state"], model["name"], model["kind"]) == ("inspecting", "net", "onnx")
    assert caller.get(answer.headers["location"]).json() == model


def test_a_wait_ends_with_201_when_the_model_is_ready(api: Api, caller: TestClient) -> None:
    worker = as_a_worker(api, api.caller(), api.inspect)
    answer = caller.post("/v1/models", content=b"a model", headers=ONNX | WAIT)
    worker.join()
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == WAIT["Prefer"]
    assert answer.json()["offers"] == ["labels", "scores", "gradients"]


def test_a_wait_ends_with_422_and_the_id_when_the_model_is_refused(api: Api, caller: TestClient) -> None:
    worker = as_a_worker(api, api.caller(), lambda i: api.refuse(i, "shape_bomb", "Make it smaller."))
    answer = caller.post("/v1/models", content=b"a model", headers=ONNX | WAIT)
    worker.join()
    problem = problem_of(answer, "shape_bomb")
    assert problem.detail == "Make it smaller."
    assert problem.model_id is not None
    card = caller.get(f"/v1/models/{problem.model_id}").json()
    assert card["state"] == "refused"
    assert card["refusal"] == {"code": "shape_bomb", "detail": "Make it smaller."}


def test_a_wait_that_runs_out_is_202(caller: TestClient) -> None:
    answer = caller.post("/v1/models", content=b"a model", headers=ONNX | {"Prefer": "wait=1"})
    assert answer.status_code == 202
    assert answer.json()["state"] == "inspecting"


def test_preprocessing_becomes_part_of_the_card(caller: TestClient) -> None:
    said = '{"subtract": [0.1, 0.2], "divide": 2}'
    answer = caller.post("/v1/models", params={"preprocessing": said}, content=b"a model", headers=ONNX)
    assert answer.json()["preprocessing"] == {"subtract": [0.1, 0.2], "divide": 2.0}


@pytest.mark.parametrize(
    "said",
    [
        *("{", "[]", "[" * 9999, '{"times": 2}', '{"divide": 2, "divide": 3}'),
        *('{"divide": 0}', '{"divide": [1, 0.0]}', '{"divide": 1e-60}', '{"divide": NaN}', '{"subtract": 1e60}'),
        *('{"divide": "2"}', '{"divide": true}', '{"subtract": [1, "2"]}', '{"subtract": null}', '{"subtract": []}'),
    ],
)
def test_preprocessing_that_makes_no_sense_is_refused_before_the_upload(
    api: Api, caller: TestClient, said: str
) -> None:
    answer = caller.post("/v1/models", params={"preprocessing": said}, content=b"a model", headers=ONNX)
    problem_of(answer, "invalid_request")
    assert caller.get("/v1/models").json()["items"] == []


@pytest.mark.parametrize("output", [None, "logit", "probability", "decision", "label"])
def test_what_the_upload_tells_of_its_output_stands_on_the_card(caller: TestClient, output: str | None) -> None:
    told = {} if output is None else {"output": output}
    card = caller.post("/v1/models", params=told, content=b"a model", headers=ONNX).json()
    assert (card["output_told"], card["reads"]) == (output, None)


def test_a_model_is_ready_with_what_it_is_read_as(api: Api, caller: TestClient) -> None:
    found = api.a_model(caller)
    api.inspect(found["id"])
    reads = caller.get(f"/v1/models/{found['id']}").json()["reads"]
    assert reads == {"output": "y", "as": "logits", "because": "graph"}


def test_an_output_that_makes_no_sense_is_refused(caller: TestClient) -> None:
    problem_of(caller.post("/v1/models?output=magic", content=b"a model", headers=ONNX), "invalid_request")
    problem_of(caller.post("/v1/models?output=logit", json=ENDPOINT), "invalid_request")
    assert caller.get("/v1/models").json()["items"] == []


@pytest.mark.parametrize("kind", UPLOADED, ids=lambda kind: kind.name)
def test_only_a_kind_whose_numbers_may_be_unclear_is_told_what_they_are(caller: TestClient, kind: ModelKind) -> None:
    answer = caller.post(f"/v1/models?kind={kind.name}&output=logit", content=b"bytes", headers=ONNX)
    if kind.takes_output:
        assert answer.json()["output_told"] == "logit"
    else:
        problem_of(answer, "invalid_request")


@pytest.mark.parametrize("kind", ["magic", *(k.name for k in KINDS.values() if k not in UPLOADED)])
def test_kinds_that_do_not_come_as_bytes_are_not_uploaded(caller: TestClient, kind: str) -> None:
    problem_of(caller.post(f"/v1/models?kind={kind}", content=b"x", headers=ONNX), "invalid_request")


@pytest.mark.parametrize("kind", UPLOADED, ids=lambda kind: kind.name)
def test_an_upload_is_kept_as_its_kind_and_preprocessed_where_that_makes_sense(
    caller: TestClient, kind: ModelKind
) -> None:
    answer = caller.post(f"/v1/models?kind={kind.name}", content=b"bytes", headers=ONNX)
    assert (answer.status_code, answer.json()["kind"], answer.json()["state"]) == (202, kind.name, "inspecting")
    scaled = {"kind": kind.name, "preprocessing": '{"divide": 255}'}
    answer = caller.post("/v1/models", params=scaled, content=b"bytes", headers=ONNX)
    if kind.takes_preprocessing:
        assert answer.json()["preprocessing"] == {"subtract": 0.0, "divide": 255.0}
    else:
        problem_of(answer, "invalid_request")
    assert len(caller.get("/v1/models").json()["items"]) == 1 + kind.takes_preprocessing


def test_every_kind_stands_in_the_openapi_document(api: Api) -> None:
    document = api.app.openapi()
    assert document["components"]["schemas"]["ModelCard"]["properties"]["kind"]["enum"] == list(KINDS)
    (asked,) = (p for p in document["paths"]["/v1/models"]["post"]["parameters"] if p["name"] == "kind")
    assert asked["schema"]["enum"] == [kind.name for kind in UPLOADED]
    assert all(kind.summary in asked["description"] for kind in UPLOADED)


def test_verify_is_reserved(api: Api, caller: TestClient) -> None:
    problem_of(caller.post(f"/v1/models/{api.a_model(caller)['id']}/verify"), "not_available")


def test_the_same_key_and_upload_make_one_model(caller: TestClient) -> None:
    headers = ONNX | {"Idempotency-Key": '"3f0c"'}
    first = caller.post("/v1/models?name=net", content=b"a model", headers=headers)
    again = caller.post("/v1/models?name=net", content=b"a model", headers=headers | {"Idempotency-Key": "3f0c"})
    assert first.json()["id"] == again.json()["id"]
    other = caller.post("/v1/models?name=net", content=b"another model", headers=headers)
    problem_of(other, "idempotency_key_reused")
    assert len(caller.get("/v1/models").json()["items"]) == 1


def test_a_model_in_use_stays(api: Api, caller: TestClient) -> None:
    request = api.a_job_request(caller)
    job = caller.post("/v1/jobs", json=request).json()
    problem_of(caller.delete(f"/v1/models/{request['model_id']}"), "in_use")
    problem_of(caller.delete(f"/v1/samples/{request['samples_id']}"), "in_use")
    api.compute(job["id"])
    assert caller.delete(f"/v1/models/{request['model_id']}").status_code == 204
    problem_of(caller.get(f"/v1/models/{request['model_id']}"), "not_found")


def test_models_are_listed_newest_first_in_pages(api: Api, caller: TestClient) -> None:
    ids = [api.a_model(caller, b"model %d" % n)["id"] for n in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = caller.get("/v1/models", params={"limit": "2", **cursor}).json()
        seen += [item["id"] for item in page["items"]]
        cursor = {"cursor": page["next_cursor"]}
    assert page["next_cursor"] is None
    assert seen == ids[::-1]
