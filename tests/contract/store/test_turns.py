"""Whose chunk is computed next: tenants take turns, whatever each of them has asked for, and counted, never timed."""

from collections.abc import Sequence
from itertools import groupby

import pytest
import redis

from jobs.store.store import Store
from jobs.work.lease import Commit, Lease
from jobs.work.queue import Dispatch
from tests.jobs_for_tests import FOUND, MakeStore, NotedQueue, Upload, inspected, model_card, result
from workers.supervisor.turn import IN_A_ROW, Turn


def answered(store: Store, messages: Sequence[Dispatch]) -> list[Lease | None]:
    """What workers get to do, one message after the other."""
    return [store.leases.acquire(message.job_id, message.chunk, message.queue) for message in messages]


def tenants(leases: Sequence[Lease | None]) -> list[str]:
    return [lease.tenant for lease in leases if lease]


def test_the_first_job_of_a_tenant_begins_within_two_chunks_of_anothers_thousand(
    make_store: MakeStore, queue: NotedQueue
) -> None:
    store = make_store(live_jobs=1000)
    many, few = Upload(store, "many"), Upload(store, "few")
    spec = many.spec(chunk_size=1)
    for _ in range(1000):
        store.jobs.create("many", spec)
    messages = [sent for sent in queue.sent() if sent.queue == "compute"]
    begun = answered(store, messages[:1])
    job = few.job()
    begun += answered(store, messages[1:4])
    assert tenants(begun) == ["many", "many", "few", "many"]
    assert begun[2] and begun[2].subject_id == job


def test_tenants_take_turns_and_each_of_them_in_the_order_of_its_chunks(store: Store, queue: NotedQueue) -> None:
    jobs = {tenant: Upload(store, tenant).job() for tenant in ("a", "b", "c")}
    leases = answered(store, [sent for sent in queue.sent() if sent.queue == "compute"])
    assert tenants(leases) == ["a", "b", "c"] * 3
    assert [(lease.subject_id, lease.chunk) for lease in leases if lease] == [
        (job, chunk) for chunk in range(3) for job in jobs.values()
    ]


def at_one_worker(store: Store, messages: Sequence[Dispatch], runners: int) -> list[str]:
    """Whose chunks a worker takes, one after the other, that keeps so many runners."""
    turn, taken = Turn(), []
    for message in messages:
        lease = store.leases.acquire(message.job_id, message.chunk, message.queue, again=turn.again, runners=runners)
        assert lease
        turn.take(lease.tenant)
        taken.append(lease.tenant)
    return taken


@pytest.mark.parametrize("runners", [1, 2, 3])
def test_more_tenants_than_runners_take_a_few_chunks_a_turn_and_nobody_waits_longer(
    store: Store, queue: NotedQueue, runners: int
) -> None:
    for tenant in ("a", "b", "c"):
        Upload(store, tenant).job(chunk_size=1)
    taken = at_one_worker(store, [sent for sent in queue.sent() if sent.queue == "compute"], runners)
    turns = [(tenant, len(list(run))) for tenant, run in groupby(taken[:12])]
    assert turns == ([(t, 1) for t in "abc" * 4] if runners == 3 else [(t, IN_A_ROW) for t in "abc"])


def test_each_message_takes_one_chunk_and_a_doubled_one_none(store: Store, upload: Upload, queue: NotedQueue) -> None:
    queue.sent()
    job = upload.job()
    messages = queue.sent()
    leases = answered(store, messages[::-1] + messages)
    assert [lease and lease.chunk for lease in leases] == [0, 1, 2, None, None, None]
    for lease in leases[:3]:
        assert lease and store.leases.commit(lease, Commit(result=result(lease.indices)))
    assert store.jobs.get("lab", job).state == "succeeded"


def test_a_message_whose_own_chunk_is_gone_wakes_for_the_next(store: Store, upload: Upload, queue: NotedQueue) -> None:
    queue.sent()
    gone, removed, live = upload.job(), upload.job(), upload.job()
    leased = store.leases.acquire(gone, 0)
    store.jobs.cancel("lab", gone)
    store.jobs.remove("lab", removed)
    messages = [sent for sent in queue.sent() if sent.job_id in (gone, removed)][:3]
    assert leased and [lease and lease.subject_id for lease in answered(store, messages)] == [live] * 3


def test_a_chunk_that_was_given_back_stands_in_line_again(store: Store, upload: Upload, queue: NotedQueue) -> None:
    queue.sent()
    upload.job(chunk_size=10)
    (lease,) = answered(store, queue.sent())
    assert lease
    store.leases.release(lease)
    (again,) = answered(store, queue.sent())
    assert again and (again.chunk, again.fence) == (0, 2)


def test_what_an_older_version_sent_is_taken_by_its_name(
    store: Store, upload: Upload, server: "redis.Redis[str]"
) -> None:
    job = upload.job(chunk_size=10)
    assert server.delete("{brinell}:turns:compute", "{brinell}:t:lab:line:compute") == 2
    lease = store.leases.acquire(job, 0, "compute")
    assert lease and (lease.subject_id, lease.chunk) == (job, 0)
    assert store.leases.commit(lease, Commit(result=result(lease.indices)))


def test_nothing_is_left_of_lines_that_are_empty(store: Store, queue: NotedQueue, server: "redis.Redis[str]") -> None:
    Upload(store).job()
    answered(store, queue.sent())
    assert not [*server.scan_iter("*:line:*"), *server.scan_iter("*:turns:*")]


def test_an_upload_waits_for_none_of_another_tenants_slow_models(store: Store, queue: NotedQueue) -> None:
    """Of eight uploads one is under way, so that the second of two inspectors is free for whoever comes."""
    slow = [store.models.add("many", model_card()) for _ in range(8)]
    assert queue.sent() == [Dispatch("inspect", slow[0].id, 0)]
    (first,) = answered(store, [Dispatch("inspect", slow[0].id, 0)])
    quick = store.models.add("few", model_card())
    (second,) = answered(store, queue.sent())
    assert first and second and second.subject_id == quick.id
    assert store.leases.commit(second, inspected(second))
    assert store.models.get("few", quick.id).state == "ready"
    store.leases.fail(first, "model_too_complex", "Too slow.", retry=False)
    assert queue.sent() == [Dispatch("inspect", slow[1].id, 0)]


def test_with_one_inspector_an_upload_waits_for_the_inspection_under_way(store: Store, queue: NotedQueue) -> None:
    slow = [store.models.add("many", model_card()) for _ in range(8)]
    quick, order = store.models.add("few", model_card()), []
    messages = queue.sent()
    while messages:
        (lease,) = answered(store, messages[:1])
        assert lease and store.leases.commit(lease, inspected(lease, FOUND))
        order.append(lease.subject_id)
        messages = messages[1:] + queue.sent()
    assert order.index(quick.id) == 1 and sorted(order) == sorted([quick.id, *(card.id for card in slow)])


def test_endpoints_that_are_asked_hold_up_no_file(store: Store, queue: NotedQueue) -> None:
    asked = [store.models.add("lab", model_card(kind="endpoint")) for _ in range(2)]
    file = store.models.add("lab", model_card())
    assert queue.sent() == [*(Dispatch("probe", card.id, 0) for card in asked), Dispatch("inspect", file.id, 0)]
