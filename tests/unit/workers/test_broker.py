"""Only what we send is taken from the broker's lists."""

import base64
import copy
import json

import pytest
from kombu.transport.redis import Transport

from workers.app import app
from workers.broker import is_ours

HEADERS = {"task": "run_chunk", "id": "a", "eta": None, "expires": None, "retries": 0, "timelimit": [None, None]}
PROPERTIES = {
    "correlation_id": "a",
    "delivery_info": {"exchange": "", "routing_key": "compute"},
    "delivery_tag": "b",
    "body_encoding": "base64",
}
NOTHING = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def body(*said):
    return base64.b64encode(json.dumps(said).encode()).decode()


OURS = {
    "body": body(["job_a", 0], {}, NOTHING),
    "content-type": "application/json",
    "content-encoding": "utf-8",
    "headers": HEADERS,
    "properties": PROPERTIES,
}


def changed(path, value):
    message = copy.deepcopy(OURS)
    *folders, name = path.split(".")
    place = message
    for folder in folders:
        place = place[folder]
    place[name] = value
    return message


def without(name):
    return {key: value for key, value in OURS.items() if key != name}


def test_a_wake_up_call_is_ours_whatever_celery_adds_to_it():
    assert is_ours(OURS)
    assert is_ours(changed("headers.origin", "gen7@host"))


CHANGES = [
    ("headers.task", "another"),
    ("headers.task", ["run_chunk"]),
    ("headers.eta", "2099-01-01T00:00:00"),
    ("headers.expires", 1),
    ("headers.timelimit", "ab"),
    ("headers.retries", "x"),
    ("headers", None),
    ("content-type", "application/x-python-serialize"),
    ("content-encoding", "binary"),
    ("properties", {}),
    ("properties.delivery_tag", None),
    ("properties.delivery_info", "compute"),
    ("properties.body_encoding", "hex"),
    ("body", None),
    ("body", "not base64!"),
    ("body", base64.b64encode(b"\xff\xfe").decode()),
    ("body", base64.b64encode(b"[" * 100_000).decode()),
    ("body", body(["job_a", 0])),
    ("body", body(["job_a"], {}, NOTHING)),
    ("body", body(["job_a", "0"], {}, NOTHING)),
    ("body", body(["job_a", 0.5], {}, NOTHING)),
    ("body", body(["job_a", -1], {}, NOTHING)),
    ("body", body(["job_a", 10**30], {}, NOTHING)),
    ("body", body(["job_a:chunks", 0], {}, NOTHING)),
    ("body", body(["x" * 1_000_000, 0], {}, NOTHING)),
    ("body", body(["job_a", 0], {"more": 1}, NOTHING)),
    ("body", body(["job_a", 0], {}, NOTHING | {"chain": [{"task": "run_chunk"}]})),
]


@pytest.mark.parametrize(("path", "value"), CHANGES, ids=[f"{path}-{n}" for n, (path, _) in enumerate(CHANGES)])
def test_what_has_another_form_is_not(path, value):
    assert not is_ours(changed(path, value))


@pytest.mark.parametrize("message", [None, 1, "text", [], {}, without("body"), without("headers")], ids=repr)
def test_neither_is_what_is_no_message(message):
    assert not is_ours(message)


def test_a_silent_broker_is_waited_for_but_not_for_ever():
    waits = app.conf.broker_transport_options["socket_timeout"]
    assert Transport.brpop_timeout < waits <= 10
