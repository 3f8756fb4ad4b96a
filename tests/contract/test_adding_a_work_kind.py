"""docs/adding-a-work-kind.md, followed to the letter: one file, and a real worker makes a model by it."""

import json
from textwrap import indent
from typing import Any

import pytest
import redis

from tests.following import Copy
from tests.pages import a_work_kind, blocks
from tests.patience import PATIENCE_SECONDS

ADDED = a_work_kind()
NAME = ADDED.name
_, CALL = blocks("adding-a-work-kind.md", "python")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(PATIENCE_SECONDS)]

MAKING = '''
"""A preprocessed upload, and the model that a supervisor and its runner make of it."""

import hashlib
import json
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from algorithms.errors import Conflict, NotFound
from jobs.installation.settings import Settings
from jobs.store.names import new_id
from jobs.store.store import Store
from models.cards import ModelCard, Preprocessing, SamplesCard
from models.library import Library
from models.opening import open_model
from models.samples import inspect_samples
from tests.jobs_for_tests import NotedQueue, inspected
from workers.supervisor.runner_process import RunnerProcess
from workers.supervisor.spare import Runners
from workers.supervisor.supervisor import Supervisor
from workers.work.bake import BakeModel

url, folder = sys.argv[1:]
settings = Settings(redis_url=url, library=f"file://{folder}/library", lease_seconds=3.0)
library = Library(settings.library)
queue = NotedQueue(url)
store = Store(settings, queue, library)
runners = Runners(lambda: RunnerProcess(memory_bytes=None), tenants=1)
supervisor = Supervisor(settings, store=store, library=library, runners=runners)
tenant, upload = "lab", open("examples/digits/model.onnx", "rb").read()
left = None
rows = np.load("examples/digits/samples.npz")["x"].astype(np.float32)
halved = Preprocessing(subtract=[float(rows.mean(dtype=np.float64))], divide=0.5)


def card_of(data, **facts):
    digest = hashlib.sha256(data).hexdigest()
    known = {"kind": "onnx", "name": "digits", "state": "inspecting", "created_at": datetime.now(UTC)}
    card = ModelCard(id=new_id("model"), sha256=digest, size_bytes=len(data), **known, **facts)
    store.holdings.put(tenant, card.id, data)
    return card


def kept(file):
    data, known = Path(file).read_bytes(), dict(inspect_samples(Path(file)))
    digest = hashlib.sha256(data).hexdigest()
    known |= {"id": new_id("samples"), "name": "digits", "sha256": digest, "size_bytes": len(data)}
    card = SamplesCard(**known, created_at=datetime.now(UTC))
    store.holdings.put(tenant, card.id, data)
    return store.samples.add(tenant, card)


def made(card, source, samples):
CALL
    found = store.models.get(tenant, card.id)
    assert found.state == "inspecting"
    return card.id


def is_held(section, used):
    try:
        section.remove(tenant, used.id)
    except Conflict as conflict:
        return conflict.code == "in_use"
    return False


def told(model_id):
    return store.models.get(tenant, model_id)


def scores(card, rows):
    return open_model(card, library.get(card.sha256), device="cpu").scores(rows)


try:
    original = card_of(upload, preprocessing=halved)
    store.models.add(tenant, original)
    supervisor.do(original.id, 0, "inspect")
    original = told(original.id)

    samples = kept("examples/digits/samples.npz")
    queue.sent()
    baked = made(card_of(upload), original, samples)
    waits_in = [dispatch.queue for dispatch in queue.sent()]
    held = [is_held(store.models, original), is_held(store.samples, samples)]
    supervisor.do(baked, 0, "compute")
    baked = told(baked)
    one, other = scores(original, rows[:20]), scores(baked, rows[:20])

    nonsense = made(card_of(b"no model"), original, samples)
    supervisor.do(nonsense, 0, "compute")

    other_shape = "flat.npz"
    np.savez(other_shape, x=rows.reshape(len(rows), -1))
    misshapen = made(card_of(upload), original, kept(other_shape))
    supervisor.do(misshapen, 0, "compute")

    contested = made(card_of(upload), original, samples)
    late = store.leases.acquire(contested, 0)
    time.sleep(1.1 * settings.lease_seconds)
    supervisor.do(contested, 0, "compute")
    was_written = store.leases.commit(late, inspected(late))
    assert late.seconds_left < 3600
    first = {name: told(contested).model_dump()[name] for name in ("state", "sha256", "preprocessing")}

    store.models.remove(tenant, baked.id)
    store.models.remove(tenant, contested)
    store.samples.remove(tenant, samples.id)
    store.models.remove(tenant, original.id)
    with suppress(NotFound):
        left = library.get(baked.sha256)

    process = RunnerProcess(memory_bytes=None)
    process.wait_until_ready()
    process.send(BakeModel(card=original, device="cpu", model=upload, x=rows, divide=0.5).frame())
    heard = [process.receive(limit=len(upload) + (1 << 20)).kind for _ in range(2)]
    process.close()
finally:
    runners.close()
print(json.dumps({
    "original": original.model_dump(mode="json"),
    "baked": baked.model_dump(mode="json"),
    "difference": float(np.abs(one - other).max()),
    "agree": int((one.argmax(axis=1) == other.argmax(axis=1)).sum()),
    "heard": heard,
    "waits_in": waits_in,
    "held": held,
    "refusals": [told(refused).refusal.code for refused in (nonsense, misshapen)],
    "late": was_written,
    "first": first,
    "is_gone": left is None,
}))
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """What the page asks for, done."""
    copy = Copy(tmp_path_factory.mktemp("checkout"))
    copy.add(ADDED)
    return copy


@pytest.fixture(scope="module")
def outcome(copy: Copy, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    copy.write("making.py", MAKING.replace("CALL\n", indent(CALL, "    ")))
    with redis.Redis.from_url(valkey_url) as server:
        server.flushall()  # what other tests left waiting there would have its turn first
    output = copy.python("making.py", valkey_url, str(tmp_path_factory.mktemp("made")))
    told: dict[str, Any] = json.loads(output.splitlines()[-1])
    return told


def test_the_work_makes_a_model_with_its_card_and_its_inspection(outcome: dict[str, Any]) -> None:
    original, baked = outcome["original"], outcome["baked"]
    assert baked["state"] == "ready"
    assert baked["sha256"] != original["sha256"]
    assert original["preprocessing"]["divide"] == 0.5
    assert baked["preprocessing"] is None
    assert baked["input"]["name"] != original["input"]["name"]
    assert baked["input"]["shape"] == original["input"]["shape"]
    assert baked["offers"] == original["offers"]


def test_the_model_that_was_made_answers_as_the_one_it_was_made_of(outcome: dict[str, Any]) -> None:
    assert outcome["agree"] == 20
    assert outcome["difference"] < 1e-5


def test_a_model_that_cannot_be_made_is_refused_as_an_upload_is(outcome: dict[str, Any]) -> None:
    assert outcome["refusals"] == ["model_unparseable", "shape_mismatch"]


def test_it_waits_with_the_jobs_and_holds_what_it_uses(outcome: dict[str, Any]) -> None:
    assert outcome["waits_in"] == ["compute"]
    assert outcome["held"] == [True, True]


def test_its_runner_says_how_far_it_has_come(outcome: dict[str, Any]) -> None:
    assert outcome["heard"] == ["progress", f"{NAME}.done"]


def test_it_is_committed_under_the_fence_and_leaves_no_bytes_behind(outcome: dict[str, Any]) -> None:
    assert outcome["late"] is False
    assert outcome["first"] == {key: outcome["baked"][key] for key in ("state", "sha256", "preprocessing")}
    assert outcome["is_gone"]


def test_the_file_is_found_and_both_processes_may_load_it(copy: Copy) -> None:
    tests = ("tests/contract/test_what_workers_import.py", "tests/unit/workers/test_messages.py")
    copy.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", "interpreter or test_messages")
    assert NAME in copy.python("-c", "from workers.kinds import KINDS_OF_WORK; print(*KINDS_OF_WORK)").split()
