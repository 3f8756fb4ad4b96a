"""kill -9, hang, cancel and drain in the middle of a real job: it ends as it should, and its numbers do not change.

Real Redis, real Celery, real runners, the bundled digits model. Times are those of a lease of three seconds.
"""

import os
import signal
import threading

import numpy as np
import pytest

from tests.e2e.machine import Machine, is_alive, until

pytestmark = pytest.mark.slow

ATTACK = {
    "method": {"name": "square"},
    "threat": {"norm": "l2"},
    "budget": {"queries_per_sample": 4000},
    "samples": {"limit": 12},
    "seed": 3,
}
ENDLESS = ATTACK | {"budget": {"queries_per_sample": 100_000_000}}


def start(machine: Machine, request=ATTACK, *, chunk_size=2):
    worker = machine.start_worker()
    model, samples = machine.upload_model(), machine.upload_samples()
    assert model.state == "ready", model.refusal
    return worker, machine.submit(model, samples, chunk_size=chunk_size, **request)


def result(machine: Machine, job):
    return machine.findings(job), machine.adversarials(job)


def assert_bit_equal(found, expected):
    assert found[0] == expected[0]
    assert found[1].keys() == expected[1].keys()
    for row, point in expected[1].items():
        np.testing.assert_array_equal(found[1][row], point)


@pytest.fixture(scope="module")
def undisturbed(valkey_url, tmp_path_factory):
    """The same job in one piece, with nobody killed."""
    machine = Machine(valkey_url, tmp_path_factory.mktemp("undisturbed"))
    try:
        _, job = start(machine, chunk_size=12)
        assert machine.ended(job, seconds=60).state == "succeeded"
        found = result(machine, job)
    finally:
        machine.stop()
    assert len(found[0]) == 12
    assert found[1], "an attack that finds nothing shows nothing"
    return found


def kill_runner(machine, worker):
    os.kill(worker.runners[0], signal.SIGKILL)


def kill_pool_child(machine, worker):
    orphans = worker.runners
    os.kill(worker.pool_child, signal.SIGKILL)
    until(lambda: not any(is_alive(runner) for runner in orphans), seconds=3, what="runners die with their supervisor")


def kill_worker(machine, worker):
    orphans = [worker.pool_child, *worker.runners]
    worker.kill()
    until(lambda: not any(is_alive(pid) for pid in orphans), seconds=3, what="nothing outlives its worker")
    machine.start_worker()


@pytest.mark.parametrize("kill", [kill_runner, kill_pool_child, kill_worker])
def test_a_job_survives_and_its_numbers_are_the_same(machine, undisturbed, kill):
    worker, job = start(machine)
    machine.half_done(job)
    kill(machine, worker)
    assert machine.ended(job, seconds=60).state == "succeeded"
    assert_bit_equal(result(machine, job), undisturbed)


def test_a_drained_worker_goes_quickly_and_another_takes_over_at_once(machine, undisturbed):
    worker, job = start(machine)
    machine.half_done(job)
    assert worker.drain(seconds=25) < 25
    machine.start_worker()
    assert machine.ended(job, seconds=60).state == "succeeded"
    assert machine.store.counters().get("lost_leases", 0) == 0
    assert_bit_equal(result(machine, job), undisturbed)


def test_a_cancelled_job_ends_within_ten_seconds_and_keeps_what_it_found(machine):
    _, job = start(machine, ENDLESS | {"budget": {"queries_per_sample": 30_000}}, chunk_size=1)
    machine.half_done(job)
    machine.cancel(job)
    assert machine.ended(job, seconds=10).state == "cancelled"
    found = machine.findings(job)
    assert 0 < len(found) < 12
    assert found[-1].ended == "cancelled"


def test_a_runner_that_hangs_is_killed_at_the_time_limit(empty_valkey_url, tmp_path):
    machine = Machine(empty_valkey_url, tmp_path, chunk_seconds=3)
    try:
        worker, job = start(machine, ENDLESS)
        until(lambda: machine.job(job).progress.queries, seconds=30, what="a job under way")
        os.kill(hung := worker.runners[0], signal.SIGSTOP)
        ended = machine.ended(job, seconds=20)
        assert (ended.state, ended.error.code) == ("failed", "model_fault")
        assert "3 s" in ended.error.detail
        until(lambda: not is_alive(hung), seconds=3, what="the end of the hung runner")
    finally:
        machine.stop()


def test_a_chunk_that_kills_every_runner_ends_its_job_with_the_reason(machine):
    worker, job = start(machine, ENDLESS)
    over = threading.Event()

    def poison():
        while not over.wait(0.5):
            if machine.job(job).state == "running":
                kill_runner(machine, worker)

    killer = threading.Thread(target=poison)
    killer.start()
    try:
        ended = machine.ended(job, seconds=30)
    finally:
        over.set()
        killer.join()
    assert (ended.state, ended.error.code) == ("failed", "model_fault")
    assert "killed" in ended.error.detail
