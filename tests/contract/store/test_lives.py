"""What stays, what goes, and when: results, idempotency keys, and the bytes in the library."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from algorithms.errors import NotFound, Unavailable
from jobs.record import Idempotency
from jobs.store.names import new_id
from jobs.store.store import Store
from tests.jobs_for_tests import MakeStore, Upload, commit_all, digest, model_card, samples_card, taken

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def server(empty_valkey_url: str) -> "redis.Redis[str]":
    return redis.Redis.from_url(empty_valkey_url, decode_responses=True)


def test_every_key_of_an_ended_job_has_an_end(store: Store, upload: Upload, server: "redis.Redis[str]") -> None:
    before = set(server.scan_iter())
    job, _ = store.create_job("lab", upload.spec(), Idempotency("k", "print"))
    commit_all(store, job.id)
    added = {name for name in server.scan_iter() if job.id in name or name not in before}
    shared = {"{brinell}:" + name for name in ("jobs", "expiries", "t:lab:list:job", "counters")}
    assert {name for name in added if server.pttl(name) < 0} <= shared
    assert any(job.id in name for name in added)


def test_an_ended_job_is_forgotten_after_its_time_with_its_adversarial_bytes(make_store: MakeStore) -> None:
    store = make_store(result_ttl_seconds=1)
    upload = Upload(store)
    live, ended = upload.job(), upload.job()
    store.hold("lab", ended, digest("c"))
    commit_all(store, ended)
    assert store.reap().digests == ()
    time.sleep(1.05)
    assert store.reap().digests == (digest("c"),)
    with pytest.raises(NotFound):
        store.job("lab", ended)
    assert [job.id for job in store.jobs("lab").items] == [live]
    assert store.model("lab", upload.model.id) == upload.model


def test_a_refused_model_is_forgotten_after_its_time(make_store: MakeStore) -> None:
    store = make_store(result_ttl_seconds=1)
    card, _ = store.add_model("lab", model_card())
    store.refuse_model(taken(store, card.id), "shape_bomb", "Too large.")
    time.sleep(1.05)
    assert store.reap().digests == ()
    assert store.models("lab").items == ()


def test_shared_bytes_go_with_the_last_of_their_holders(store: Store) -> None:
    first, second = model_card(bytes_of="a"), samples_card(bytes_of="a")
    store.add_model("lab", first)
    store.add_samples("else", second)
    assert store.remove_model("lab", first.id).digests == ()
    assert store.remove_samples("else", second.id).digests == (digest("a"),)


def test_the_same_bytes_cannot_be_held_while_they_are_deleted(store: Store) -> None:
    card = model_card()
    store.add_model("lab", card)
    (doomed,) = store.remove_model("lab", card.id).digests
    again = model_card()
    for attempt in (
        lambda: store.hold("lab", again.id, again.sha256),
        lambda: store.add_model("lab", again),
        lambda: store.add_samples("lab", samples_card(bytes_of="a")),
    ):
        with pytest.raises(Unavailable) as error:
            attempt()
        assert error.value.retry_after == 1
    store.forget([doomed])
    store.hold("lab", again.id, again.sha256)
    assert store.add_model("lab", again)[0].state == "inspecting"


def test_bytes_whose_deletion_was_not_reported_are_handed_out_again(store: Store, server: "redis.Redis[str]") -> None:
    card = model_card()
    store.add_model("lab", card)
    store.remove_model("lab", card.id)
    assert store.reap().digests == ()
    server.zadd("{brinell}:doomed", {card.sha256: time.time() * 1000 - 61_000})
    assert store.reap().digests == (card.sha256,)
    assert store.reap().digests == ()


def test_a_hold_without_its_object_lapses(store: Store, server: "redis.Redis[str]") -> None:
    lost, kept = model_card(bytes_of="c"), model_card(bytes_of="d")
    for card in (lost, kept):
        store.hold("lab", card.id, card.sha256)
    store.add_model("lab", kept)
    (name,) = server.zrange("{brinell}:expiries", 0, -1)
    assert name == f"lab model {lost.id}"
    server.zadd("{brinell}:expiries", {name: 0})
    assert store.reap().digests == (lost.sha256,)
    assert store.model("lab", kept.id).id == kept.id


def test_a_hold_for_a_job_that_was_removed_meanwhile_lapses(store: Store, server: "redis.Redis[str]") -> None:
    store.hold("lab", new_id("job"), digest("e"))
    (name,) = server.zrange("{brinell}:expiries", 0, -1)
    server.zadd("{brinell}:expiries", {name: 0})
    assert store.reap().digests == (digest("e"),)


def test_idempotency_keys_live_for_a_day(store: Store, upload: Upload, server: "redis.Redis[str]") -> None:
    store.create_job("lab", upload.spec(), Idempotency("k", "print"))
    (name,) = server.scan_iter("*:idempotency:*")
    assert DAY_MS - 10_000 < server.pttl(name) <= DAY_MS


def test_racing_requests_with_one_idempotency_key_make_one_job(store: Store, upload: Upload) -> None:
    spec = upload.spec()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: store.create_job("lab", spec, Idempotency("k", "print")), range(16)))
    assert len({job.id for job, _ in made}) == 1
    assert len(store.jobs("lab").items) == 1
    assert sum(bool(effects.dispatches) for _, effects in made) == 1


def test_racing_uploads_with_one_idempotency_key_make_one_model(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: store.add_model("lab", model_card(), Idempotency("k", "print")), range(16)))
    assert len({card.id for card, _ in made}) == 1
    assert len(store.models("lab").items) == 1


@pytest.mark.parametrize("fingerprint", ["print", "another"])
def test_an_idempotency_key_is_forgotten_with_its_job(store: Store, upload: Upload, fingerprint: str) -> None:
    job, _ = store.create_job("lab", upload.spec(), Idempotency("k", "print"))
    store.remove_job("lab", job.id)
    once = Idempotency("k", fingerprint)
    assert store.replayed("lab", once) is None
    second, _ = store.create_job("lab", upload.spec(), once)
    assert second.id != job.id
    assert store.replayed("lab", once) == second.id


def test_an_idempotency_key_is_forgotten_with_models_samples_and_audits_too(store: Store, upload: Upload) -> None:
    once = {kind: Idempotency(kind, "print") for kind in ("model", "samples", "audit")}
    model, samples = model_card(), samples_card()
    store.add_model("lab", model, once["model"])
    store.add_samples("lab", samples, once["samples"])
    audit, _ = store.create_audit("lab", upload.plan(), once["audit"])
    assert [store.replayed("lab", key) for key in once.values()] == [model.id, samples.id, audit.id]
    store.remove_model("lab", model.id)
    store.remove_samples("lab", samples.id)
    store.remove_audit("lab", audit.id)
    assert store.add_model("lab", again := model_card(), once["model"])[0].id == again.id
    assert store.add_samples("lab", again := samples_card(), once["samples"]).id == again.id
    assert store.create_audit("lab", upload.plan(), once["audit"])[0].id != audit.id
