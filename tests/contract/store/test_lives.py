"""What stays, what goes, and when: results, idempotency keys, and the bytes in the library."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from algorithms.errors import NotFound, Unavailable
from audits.store import Audits
from jobs.idempotency import Idempotency
from jobs.installation.settings import Settings
from jobs.store.names import new_id
from jobs.store.store import Store
from tests.contract.store.passing import After
from tests.jobs_for_tests import (
    NotedLibrary,
    NotedQueue,
    Upload,
    commit_all,
    digest,
    model_card,
    samples_card,
    taken,
)

DAY_MS = 24 * 3600 * 1000


def test_every_key_of_an_ended_job_has_an_end(store: Store, upload: Upload, server: "redis.Redis[str]") -> None:
    before = set(server.scan_iter("{brinell}:*"))
    job = store.jobs.create("lab", upload.spec(), Idempotency("k", "print"))
    commit_all(store, job.id)
    added = {name for name in server.scan_iter("{brinell}:*") if job.id in name or name not in before}
    shared = {"{brinell}:" + name for name in ("jobs", "expiries", "t:lab:list:job", "counters")}
    counted = {f"{{brinell}}:holds:{job.id}"}  # goes with the sweep that counts it off, however late that comes
    assert {name for name in added if server.pttl(name) < 0} <= shared | counted
    assert any(job.id in name for name in added)


def test_an_ended_job_is_forgotten_after_its_time_with_its_adversarial_bytes(
    store: Store, upload: Upload, library: NotedLibrary, after: After
) -> None:
    live, ended = upload.job(), upload.job()
    store.holdings.hold("lab", ended, digest("c"), 10)
    commit_all(store, ended)
    store.moves.reap()
    assert library.deleted() == []
    after(Settings().result_ttl_seconds)
    store.moves.reap()
    assert library.deleted() == [digest("c")]
    with pytest.raises(NotFound):
        store.jobs.get("lab", ended)
    assert [job.id for job in store.jobs.page("lab").items] == [live]
    assert store.models.get("lab", upload.model.id) == upload.model


def test_a_refused_model_is_forgotten_after_its_time(store: Store, library: NotedLibrary, after: After) -> None:
    card = store.models.add("lab", model_card())
    store.leases.fail(taken(store, card.id), "shape_bomb", "Too large.", retry=False)
    assert library.deleted() == [card.sha256]
    after(Settings().result_ttl_seconds)
    store.moves.reap()
    assert library.deleted() == []
    assert store.models.page("lab").items == ()


def test_shared_bytes_go_with_the_last_of_their_holders(store: Store, library: NotedLibrary) -> None:
    first, second = model_card(bytes_of="a"), samples_card(bytes_of="a")
    store.models.add("lab", first)
    store.samples.add("else", second)
    store.models.remove("lab", first.id)
    assert library.deleted() == []
    store.samples.remove("else", second.id)
    assert library.deleted() == [digest("a")]


def test_the_same_bytes_cannot_be_held_until_they_are_deleted(
    store: Store, server: "redis.Redis[str]", library: NotedLibrary
) -> None:
    card = model_card()
    store.models.add("lab", card)
    library.is_away = True
    store.models.remove("lab", card.id)
    again = model_card()
    for attempt in (
        lambda: store.holdings.hold("lab", again.id, again.sha256, 10),
        lambda: store.models.add("lab", again),
        lambda: store.samples.add("lab", samples_card(bytes_of="a")),
    ):
        with pytest.raises(Unavailable) as error:
            attempt()
        assert error.value.retry_after == 1
    library.is_away = False
    wait_a_minute(server, card.sha256)
    store.moves.reap()
    store.holdings.hold("lab", again.id, again.sha256, 10)
    assert store.models.add("lab", again).state == "inspecting"


def wait_a_minute(server: "redis.Redis[str]", doomed: str) -> None:
    """As long as the reaper waits for whoever was to delete these bytes."""
    server.zadd("{brinell}:doomed", {doomed: time.time() * 1000 - 61_000})


def test_bytes_that_could_not_be_deleted_are_deleted_later_and_only_once(
    store: Store, server: "redis.Redis[str]", library: NotedLibrary
) -> None:
    card = model_card()
    store.models.add("lab", card)
    library.is_away = True
    store.models.remove("lab", card.id)  # the model is gone, whatever becomes of its bytes
    assert store.models.page("lab").items == ()
    wait_a_minute(server, card.sha256)
    with pytest.raises(Unavailable):
        store.moves.reap()
    library.is_away = False
    store.moves.reap()
    assert library.deleted() == [], "somebody may be deleting them right now"
    wait_a_minute(server, card.sha256)
    store.moves.reap()
    store.moves.reap()
    assert library.deleted() == [card.sha256]


def test_a_hold_without_its_object_lapses(store: Store, server: "redis.Redis[str]", library: NotedLibrary) -> None:
    lost, kept = model_card(bytes_of="c"), model_card(bytes_of="d")
    for card in (lost, kept):
        store.holdings.hold("lab", card.id, card.sha256, 10)
    store.models.add("lab", kept)
    (name,) = server.zrange("{brinell}:expiries", 0, -1)
    assert name == f"lab model {lost.id}"
    server.zadd("{brinell}:expiries", {name: 0})
    store.moves.reap()
    assert library.deleted() == [lost.sha256]
    assert store.models.get("lab", kept.id).id == kept.id


def test_a_hold_for_a_job_that_was_removed_meanwhile_lapses(
    store: Store, server: "redis.Redis[str]", library: NotedLibrary
) -> None:
    store.holdings.hold("lab", new_id("job"), digest("e"), 10)
    (name,) = server.zrange("{brinell}:expiries", 0, -1)
    server.zadd("{brinell}:expiries", {name: 0})
    store.moves.reap()
    assert library.deleted() == [digest("e")]


def test_idempotency_keys_live_for_a_day(store: Store, upload: Upload, server: "redis.Redis[str]") -> None:
    store.jobs.create("lab", upload.spec(), Idempotency("k", "print"))
    (name,) = server.scan_iter("*:idempotency:*")
    assert DAY_MS - 10_000 < server.pttl(name) <= DAY_MS


def test_racing_requests_with_one_idempotency_key_make_one_job(store: Store, upload: Upload, queue: NotedQueue) -> None:
    spec = upload.spec()
    queue.sent()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: store.jobs.create("lab", spec, Idempotency("k", "print")), range(16)))
    assert len({job.id for job in made}) == 1
    assert len(store.jobs.page("lab").items) == 1
    assert [dispatch.chunk for dispatch in queue.sent()] == [0, 1, 2]


def test_racing_uploads_with_one_idempotency_key_make_one_model(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: store.models.add("lab", model_card(), Idempotency("k", "print")), range(16)))
    assert len({card.id for card in made}) == 1
    assert len(store.models.page("lab").items) == 1


@pytest.mark.parametrize("fingerprint", ["print", "another"])
def test_an_idempotency_key_is_forgotten_with_its_job(store: Store, upload: Upload, fingerprint: str) -> None:
    job = store.jobs.create("lab", upload.spec(), Idempotency("k", "print"))
    store.jobs.remove("lab", job.id)
    once = Idempotency("k", fingerprint)
    assert store.objects.replayed("lab", once) is None
    second = store.jobs.create("lab", upload.spec(), once)
    assert second.id != job.id
    assert store.objects.replayed("lab", once) == second.id


def test_an_idempotency_key_is_forgotten_with_models_samples_and_audits_too(
    store: Store, upload: Upload, audits: Audits
) -> None:
    once = {kind: Idempotency(kind, "print") for kind in ("model", "samples", "audit")}
    model, samples = model_card(), samples_card()
    store.models.add("lab", model, once["model"])
    store.samples.add("lab", samples, once["samples"])
    audit = audits.create("lab", upload.plan(), once["audit"])
    assert [store.objects.replayed("lab", key) for key in once.values()] == [model.id, samples.id, audit.id]
    store.models.remove("lab", model.id)
    store.samples.remove("lab", samples.id)
    audits.remove("lab", audit.id)
    assert store.models.add("lab", again := model_card(), once["model"]).id == again.id
    assert store.samples.add("lab", again := samples_card(), once["samples"]).id == again.id
    assert audits.create("lab", upload.plan(), once["audit"]).id != audit.id
