"""What a tenant may have: counted in the move that makes it, freed by the one that takes it away."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from algorithms.errors import BrinellError, OverQuota, RateLimited
from audits.store import Audits
from jobs.idempotency import Idempotency
from jobs.installation.quotas import QUOTAS
from jobs.store.names import new_id
from jobs.store.store import Store
from jobs.work.lease import Commit
from tests.contract.store.passing import After
from tests.jobs_for_tests import (
    FOUND,
    MakeStore,
    NotedLibrary,
    Upload,
    commit_all,
    digest,
    inspected,
    model_card,
    result,
    samples_card,
    taken,
)


def used(store: Store, tenant: str = "lab") -> dict[str, int]:
    return {name: line["used"] for name, line in store.usage.of(tenant).model_dump().items()}


def a_model(store: Store, size: int, letter: str = "a") -> str:
    return store.models.add("lab", model_card(bytes_of=letter, size_bytes=size)).id


def test_a_tenant_that_never_came_uses_nothing(store: Store) -> None:
    assert used(store) == dict.fromkeys(QUOTAS, 0)
    assert all(line["limit"] > 0 for line in store.usage.of("lab").model_dump().values())


def test_uploads_are_counted_each_for_itself_and_only_for_their_tenant(store: Store) -> None:
    first, second = a_model(store, 100), a_model(store, 100)
    store.samples.add("lab", samples_card(size_bytes=7))
    there = used(store)
    assert (there["stored_bytes"], there["models"], there["samples"]) == (207, 2, 1)
    assert there["record_bytes"] > 500
    assert used(store, "else") == dict.fromkeys(QUOTAS, 0)
    store.models.remove("lab", first)
    store.models.remove("lab", second)
    assert used(store)["stored_bytes"] == 7


def test_nothing_is_left_of_what_was_removed(store: Store, upload: Upload) -> None:
    job, audit = upload.job(), upload.audit()
    commit_all(store, job)
    assert used(store)["live_audits"] == 1 and used(store)["live_jobs"] == 2
    Audits(store).remove("lab", audit)
    store.jobs.remove("lab", job)
    store.models.remove("lab", upload.model.id)
    store.samples.remove("lab", upload.samples.id)
    assert used(store) == dict.fromkeys(QUOTAS, 0)


def test_a_ready_model_is_counted_by_the_card_it_has_by_then(store: Store, server: "redis.Redis[str]") -> None:
    model = a_model(store, 10)
    lease = taken(store, model)
    store.leases.commit(lease, inspected(lease, FOUND))
    card = server.hstrlen(f"{{brinell}}:t:lab:model:{model}", "card")
    assert card < used(store)["record_bytes"] < card + 1000


def test_a_refused_model_stores_no_bytes_and_still_counts_as_a_model(store: Store, after: After) -> None:
    model = a_model(store, 1000)
    store.leases.fail(taken(store, model), "shape_bomb", "Too large.", retry=False)
    assert (used(store)["stored_bytes"], used(store)["models"]) == (0, 1) and used(store)["record_bytes"] > 0
    after(store.connection.settings.result_ttl_seconds + 1)
    store.moves.reap()
    assert used(store) == dict.fromkeys(QUOTAS, 0)


def make_room(store: Store, owner_id: str, size: int, once: Idempotency | None = None) -> bool:
    return store.holdings.make_room("lab", owner_id, size, once, bytes_per_second=1000)


def test_of_uploads_that_race_for_the_last_room_as_many_get_it_as_fit(make_store: MakeStore) -> None:
    store = make_store(quota_stored_bytes=1000)

    def reserve(_: int) -> bool:
        try:
            make_room(store, new_id("model"), 300)
        except OverQuota:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(reserve, range(16))) == 3
    assert used(store)["stored_bytes"] == 900


def test_uploads_that_come_again_need_no_room_however_many_and_however_full_it_is(make_store: MakeStore) -> None:
    store, once = make_store(quota_stored_bytes=1000), Idempotency("again", "the same")
    store.models.add("lab", model_card(size_bytes=800), once)
    assert [make_room(store, new_id("model"), 10**9, once) for _ in range(3)] == [False] * 3
    assert used(store)["stored_bytes"] == 800
    assert make_room(store, new_id("model"), 200)


def test_what_arrives_takes_the_place_of_the_room_that_was_made_for_it(make_store: MakeStore) -> None:
    store, card = make_store(quota_stored_bytes=1000), model_card(size_bytes=800)
    make_room(store, card.id, 800)
    store.holdings.hold("lab", card.id, card.sha256, 800)
    store.models.add("lab", card)
    store.holdings.give_up_room("lab", card.id)
    assert used(store)["stored_bytes"] == 800
    assert store.models.get("lab", card.id) == card


def test_room_goes_with_an_upload_that_failed_and_lapses_where_nobody_says_so(
    make_store: MakeStore, after: After, library: NotedLibrary
) -> None:
    store = make_store(quota_stored_bytes=1000)
    failed, crashed = new_id("model"), new_id("samples")
    make_room(store, failed, 500)
    make_room(store, crashed, 500)
    store.holdings.hold("lab", failed, digest("f"), 500)
    store.holdings.give_up_room("lab", failed)
    assert (used(store)["stored_bytes"], library.deleted()) == (500, [digest("f")])
    after(3601)
    store.moves.reap()
    assert used(store) == dict.fromkeys(QUOTAS, 0)


def test_room_lasts_an_hour_longer_than_the_slowest_upload_that_is_let_come(
    make_store: MakeStore, after: After
) -> None:
    store = make_store(quota_stored_bytes=10**9)
    make_room(store, new_id("model"), 10**7)  # 10,000 s
    after(13_500)
    store.moves.reap()
    assert used(store)["stored_bytes"] == 10**7
    after(200)
    store.moves.reap()
    assert used(store)["stored_bytes"] == 0


def passing(store: Store, upload: Upload) -> dict[str, Callable[[], Any]]:
    """For each quota what would pass it."""
    return {
        "stored_bytes": lambda: make_room(store, new_id("model"), 10**6),
        "record_bytes": lambda: [upload.job() for _ in range(50)],
        "models": lambda: store.models.add("lab", model_card()),
        "samples": lambda: store.samples.add("lab", samples_card()),
        "live_jobs": lambda: [upload.job() for _ in range(2)],
        "live_audits": lambda: [upload.audit() for _ in range(2)],
    }


LIMITS = {
    "quota_stored_bytes": 1000,
    "quota_record_bytes": 10_000,
    "quota_models": 1,
    "quota_samples": 1,
    "live_jobs": 1,
    "live_audits": 1,
}


@pytest.mark.parametrize("name", QUOTAS)
def test_what_passes_a_quota_is_refused_with_the_quota_and_the_way_out(make_store: MakeStore, name: str) -> None:
    setting = QUOTAS[name].setting
    store = make_store(**{setting: LIMITS[setting]})
    upload = Upload(store)
    with pytest.raises(BrinellError) as refusal:
        passing(store, upload)[name]()
    told = store.usage.of("lab").model_dump()[name]
    assert f"has {told['used']} of {told['limit']} {QUOTAS[name].what}" in refusal.value.detail
    assert f"BRINELL_{setting.upper()}" in refusal.value.detail
    expected = RateLimited if name.startswith("live") else OverQuota
    assert type(refusal.value) is expected and refusal.value.code in ("rate_limited", "quota_exceeded")
    assert told["used"] <= told["limit"]
    Upload(store, "else").job()  # nobody else is held up


def test_what_is_removed_makes_room(make_store: MakeStore) -> None:
    store = make_store(quota_models=1, quota_stored_bytes=100)
    first = a_model(store, 100)
    for more in (lambda: a_model(store, 1), lambda: store.samples.add("lab", samples_card(size_bytes=1))):
        with pytest.raises(OverQuota):
            more()
    store.models.remove("lab", first)
    assert a_model(store, 100)


def test_what_was_made_before_is_found_again_by_whoever_has_as_much_as_may_be(make_store: MakeStore) -> None:
    store, once = make_store(quota_models=1, quota_samples=1), Idempotency("k", "print")
    card = store.models.add("lab", model_card(), once)
    assert store.models.add("lab", model_card(), once).id == card.id


def test_results_count_are_kept_in_any_case_and_hold_up_what_is_new(make_store: MakeStore, after: After) -> None:
    store = make_store(quota_stored_bytes=100)
    upload = Upload(store)
    job = upload.job(chunk_size=10)
    lease = taken(store, job)
    before = used(store)
    store.holdings.hold("lab", job, digest("e"), 500)
    assert store.leases.commit(lease, Commit(result=result(lease.indices, adversarials=digest("e"))))
    now = used(store)
    assert now["stored_bytes"] - before["stored_bytes"] == 500
    assert now["record_bytes"] - before["record_bytes"] > 1000
    for more in (upload.job, upload.audit):
        with pytest.raises(OverQuota):
            more()
    after(store.connection.settings.result_ttl_seconds + 1)
    store.moves.reap()
    assert used(store)["stored_bytes"] == before["stored_bytes"] and upload.job()


def test_jobs_that_are_made_and_cancelled_count_until_they_are_gone(make_store: MakeStore) -> None:
    store = make_store(quota_record_bytes=20_000)
    upload, made = Upload(store), []

    def make_and_cancel() -> None:
        made.append(upload.job())
        store.jobs.cancel("lab", made[-1])

    with pytest.raises(OverQuota):
        [make_and_cancel() for _ in range(100)]
    assert 5 < len(made) < 40
    store.jobs.remove("lab", made[0])
    assert upload.job()


def test_records_count_about_what_they_take_in_redis(store: Store, upload: Upload, server: "redis.Redis[str]") -> None:
    def taken_by() -> int:
        return sum(server.memory_usage(name, samples=0) or 0 for name in server.scan_iter("{brinell}:*"))

    memory, counted = taken_by(), used(store)["record_bytes"]
    for _ in range(20):
        upload.job()
        store.samples.add("lab", samples_card())
        store.models.add("lab", model_card())
    assert 0.5 < (used(store)["record_bytes"] - counted) / (taken_by() - memory) < 2


def test_what_is_remembered_of_a_key_goes_with_what_it_made(store: Store, server: "redis.Redis[str]") -> None:
    """Or whoever makes and removes without end would fill Redis with keys that mean nothing."""
    for number in range(3):
        once = Idempotency(f"k{number}", "print")
        card = store.samples.add("lab", samples_card(), once)
        assert store.samples.add("lab", samples_card(), once) == card
        store.samples.remove("lab", card.id)
    assert not [*server.scan_iter("*idempotency*")]


def test_samples_whose_answer_was_lost_are_counted_once(make_store: MakeStore) -> None:
    store, card = make_store(quota_samples=1), samples_card()
    store.samples.add("lab", card)
    before = used(store)
    assert store.samples.add("lab", card) == card
    assert used(store) == before


def test_an_installation_from_before_is_counted_when_it_is_met(
    make_store: MakeStore, store: Store, server: "redis.Redis[str]", library: NotedLibrary
) -> None:
    upload = Upload(store)
    stored = library.put(b"some points")
    job = upload.job(chunk_size=10)
    lease = taken(store, job)
    store.holdings.hold("lab", job, stored, len(b"some points"))
    store.leases.commit(lease, Commit(result=result(lease.indices, adversarials=stored)))
    upload.job()
    upload.audit()
    store.holdings.hold("lab", new_id("model"), digest("9"), 0)
    before = used(store)
    as_layout_2(server)
    met = make_store()
    at_once = used(met)
    assert at_once == before | {"stored_bytes": before["stored_bytes"] - len(b"some points")}
    met.holdings.measure()
    assert used(met) == before
    met.holdings.measure()
    assert used(met) == before and not server.exists("{brinell}:unmeasured")
    Audits(met).remove("lab", met.objects.page("lab", "audit", None, 1, lambda ids: [*ids]).items[0])
    assert used(met)["live_audits"] == 0


def as_layout_2(server: "redis.Redis[str]") -> None:
    """What the store looked like before bytes were counted."""
    for name in server.scan_iter("{brinell}:holds:*"):
        digests = [thing for thing in server.hkeys(name) if thing not in ("record", "room")]
        server.delete(name)
        if digests:
            server.sadd(name, *digests)
    server.delete("{brinell}:t:lab:kept", "{brinell}:t:lab:audits")
    server.set("{brinell}:layout", 2)
