"""A model behind HTTP, audited by a real probe worker: the same numbers as in process, and an honest end when it fails.

Real Redis, real Celery, a real runner, and a server on loopback that counts for itself.
"""

import base64
import os

import pytest

from models.onnx.classifier import OnnxClassifier
from models.onnx.gate import check
from models.onnx.network import read
from tests.e2e.machine import DIGITS, Machine
from tests.endpoints_for_tests import FAST
from tests.served import ServedModel

pytestmark = pytest.mark.slow

CANARY = "canary-9b1e"
KEY = base64.urlsafe_b64encode(os.urandom(32)).decode()
DIGIT = {"input": {"shape": [1, 8, 8]}, "output": {"kind": "logits", "classes": 10}}
ATTACK = {"method": {"name": "square"}, "budget": {"queries_per_sample": 300}, "samples": {"limit": 6}, "seed": 3}


@pytest.fixture(scope="module")
def digits():
    network = read(check((DIGITS / "model.onnx").read_bytes()), None)
    return OnnxClassifier(network, None, "cpu")


@pytest.fixture(scope="module")
def server(digits):
    with ServedModel(digits.scores) as served:
        yield served


@pytest.fixture(scope="module")
def machine(valkey_url, tmp_path_factory, server):
    here = Machine(
        valkey_url, tmp_path_factory.mktemp("probe"), "probe", trusted_origins=(server.origin,), secret_keys=(KEY,)
    )
    here.worker()
    yield here
    here.stop()


@pytest.fixture(autouse=True)
def well_behaved(server):
    yield
    server.script.clear()
    server.always = server.answers


def registered(machine, server, **change):
    request = {"url": server.url, "protocol": "open_inference_v2", "limits": FAST} | DIGIT
    return machine.register(**request | change)


def test_an_endpoint_is_probed_and_attacked_and_both_ledgers_agree(machine, server):
    card = registered(machine, server, auth={"type": "bearer", "token": CANARY})
    assert card.state == "ready", card.refusal
    assert card.probe is not None
    assert (card.probe.deterministic, card.probe.max_batch, card.offers) == (True, 32, ("labels", "scores"))
    assert server.headers[-1]["Authorization"] == f"Bearer {CANARY}"
    samples = machine.upload_samples()
    rows, calls = server.rows, server.calls
    job = machine.ended(machine.submit(card, samples, ATTACK, chunk_size=3), seconds=60)
    assert job.state == "succeeded", job.error
    assert job.summary.queries.total == server.rows - rows
    assert job.summary.queries.http_calls == server.calls - calls
    assert CANARY not in machine.log.read_text()
