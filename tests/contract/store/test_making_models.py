"""Work whose result is a model: what it is told and holds, where it waits, and when its time is over."""

import pytest
import redis

from algorithms.errors import Conflict, NotFound
from jobs.record import Progress
from jobs.store.store import Store
from jobs.work.lease import ModelLease
from jobs.work.model_work import ModelWork
from jobs.work.queue import Dispatch
from models.record import Record
from tests.contract.store.passing import After
from tests.jobs_for_tests import MakeStore, NotedLibrary, NotedQueue, Upload, inspected, model_card, taken


class Training(Record):
    """What the kind of this file's work is told."""

    epochs: int
    layers: tuple[int, ...] = ()


def making(upload: Upload, *, seconds: float | None = None) -> ModelWork:
    uses = (upload.model.id, upload.samples.id)
    return ModelWork("train", spec=Training(epochs=3), uses=uses, seconds=seconds)


def test_its_lease_says_what_it_was_told(store: Store, upload: Upload, queue: NotedQueue) -> None:
    queue.sent()
    card = store.models.add("lab", model_card(), work=making(upload))
    assert queue.sent() == [Dispatch("compute", card.id, 0)]
    lease = taken(store, card.id)
    assert isinstance(lease, ModelLease)
    assert (lease.work, lease.model, lease.deadline) == ("train", card, None)
    assert Training.model_validate_json(lease.spec) == Training(epochs=3)
    assert store.leases.commit(lease, inspected(lease))
    assert store.models.get("lab", card.id).state == "ready"


def test_it_may_wait_in_another_queue(store: Store, queue: NotedQueue) -> None:
    card = store.models.add("lab", model_card(), work=ModelWork("train", queue="probe"))
    assert queue.sent() == [Dispatch("probe", card.id, 0)]
    lease = taken(store, card.id)
    assert isinstance(lease, ModelLease)
    assert lease.spec == "{}"


def assert_held(store: Store, upload: Upload) -> None:
    for remove, used in ((store.models.remove, upload.model.id), (store.samples.remove, upload.samples.id)):
        with pytest.raises(Conflict) as error:
            remove("lab", used)
        assert error.value.code == "in_use"


def assert_free(store: Store, upload: Upload) -> None:
    store.samples.remove("lab", upload.samples.id)
    store.models.remove("lab", upload.model.id)


def test_what_it_uses_stays_until_the_model_is_ready(store: Store, upload: Upload) -> None:
    card = store.models.add("lab", model_card(), work=making(upload))
    assert_held(store, upload)
    lease = taken(store, card.id)
    assert_held(store, upload)
    store.leases.commit(lease, inspected(lease))
    assert_free(store, upload)


def test_what_it_uses_is_free_once_the_model_is_refused(store: Store, upload: Upload) -> None:
    card = store.models.add("lab", model_card(), work=making(upload))
    store.leases.fail(taken(store, card.id), "model_invalid", "It cannot be trained.", retry=False)
    assert_free(store, upload)


def test_what_it_uses_is_free_once_the_model_is_removed(store: Store, upload: Upload) -> None:
    card = store.models.add("lab", model_card(), work=making(upload))
    store.models.remove("lab", card.id)
    assert_free(store, upload)


def test_two_may_use_the_same(store: Store, upload: Upload) -> None:
    first, second = (store.models.add("lab", model_card(), work=making(upload)) for _ in range(2))
    store.models.remove("lab", first.id)
    assert_held(store, upload)
    store.models.remove("lab", second.id)
    assert_free(store, upload)


def test_it_uses_only_what_is_there_ready_and_its_own(store: Store, upload: Upload) -> None:
    other = Upload(store, "else")
    job, gone = upload.job(), Upload(store)
    raw = store.models.add("lab", model_card())
    store.samples.remove("lab", gone.samples.id)
    for used in (raw.id, other.model.id, other.samples.id, job, gone.samples.id, "nonsense"):
        card = model_card()
        with pytest.raises(NotFound):
            store.models.add("lab", card, work=ModelWork("train", uses=(upload.samples.id, used)))
        with pytest.raises(NotFound):
            store.models.get("lab", card.id)
    store.jobs.remove("lab", job)
    assert_free(store, upload)


