"""A property from its text to its answer; the tests play the worker."""

import io
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from jobs.result import ChunkResult
from jobs.work.lease import Commit, PropertyLease
from models.cards import Inspection, ModelInput, ModelOutput, Reads
from models.properties.terms import TEXT
from tests.contract.api.conftest import BOX, PROPERTY, SHAPE, Api
from tests.contract.api.matrix import UNKNOWN
from tests.contract.api.test_problems import problem_of
from workers.work import decide
from workers.work.decide import PropertyDecided


def ask(caller: TestClient, model_id: str, text: str | bytes = PROPERTY, **more: Any) -> Any:
    return caller.post(f"/v1/properties?model_id={model_id}", content=text, **more)


def a_property(api: Api, caller: TestClient, text: str = PROPERTY) -> dict[str, Any]:
    answer = ask(caller, api.a_ready_model(caller)["id"], text)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def answered(answer: Any, **change: Any) -> PropertyDecided:
    """What a runner says: a sat with its witness, or another answer without."""
    is_sat = answer == "sat"
    facts: dict[str, Any] = {
        "answer": answer,
        "reason": None,
        "domains": 7,
        "inputs": np.full(SHAPE[0] if is_sat else 0, 0.5, np.float32),
        "outputs": np.arange(3 if is_sat else 0, dtype=np.float32),
        "was_cancelled": False,
        "seconds": 1.5,
    }
    return PropertyDecided(**(facts | change))


def decided(api: Api, job_id: str, answer: PropertyDecided) -> None:
    """What the kind of work makes of it."""
    lease = api.lease(job_id)
    assert isinstance(lease, PropertyLease)
    point = decide.witness(answer, lease)
    assert point is None or point.shape == lease.spec.shape
    file = None if point is None else decide.outcomes.points_file(decide.LINE, point[None], decide.LABEL)
    digest = None if file is None else api.store.holdings.put(lease.tenant, lease.subject_id, file)
    result = ChunkResult(findings=(decide.finding(answer),), adversarials=digest, device="cpu", isolation="basic")
    assert api.store.leases.commit(lease, Commit(fields={"details": decide.told(answer)}, result=result))


@pytest.mark.parametrize(
    ("answer", "kind"), [("sat", "upper_bound"), ("unsat", "lower_bound"), ("timeout", "abstained")]
)
def test_a_property_is_a_job_whose_details_are_the_answer(api: Api, caller: TestClient, answer: str, kind: str) -> None:
    job = a_property(api, caller)
    assert job["state"] == "queued" and job["details"] is None and "samples" not in job["links"]
    assert job["method"] == {"name": "property", "version": "1", "params": {}}
    assert job["request"]["property"]["size_bytes"] == len(PROPERTY) and job["request"]["seconds"] == 300
    assert caller.get("/v1/jobs").json()["items"] == [job]
    decided(api, job["id"], answered(answer))
    ended = caller.get(job["links"]["self"]).json()
    assert ended["state"] == "succeeded" and ended["details"] == {"answer": answer, "domains": 7}
    assert ended["summary"]["counts"] == {kind: 1} and ended["summary"]["labels"] is None
    (finding,) = caller.get(job["links"]["findings"]).json()["items"]
    assert (finding["kind"], finding["details"]["answer"], finding["value"]) == (kind, answer, None)
    assert caller.get(f"{job['links']['findings']}/0").json() == finding | {"curve_seconds": None}
    with np.load(io.BytesIO(caller.get(job["links"]["adversarials"]).content)) as points:
        assert points["x"].tolist() == [[0.5] * SHAPE[0]] * (answer == "sat")


def test_it_is_polled_as_a_job_is(api: Api, caller: TestClient) -> None:
    job = a_property(api, caller)
    seen = caller.get(job["links"]["self"])
    again = caller.get(job["links"]["self"], headers={"If-None-Match": seen.headers["etag"]})
    assert again.status_code == 304
    decided(api, job["id"], answered("unsat"))
    assert caller.get(job["links"]["self"], headers={"If-None-Match": seen.headers["etag"]}).status_code == 200
    assert "event: state" in caller.get(job["links"]["events"]).text


def test_it_is_cancelled_and_deleted_as_a_job_is(api: Api, caller: TestClient) -> None:
    job = a_property(api, caller)
    assert problem_of(caller.delete(job["links"]["model"]), "in_use").status == 409
    assert caller.post(job["links"]["cancel"]).json()["state"] == "cancelled"
    assert caller.delete(job["links"]["model"]).status_code == 204
    assert caller.delete(job["links"]["self"]).status_code == 204
    assert caller.get(job["links"]["self"]).status_code == 404
    assert caller.get("/v1/usage").json()["stored_bytes"]["used"] == 0


def test_its_text_is_kept_while_it_is_there_and_what_is_refused_is_not(api: Api, caller: TestClient) -> None:
    job = a_property(api, caller)
    digest = job["request"]["property"]["sha256"]
    assert api.library.get(digest).decode() == PROPERTY
    used = caller.get("/v1/usage").json()
    assert ask(caller, job["request"]["model_id"], "(assert").status_code == 422
    assert caller.get("/v1/usage").json() == used
    assert api.incoming() == []


