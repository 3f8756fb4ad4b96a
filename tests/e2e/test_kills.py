"""kill -9, hang, cancel and drain in the middle of a real job: it ends as it should, and its numbers do not change.

Real Redis, real Celery, real runners, the bundled digits model. Times are those of a lease of three seconds.
"""

import os
import signal
import threading
import time

import numpy as np
import pytest

from tests.e2e.machine import Machine, children, is_alive, state_of
from tests.hold import hold
from tests.patience import until

pytestmark = pytest.mark.slow

SILENCE_SECONDS = 30  # how long a model may say nothing: one that hangs is waited out
ATTACK = {
    "method": {"name": "square"},
    "threat": {"norm": "l2"},
    "budget": {"queries_per_sample": 500},
    "samples": {"limit": 12},
    "seed": 3,
}
SPANNING = ATTACK | {"method": {"name": "hopskipjump", "directions": "spanning"}}
ENDLESS = ATTACK | {
    "method": {"name": "square", "steps": 1_000_000},  # hours, on any machine
    "budget": {"queries_per_sample": 100_000_000},
}
SECONDS = (20, 60, 180)  # a machine too busy to begin and hand over within the first of them is given more


@pytest.fixture(scope="module")
def machine(valkey_url, tmp_path_factory):
    here = Machine(valkey_url, tmp_path_factory.mktemp("machine"), answer_seconds=SILENCE_SECONDS)
    yield here
    here.stop()


@pytest.fixture(scope="module")
def uploads(machine):
    machine.worker()
    model, samples = machine.upload_model(), machine.upload_samples()
    assert model.state == "ready", model.refusal
    return model, samples


@pytest.fixture
def start(machine, uploads):
    """Submits a job of ATTACK's kind to a machine with a living worker; returns both."""

    def start(request=ATTACK, *, chunk_size=2):
        worker = machine.worker()
        return worker, machine.submit(*uploads, request, chunk_size=chunk_size)

    return start


def result(machine: Machine, job):
    return machine.findings(job), machine.adversarials(job)


@pytest.fixture(scope="module")
def undisturbed(machine, uploads):
    """The same job in one piece, with nobody killed."""
    job = machine.submit(*uploads, ATTACK, chunk_size=12)
    assert machine.ended(job).state == "succeeded"
    found = result(machine, job)
    assert len(found[0]) == 12
    assert found[1], "an attack that finds nothing shows nothing"
    return found


def assert_bit_equal(found, expected):
    assert found[0] == expected[0]
    assert found[1].keys() == expected[1].keys()
    for row, point in expected[1].items():
        np.testing.assert_array_equal(found[1][row], point)


def kill_runner(machine, worker):
    with hold(worker.runners[0], lambda pid: pid in worker.runners) as send:
        send(signal.SIGKILL)


def kill_pool_child(machine, worker):
    orphans = worker.runners
    with hold(worker.pool_child, lambda pid: pid in children(worker.process.pid)) as send:
        send(signal.SIGKILL)
    until(lambda: not any(is_alive(runner) for runner in orphans), what="runners die with their supervisor")


def kill_worker(machine, worker):
    orphans = [worker.pool_child, *worker.runners]
    worker.kill()
    until(lambda: not any(is_alive(pid) for pid in orphans), what="nothing outlives its worker")


@pytest.mark.parametrize("kill", [kill_runner, kill_pool_child, kill_worker])
def test_a_job_survives_and_its_numbers_are_the_same(machine, undisturbed, start, kill):
    worker, job = start()
    machine.half_done(job)
    kill(machine, worker)
    machine.worker()
    assert machine.ended(job).state == "succeeded"
    assert_bit_equal(result(machine, job), undisturbed)


LONG = ATTACK | {
    "budget": {"queries_per_sample": 20_000}
}  # seconds of a quiet machine: no chunk ends between the kills


def test_a_runner_that_is_killed_more_often_than_a_model_may_fail_costs_no_job(machine, uploads, start):
    worker, job = start(LONG, chunk_size=12)
    for _ in range(4):
        until(lambda: machine.job(job).state == "running" and worker.runners, what="a runner at work")
        (at_work, *_) = worker.runners
        os.kill(at_work, signal.SIGKILL)
        until(lambda: at_work not in worker.runners, what="its end")  # noqa: B023
    assert machine.ended(job).state == "succeeded"
    undisturbed = machine.submit(*uploads, LONG, chunk_size=12)
    assert machine.ended(undisturbed).state == "succeeded"
    assert_bit_equal(result(machine, job), result(machine, undisturbed))


def test_a_runner_computes_nothing_when_its_work_is_done(machine, uploads, start):
    worker, job = start(ATTACK | {"seed": 4})
    assert machine.ended(job).state == "succeeded"
    until(lambda: state_of(worker.runners[0]) == "T", what="the runner is stopped")
    after = machine.submit(*uploads, ATTACK | {"seed": 4}, chunk_size=2)
    at_work = worker.runners[0]
    assert machine.ended(after).state == "succeeded"
    assert worker.runners[0] == at_work
    assert_bit_equal(result(machine, after), result(machine, job))


