"""An inspection is a unit of work like any other, and ends in a ready card or a refusal."""

from jobs.record import Progress
from jobs.store.store import Store
from jobs.work.lease import ModelLease
from jobs.work.queue import Dispatch
from tests.jobs_for_tests import FOUND, NotedLibrary, NotedQueue, inspected, model_card, taken


def test_an_inspection_makes_a_model_ready(store: Store, queue: NotedQueue, library: NotedLibrary) -> None:
    card = store.models.add("lab", model_card())
    assert (card.state, queue.sent()) == ("inspecting", [Dispatch("inspect", card.id, 0)])
    lease = taken(store, card.id)
    assert (lease.work, type(lease), lease.model) == ("inspect", ModelLease, card)
    before = store.objects.version("lab", card.id)
    assert store.leases.commit(lease, inspected(lease))
    assert queue.sent() == library.deleted() == []
    ready = store.models.get("lab", card.id)
    assert (ready.state, ready.input, ready.offers) == ("ready", FOUND.input, FOUND.offers)
    assert (store.objects.state("lab", card.id), store.objects.version("lab", card.id)) == ("ready", before + 1)
    assert store.leases.commit(lease, inspected(lease)) is False


def test_a_refused_model_says_why_and_its_bytes_go_at_once(store: Store, library: NotedLibrary) -> None:
    card = store.models.add("lab", model_card())
    store.leases.fail(taken(store, card.id), "shape_bomb", "Too large.", retry=False)
    assert library.deleted() == [card.sha256]
    refused = store.models.get("lab", card.id)
    assert (refused.state, refused.refusal.code, refused.refusal.detail) == ("refused", "shape_bomb", "Too large.")


def test_a_model_whose_inspection_faults_twice_is_refused(store: Store) -> None:
    card = store.models.add("lab", model_card())
    for _ in range(2):
        assert store.models.get("lab", card.id).state == "inspecting"
        store.leases.fail(taken(store, card.id), "model_fault", "It crashed.", retry=True)
    assert store.models.get("lab", card.id).refusal.detail == "It crashed."


def test_a_model_removed_while_it_is_inspected_is_gone(store: Store) -> None:
    card = store.models.add("lab", model_card())
    lease = taken(store, card.id)
    store.models.remove("lab", card.id)
    assert store.leases.beat(lease, Progress()) == "lost"
    assert store.leases.commit(lease, inspected(lease)) is False
