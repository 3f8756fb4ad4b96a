"""A model behind HTTP, audited by a real probe worker: the same numbers as in process, and an honest end when it fails.

Real Redis, real Celery, a real runner, and a server on loopback that counts for itself.
"""

import base64
import io
import json
import os
import threading
import time

import httpx2
import numpy as np
import pytest
import redis

from tests.e2e.machine import DIGITS, Machine
from tests.endpoints_for_tests import FAST
from tests.patience import PATIENCE_SECONDS, until
from tests.served import rows_of, sends

pytestmark = pytest.mark.slow

CANARY = "canary-9b1e"
KEY = base64.urlsafe_b64encode(os.urandom(32)).decode()
BYTES = {"Content-Type": "application/octet-stream"}
DIGIT = {"kind": "endpoint", "input": {"shape": [1, 8, 8]}, "output": {"kind": "logits", "classes": 10}}
ATTACK = {"method": {"name": "square"}, "budget": {"queries_per_sample": 300}, "samples": {"limit": 6}, "seed": 3}
WALK = {"method": {"name": "hopskipjump"}, "budget": {"queries_per_sample": 400}, "samples": {"limit": 3}, "seed": 4}
LEARN = {
    "method": {"name": "substitute", "oracle_queries": 120, "seed_rows": 80, "held_out": 20, "rounds": 1}
    | {"attack": "pgd", "settings": {"steps": 5, "restarts": 1, "search_steps": 4}},
    "samples": {"limit": 6},
    "seed": 6,
}
SMOOTH = {"method": {"name": "smoothing", "n0": 20, "n": 200}, "samples": {"limit": 4}, "seed": 5}


@pytest.fixture(autouse=True)
def well_behaved(served_digits):
    yield
    served_digits.script.clear()
    served_digits.always = served_digits.answers


def description(server, **change):
    return {"url": server.url, "protocol": "open_inference_v2", "limits": FAST} | DIGIT | change


# Through the front door, as `brinell up` runs it.


