"""No script makes a move that the table does not have."""

from collections.abc import Callable
from itertools import product

import pytest
import redis

from jobs.states import MOVES, JobState
from jobs.store.store import Store
from jobs.work.lease import Commit
from tests.jobs_for_tests import Upload, result, taken


def start(store: Store, job_id: str) -> None:
    store.leases.acquire(job_id, 0)


def succeed(store: Store, job_id: str) -> None:
    if lease := store.leases.acquire(job_id, 0):
        store.leases.commit(lease, Commit(result=result(lease.indices)))


def fail(store: Store, job_id: str) -> None:
    if lease := store.leases.acquire(job_id, 0):
        store.leases.fail(lease, "internal", "It failed.", retry=False)


def cancel(store: Store, job_id: str) -> None:
    store.jobs.cancel("lab", job_id)


ACTS: dict[str, tuple[Callable[[Store, str], None], list[JobState]]] = {
    "start": (start, [JobState.RUNNING]),
    "succeed": (succeed, [JobState.RUNNING, JobState.SUCCEEDED]),
    "fail": (fail, [JobState.RUNNING, JobState.FAILED]),
    "cancel": (cancel, [JobState.CANCELLED]),
}


@pytest.mark.parametrize(("first", "second"), list(product(ACTS, ACTS)))
def test_acts_move_a_job_only_along_the_table(store: Store, upload: Upload, first: str, second: str) -> None:
    job_id = upload.job(chunk_size=10)
    ACTS[first][0](store, job_id)
    before = store.jobs.get("lab", job_id).state
    assert before == ACTS[first][1][-1]
    ACTS[second][0](store, job_id)
    after = store.jobs.get("lab", job_id).state
    assert after == before or after in MOVES[before]


@pytest.mark.parametrize("state", list(JobState))
def test_a_script_compares_the_state_before_it_sets_another(
    store: Store, upload: Upload, empty_valkey_url: str, state: JobState
) -> None:
    """Whatever state is found under a standing lease, `succeeded` follows only on `running`."""
    job_id = upload.job(chunk_size=10)
    lease = taken(store, job_id)
    redis.Redis.from_url(empty_valkey_url).hset(f"{{brinell}}:t:lab:job:{job_id}", "state", state)
    store.leases.commit(lease, Commit(result=result(lease.indices)))
    expected = JobState.SUCCEEDED if JobState.SUCCEEDED in MOVES[state] else state
    assert store.jobs.get("lab", job_id).state == expected