def test_inspections_do_not_wait_for_it(make_store: MakeStore, queue: NotedQueue) -> None:
    store = make_store(jobs_in_flight=1)
    made = [store.models.add("lab", model_card(), work=ModelWork("train")) for _ in range(2)]
    uploaded = [store.models.add("lab", model_card()) for _ in range(2)]
    admitted = [Dispatch("compute", made[0].id, 0), Dispatch("inspect", uploaded[0].id, 0)]
    assert queue.sent() == admitted
    store.models.remove("lab", made[0].id)
    assert queue.sent() == [Dispatch("compute", made[1].id, 0)]
    lease = taken(store, uploaded[0].id)
    store.leases.commit(lease, inspected(lease))
    assert queue.sent() == [Dispatch("inspect", uploaded[1].id, 0)]


def test_a_model_whose_time_has_passed_is_refused_with_a_sentence(
    store: Store, upload: Upload, library: NotedLibrary, after: After
) -> None:
    card = store.models.add("lab", model_card(bytes_of="c"), work=making(upload, seconds=5000))
    after(6000)  # its time begins with its first lease
    store.moves.reap()
    first = taken(store, card.id)
    assert isinstance(first, ModelLease)
    assert first.seconds_left is not None
    assert 0 < first.seconds_left <= 5000
    after(4000)
    store.moves.reap()  # that worker is gone
    again = taken(store, card.id)
    assert isinstance(again, ModelLease)
    assert again.seconds_left is not None
    assert 0 < again.seconds_left <= 1000
    after(1000)
    store.moves.reap()
    refusal = store.models.get("lab", card.id).refusal
    assert refusal is not None
    assert (refusal.code, refusal.detail) == (
        "deadline",
        "The work on this model ran out of its time; ask for less of it, or allow more seconds.",
    )
    assert store.leases.beat(again, Progress()) == "lost"
    assert store.leases.commit(again, inspected(again)) is False
    assert library.deleted() == [card.sha256]
    assert_free(store, upload)


def test_how_far_it_has_come_is_told_by_its_beats(store: Store) -> None:
    card = store.models.add("lab", model_card(), work=ModelWork("train"))
    lease = taken(store, card.id)
    before = store.objects.version("lab", card.id)
    assert store.models.progress("lab", card.id) is None
    for fraction in (0.25, 0.25, 0.5):
        assert store.leases.beat(lease, Progress(fraction=fraction)) == "go"
        assert store.models.progress("lab", card.id) == Progress(fraction=fraction)
    assert store.objects.version("lab", card.id) == before + 2
    with pytest.raises(NotFound):
        store.models.progress("else", card.id)
    store.leases.commit(lease, inspected(lease))
    assert store.models.progress("lab", card.id) is None


def test_an_inspection_tells_nothing_of_its_way(store: Store) -> None:
    card = store.models.add("lab", model_card())
    lease = taken(store, card.id)
    before = store.objects.version("lab", card.id)
    store.leases.beat(lease, Progress(fraction=0.5))
    assert (store.models.progress("lab", card.id), store.objects.version("lab", card.id)) == (None, before)


def test_nothing_of_it_is_left_behind(store: Store, server: "redis.Redis[str]", upload: Upload) -> None:
    card = store.models.add("lab", model_card(), work=making(upload, seconds=60))
    lease = taken(store, card.id)
    store.leases.commit(lease, inspected(lease))
    assert not server.keys("{brinell}:unit:*") + server.keys("{brinell}:using:*")
    assert not server.zrange("{brinell}:deadlines", 0, -1)