@pytest.fixture(scope="module")
def api(installation):
    headers = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx2.Client(base_url=installation.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture(scope="module")
def uploads(api, served_digits):
    """The same model twice, in process and behind HTTP; and samples."""
    wait = {"Prefer": "wait=60"}
    here = api.post("/v1/models", content=(DIGITS / "model.onnx").read_bytes(), headers=BYTES | wait)
    there = api.post(
        "/v1/models",
        json=description(served_digits, auth={"type": "header", "name": "X-Api-Key", "value": CANARY}),
        headers=wait,
    )
    samples = api.post("/v1/samples", content=(DIGITS / "samples.npz").read_bytes(), headers=BYTES)
    assert [answer.status_code for answer in (here, there, samples)] == [201, 201, 201], there.text
    return here.json(), there.json(), samples.json()


def ended(api, model, samples, request):
    """(job, findings, adversarial points)"""
    asked = {"model_id": model["id"], "samples_id": samples["id"], **request}
    job = api.post("/v1/jobs", json=asked)
    assert job.status_code == 202, job.text
    where = f"/v1/jobs/{job.json()['id']}"
    while (job := api.get(where, headers={"Prefer": "wait=30"}).json())["state"] in ("queued", "running"):
        pass
    points = np.load(io.BytesIO(api.get(f"{where}/adversarials").content))
    return job, api.get(f"{where}/findings").json()["items"], {name: points[name].tobytes() for name in points}


def test_a_registered_endpoint_says_what_its_probe_saw_and_not_its_secret(api, uploads, served_digits):
    _, card, _ = uploads
    assert (card["state"], card["offers"]) == ("ready", ["labels", "scores"])
    assert card["probe"] == {"max_batch": 32, "deterministic": True, "decimals": None}
    assert card["credential"]["set"] is True
    assert CANARY not in api.get("/v1/models").text
    assert served_digits.headers[-1]["X-Api-Key"] == CANARY


def test_an_endpoint_that_answers_by_name_is_asked_with_labels_by_name(api, uploads, served_digits):
    here, *_ = uploads
    names = ["nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

    def by_name(handler, body):
        words = [names[column] for column in served_digits.answer(rows_of(json.loads(body))).argmax(axis=1)]
        tensor = {"name": "y", "datatype": "BYTES", "shape": [len(words)], "data": words}
        handler.send(200, json.dumps({"outputs": [tensor]}).encode())

    served_digits.always = by_name
    body = description(served_digits, output={"kind": "labels", "classes": names})
    there = api.post("/v1/models", json=body, headers={"Prefer": "wait=60"})
    assert there.status_code == 201 and there.json()["classes_named"] == names, there.text
    digits, file = np.load(DIGITS / "samples.npz"), io.BytesIO()
    np.savez(file, x=digits["x"], y=np.array(names)[digits["y"]])
    words = api.post("/v1/samples", content=file.getvalue(), headers=BYTES).json()
    assert words["label_values"] == sorted(names)
    job, findings, _ = ended(api, there.json(), words, SMOOTH)
    assert [finding["label"] for finding in findings] == digits["y"][:4].tolist()
    assert job["summary"]["clean_accuracy"]["value"] == 1
    refused = {"model_id": here["id"], "samples_id": words["id"], **SMOOTH}
    assert api.post("/v1/jobs", json=refused).json()["code"] == "label_out_of_range", "that model tells no names"


@pytest.mark.parametrize("request_", [ATTACK, WALK, SMOOTH], ids=["square", "hopskipjump", "smoothing"])
def test_an_endpoint_gives_the_numbers_of_the_same_model_in_process(api, uploads, served_digits, request_):
    here, there, samples = uploads
    rows, calls = served_digits.rows, served_digits.calls
    job, *remote = ended(api, there, samples, request_)
    assert job["state"] == "succeeded", job["error"]
    assert job["summary"]["queries"]["total"] == served_digits.rows - rows
    assert job["summary"]["queries"]["http_calls"] == served_digits.calls - calls
    in_process, *local = ended(api, here, samples, request_)
    assert remote == local
    assert job["summary"]["queries"] | {"http_calls": 0} == in_process["summary"]["queries"]


def test_a_row_that_is_asked_three_times_costs_three_queries_and_finds_the_same_of_who_answers_alike(
    api, uploads, served_digits
):
    here, there, samples = uploads
    once, findings, points = ended(api, here, samples, ATTACK)
    rows, calls = served_digits.rows, served_digits.calls
    job, thrice, same = ended(api, there, samples, ATTACK | {"budget": {"queries_per_sample": 900, "repeats": 3}})
    assert (job["state"], job["request"]["budget"]["repeats"]) == ("succeeded", 3), job["error"]
    assert job["summary"]["queries"]["total"] == served_digits.rows - rows == 3 * once["summary"]["queries"]["total"]
    assert job["summary"]["queries"]["http_calls"] == served_digits.calls - calls
    assert [(f["kind"], f["value"], f["queries"]) for f in thrice] == [
        (f["kind"], f["value"], 3 * f["queries"]) for f in findings
    ]
    assert same == points
    assert list(job["summary"]["success_at_queries"]) == ["100", "250", "500", "900"]
    assert job["summary"]["success_at_queries"]["900"] == job["summary"]["success_rate"]
    assert all(len(f["details"]["curve"]) <= 32 and f["details"]["curve"][-1][1] == f["value"] for f in thrice)


def test_a_substitute_learned_of_an_endpoint_is_that_of_the_same_model_in_process(api, uploads, served_digits):
    """Rows that were asked to learn from, and those of the samples, are what arrived; and nothing else did."""
    here, there, samples = uploads
    rows, request = served_digits.rows, LEARN | {"auxiliary_samples_id": samples["id"]}
    job, *remote = ended(api, there, samples, request)
    assert job["state"] == "succeeded", job["error"]
    summary = job["summary"]
    assert summary["prepare"]["queries"] == 116
    assert summary["prepare"]["queries"] + summary["queries"]["total"] == served_digits.rows - rows
    assert "auxiliary_overlap" in summary["warnings"]
    in_process, *local = ended(api, here, samples, request)
    assert remote == local
    spent = [each["summary"]["prepare"] | {"seconds": 0} for each in (job, in_process)]
    assert spent[0] == spent[1]


REFUSED = {
    "HTML": (sends(200, b"<html>canary-9b1e</html>", Content_Type="text/html"), "endpoint_bad_response"),
    "a shape": (sends(200, b'{"outputs": [{"shape": [1, 9], "data": [1,2,3,4,5,6,7,8,9]}]}'), "endpoint_bad_response"),
    "NaN": (sends(200, b'{"outputs": [{"shape": [1, 10], "data": [NaN,1,2,3,4,5,6,7,8,9]}]}'), "endpoint_bad_response"),
    "500": (sends(500, CANARY.encode()), "endpoint_unavailable"),
    "nothing": (lambda handler, _: None, "endpoint_unavailable"),
}


@pytest.mark.parametrize(("exchange", "code"), REFUSED.values(), ids=REFUSED)
def test_an_endpoint_that_answers_something_else_is_refused_with_the_code(api, served_digits, exchange, code):
    served_digits.always = exchange
    impatient = FAST | ({"timeout_seconds": 0.2} if code == "endpoint_unavailable" else {})
    asked = description(served_digits, limits=impatient)
    answer = api.post("/v1/models", json=asked, headers={"Prefer": "wait=60"})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    card = api.get(f"/v1/models/{answer.json()['model_id']}").json()
    assert (card["state"], card["refusal"]["code"]) == ("refused", code)
    assert CANARY not in answer.text + str(card)


def test_gradients_are_not_to_be_had(api, uploads):
    _, there, samples = uploads
    asked = {"model_id": there["id"], "samples_id": samples["id"], "method": {"name": "pgd"}}
    answer = api.post("/v1/jobs", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "access_too_weak")


def test_no_log_of_the_installation_knows_the_secret(installation, uploads):
    logs = list(installation._data.logs.glob("*.log"))
    assert {log.stem for log in logs} >= {"api", "worker", "probe"}
    assert all(CANARY not in log.read_text(errors="replace") for log in logs)


# One probe worker alone, to see how things end.


@pytest.fixture(scope="module")
def machine(valkey_url, tmp_path_factory, served_digits):
    origins = (served_digits.origin,)
    here = Machine(valkey_url, tmp_path_factory.mktemp("probe"), "probe", trusted_origins=origins, secret_keys=(KEY,))
    here.worker()
    yield here
    here.stop()


@pytest.fixture(scope="module")
def registered(machine, served_digits, tmp_path_factory):
    card = machine.register(**description(served_digits, auth={"type": "bearer", "token": CANARY}))
    assert card.state == "ready", card.refusal
    return card, machine.upload_samples(mislabelled(tmp_path_factory.mktemp("samples") / "samples.npz"))


def mislabelled(path):
    """Forty digits, every fourth of which is another one by its label: it is over as soon as it is met."""
    with np.load(DIGITS / "samples.npz") as npz:
        x, y = npz["x"][:40], npz["y"][:40]
    y[::4] = (y[::4] + 1) % 10
    np.savez(path, x=x, y=y)
    return path


def hangs_up(handler, _):
    handler.close_connection = True


ENDS = {  # what it does, the job's code, after how many rows, and how many samples are settled by then
    "dead": (hangs_up, "endpoint_unavailable", 2000, 5),
    "erring": (sends(500, CANARY.encode()), "endpoint_unavailable", 6000, 25),
    "lying": (sends(200, b'{"outputs": [{"shape": [1, 10], "data": [NaN]}]}'), "endpoint_bad_response", 2000, 5),
    "another": (sends(200, b"<html>canary-9b1e</html>", Content_Type="text/html"), "endpoint_bad_response", 6000, 25),
}


@pytest.mark.parametrize(("exchange", "code", "rows", "settled"), ENDS.values(), ids=ENDS)
def test_a_job_whose_endpoint_fails_ends_with_the_code_and_keeps_its_findings(
    machine, registered, served_digits, exchange, code, rows, settled
):
    begun = served_digits.rows

    def fails_later(handler, body):
        (exchange if served_digits.rows - begun > rows else served_digits.answers)(handler, body)

    served_digits.always = fails_later
    job = machine.submit(*registered, ATTACK | {"samples": {"limit": 40}}, chunk_size=20)
    job = machine.ended(job)
    assert (job.state, job.error.code) == ("failed", code)
    assert CANARY not in job.error.detail
    findings = machine.findings(job)
    assert len(findings) == job.progress.samples_done == settled
    assert job.progress.queries == sum(finding.queries for finding in findings)
    for finding in findings:
        assert finding.kind != "upper_bound" or finding.index in machine.adversarials(job)


def test_a_cancelled_job_stops_calling(machine, registered, served_digits):
    calls = served_digits.calls
    job = machine.submit(*registered, ATTACK | {"budget": {"queries_per_sample": 10_000_000}}, chunk_size=2)
    until(lambda: served_digits.calls > calls + 100, what="a hundred calls")
    machine.cancel(job)
    assert machine.ended(job).state == "cancelled"
    calls = served_digits.calls
    time.sleep(0.5)
    assert served_digits.calls == calls


@pytest.mark.parametrize("how", ["hanging", "asking to wait"])
def test_a_job_cancelled_while_its_endpoint_keeps_it_waiting_keeps_its_findings(machine, served_digits, tmp_path, how):
    """It ends while it is still kept waiting."""
    over = threading.Event()
    ways = {"hanging": lambda *_: over.wait(PATIENCE_SECONDS), "asking to wait": sends(429, b"", Retry_After="300")}
    card = machine.register(**description(served_digits, limits=FAST | {"timeout_seconds": 120.0}))
    samples = machine.upload_samples(mislabelled(tmp_path / "samples.npz"))
    begun, held = served_digits.rows, []

    def keeps_waiting_later(handler, body):
        if served_digits.rows - begun <= 2000:
            return served_digits.answers(handler, body)
        held.append(body)
        return ways[how](handler, body)

    served_digits.always = keeps_waiting_later
    job = machine.submit(card, samples, ATTACK | {"samples": {"limit": 20}}, chunk_size=20)
    until(lambda: held, what="a request that is kept waiting")
    machine.cancel(job)
    ended = machine.ended(job)
    over.set()
    with redis.Redis.from_url(machine.settings.redis_url) as server:
        server.delete(f"{{brinell}}:origin:{served_digits.origin}")  # the wait it asked for keeps everyone from it
    assert ended.state == "cancelled"
    assert len(machine.findings(job)) == 5  # those that are wrong by their label


def test_an_endpoint_that_answers_slowly_is_not_registered(machine, served_digits):
    served_digits.always = lambda handler, _: None
    card = machine.register(**description(served_digits, limits=FAST | {"timeout_seconds": 0.2}))
    assert (card.state, card.refusal.code) == ("refused", "endpoint_unavailable")


def test_a_secret_of_another_model_is_not_used(machine, served_digits):
    calls = served_digits.calls
    asked = description(served_digits, auth={"type": "bearer", "token": CANARY})
    card = machine.register(**asked, sealed_for="mdl_another")
    assert (card.state, card.refusal.code) == ("refused", "endpoint_unavailable")
    assert served_digits.calls == calls


def test_no_log_of_the_worker_knows_the_secret(machine):
    assert CANARY not in machine.log.read_text()