GRADIENTS = [{"name": "clever", "batches": 20, "batch_size": 32, "radius": 1.0}, {"name": "pgd", "steps": 10}]


@pytest.mark.parametrize("method", GRADIENTS, ids=["clever", "pgd"])
def test_what_rests_on_gradients_survives_too(machine, uploads, start, method):
    request = {"method": method, "threat": {"norm": "l2"}, "samples": {"limit": 6}, "seed": 3}
    whole = machine.submit(*uploads, request, chunk_size=6)
    assert machine.ended(whole).state == "succeeded"
    worker, job = start(request)
    machine.half_done(job)
    kill_runner(machine, worker)
    assert machine.ended(job).state == "succeeded"
    assert_bit_equal(result(machine, job), result(machine, whole))


@pytest.mark.parametrize("kill", [kill_runner, kill_worker])
def test_a_preparation_that_is_killed_is_made_again_and_the_numbers_are_the_same(machine, uploads, kill):
    model, samples = uploads
    worker = machine.worker()
    whole = machine.submit(model, samples, SPANNING, chunk_size=12, auxiliary=samples)
    assert machine.ended(whole).state == "succeeded"
    os.kill(worker.runners[0], signal.SIGSTOP)  # it has the model already, so it gets the job too
    job = machine.submit(model, samples, SPANNING, chunk_size=5, auxiliary=samples)
    until(lambda: machine.job(job).state == "running", what="the frozen runner holds the job")
    assert machine.findings(job) == []
    kill(machine, worker)
    machine.worker()
    assert machine.ended(job).state == "succeeded"
    assert_bit_equal(result(machine, job), result(machine, whole))


def test_a_drained_worker_hands_its_chunk_back_and_another_takes_over(machine, undisturbed, start):
    lost = machine.store.counters().get("lost_leases", 0)
    worker, job = start()
    machine.half_done(job)
    worker.drain()
    machine.worker()
    assert machine.ended(job).state == "succeeded"
    assert machine.store.counters().get("lost_leases", 0) == lost
    assert_bit_equal(result(machine, job), undisturbed)


def test_a_cancelled_job_ends_long_before_its_budget_and_keeps_what_it_found(machine, start):
    _, job = start(ENDLESS, chunk_size=12)
    until(lambda: machine.job(job).progress.queries > 1000, what="a job under way")
    machine.cancel(job)
    assert machine.ended(job).state == "cancelled"
    found = machine.findings(job)
    assert len(found) == 12
    assert "cancelled" in {finding.ended for finding in found}
    assert "upper_bound" in {finding.kind for finding in found}


def test_a_job_whose_seconds_are_up_succeeds_with_what_it_has_however_late_its_runner_came(machine, uploads):
    for seconds in SECONDS:
        worker, model = machine.worker(), machine.upload_model()  # new to every runner
        until(lambda worker=worker: len(worker.runners) == 2, what="a spare runner")
        for runner in worker.runners:
            os.kill(runner, signal.SIGSTOP)
        budget = {"queries_per_sample": 100_000_000, "seconds": seconds}  # its beats are short, too
        job = machine.submit(model, uploads[1], ENDLESS | {"budget": budget}, chunk_size=12)
        until(lambda job=job: machine.job(job).state == "running", what="a job that waits for its runner")
        time.sleep(5)
        for runner in worker.runners:
            os.kill(runner, signal.SIGCONT)
        ended = machine.ended(job)
        if ended.error is None or "ran out of its time" not in ended.error.detail:
            break
    assert (ended.state, ended.error) == ("succeeded", None)
    assert [finding.ended for finding in machine.findings(job)] == ["budget"] * 12


def test_a_runner_that_hangs_is_killed_at_the_time_limit(machine, start):
    worker, job = start(ENDLESS)
    until(lambda: machine.job(job).progress.queries, what="a job under way")
    os.kill(hung := worker.runners[0], signal.SIGSTOP)
    ended = machine.ended(job)
    assert (ended.state, ended.error.code) == ("failed", "model_fault")
    assert f"{SILENCE_SECONDS} s" in ended.error.detail
    until(lambda: not is_alive(hung), what="the end of the hung runner")


def test_a_runner_that_hangs_does_not_hold_up_a_cancel(machine, start):
    worker, job = start(ENDLESS)
    until(lambda: machine.job(job).progress.queries, what="a job under way")
    os.kill(worker.runners[0], signal.SIGSTOP)
    machine.cancel(job)
    assert machine.ended(job).state == "cancelled"


def test_a_chunk_whose_every_runner_is_killed_ends_its_job_with_the_reason(machine, start):
    worker, job = start(ENDLESS, chunk_size=12)
    over = threading.Event()

    def poison():
        while not over.wait(0.2):
            if machine.job(job).progress.queries:  # the model is in it, and being asked
                kill_runner(machine, worker)

    killer = threading.Thread(target=poison)
    killer.start()
    try:
        ended = machine.ended(job)
    finally:
        over.set()
        killer.join()
    assert (ended.state, ended.error.code) == ("failed", "worker_lost")
    assert "ended from outside" in ended.error.detail