def test_the_same_key_asks_once_and_another_text_with_it_is_refused(api: Api, caller: TestClient) -> None:
    model_id, once = api.a_ready_model(caller)["id"], {"Idempotency-Key": "one"}
    first = ask(caller, model_id, headers=once)
    again = ask(caller, model_id, headers=once)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    other = ask(caller, model_id, PROPERTY + "; another\n", headers=once)
    assert problem_of(other, "idempotency_key_reused").status == 422
    assert len(caller.get("/v1/jobs").json()["items"]) == 1


REFUSED: dict[str, tuple[str | bytes, str, str]] = {
    "no statement": ("sat\n", "invalid_request", "line 1"),
    "half a text": (PROPERTY.rstrip()[:-1], "invalid_request", "line 9"),
    "nothing wanted": (BOX, "invalid_request", "condition on outputs"),
    "nothing at all": ("", "invalid_request", "condition on outputs"),
    "an input too many": (PROPERTY + "(assert (<= X_4 1))", "shape_mismatch", "takes 4 numbers"),
    "an output too many": (BOX + "(assert (<= Y_3 1))", "shape_mismatch", "gives out 3 numbers"),
    "an input too few": (PROPERTY.replace("X_3", "X_2"), "invalid_request", "number 3 is not"),
    "no text": (b"\xff\xfe\x00", "invalid_request", "UTF-8"),
    "a huge number": (BOX + "(assert (<= Y_0 1e400))", "invalid_request", "finite"),
    "deep": (BOX + "(assert " + "(and " * 40 + "(<= Y_0 1)" + ")" * 41, "invalid_request", "32 deep"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_text_that_is_none_is_refused_with_its_place(api: Api, caller: TestClient, name: str) -> None:
    text, code, words = REFUSED[name]
    problem = problem_of(ask(caller, api.a_ready_model(caller)["id"], text), code)
    assert problem.status == 422 and words in problem.detail
    assert caller.get("/v1/jobs").json()["items"] == []


def found(**change: Any) -> Inspection:
    facts: dict[str, Any] = {
        "input": ModelInput(name="x", dtype="float32", shape=SHAPE, batch=None),
        "output": ModelOutput(name="y", classes=3, kind="logits"),
        "reads": Reads(output="y", as_="logits", because="graph"),
        "opset": 18,
        "offers": (),
    }
    return Inspection(**(facts | change))


UNFIT = {
    "labels": (found(output=ModelOutput(name="y", classes=3, kind="labels")), "access_too_weak"),
    "halves": (found(input=ModelInput(name="x", dtype="float16", shape=SHAPE, batch=None)), "unsupported_signature"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_model_that_no_property_is_about_is_refused(api: Api, caller: TestClient, name: str) -> None:
    inspection, code = UNFIT[name]
    model = api.a_model(caller)
    api.inspect(model["id"], inspection)
    assert problem_of(ask(caller, model["id"]), code).status == 422


def test_one_number_a_row_is_one_output(api: Api, caller: TestClient) -> None:
    model = api.a_model(caller)
    output = ModelOutput(name="y", classes=2, kind="logits")
    api.inspect(model["id"], found(output=output, reads=Reads(output="y", as_="logit", because="graph")))
    assert problem_of(ask(caller, model["id"], BOX + "(assert (<= Y_1 1))"), "shape_mismatch").status == 422
    assert ask(caller, model["id"], BOX + "(assert (<= Y_0 1))").status_code == 202


def test_an_endpoint_has_no_graph(api: Api, caller: TestClient) -> None:
    model = api.an_endpoint(caller)
    api.inspect(model["id"], found(opset=None))
    assert "upload the ONNX file" in problem_of(ask(caller, model["id"]), "access_too_weak").detail


def test_a_model_that_is_not_ready_or_not_there_is_told_apart(api: Api, caller: TestClient) -> None:
    assert problem_of(ask(caller, api.a_model(caller)["id"]), "model_not_ready").status == 409
    theirs = api.a_ready_model(api.caller("rival"))["id"]
    unknown = problem_of(ask(caller, UNKNOWN["model_id"]), "not_found")
    assert unknown.detail == problem_of(ask(caller, theirs), "not_found").detail


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_seconds_are_a_number_above_zero(api: Api, caller: TestClient, seconds: str) -> None:
    model_id = api.a_ready_model(caller)["id"]
    assert problem_of(ask(caller, f"{model_id}&seconds={seconds}"), "invalid_request").status == 422


def test_what_is_no_text_or_too_long_is_not_taken(api: Api, caller: TestClient) -> None:
    model_id = api.a_ready_model(caller)["id"]
    form = ask(caller, model_id, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert problem_of(form, "media_type").status == 415
    wide = api.under(max_upload_bytes=4 * TEXT).caller()
    assert problem_of(ask(wide, model_id, " " * (TEXT + 1)), "body_too_large").status == 413


def test_what_a_runner_says_is_believed_only_where_it_has_the_numbers_of_the_model(
    api: Api, caller: TestClient
) -> None:
    lease = api.lease(a_property(api, caller)["id"])
    assert isinstance(lease, PropertyLease)
    for wrong in (
        answered("sat", inputs=np.zeros(5, np.float32)),
        answered("sat", outputs=np.zeros(2, np.float32)),
        answered("unsat", inputs=np.zeros(4, np.float32)),
    ):
        with pytest.raises(decide.FrameError):
            decide.witness(wrong, lease)
