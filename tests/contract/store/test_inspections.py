"""An inspection is a unit of work like any other, and ends in a ready card or a refusal."""

from jobs.record import Dispatch, Effects, Progress
from jobs.store.store import Store
from tests.jobs_for_tests import FOUND, model_card, taken


def test_an_inspection_makes_a_model_ready(store: Store) -> None:
    card, effects = store.add_model("lab", model_card())
    assert (card.state, effects.dispatches) == ("inspecting", (Dispatch("inspect", card.id, 0),))
    lease = taken(store, card.id)
    assert (lease.work, lease.model, lease.spec) == ("inspect", card, None)
    before = store.version("lab", card.id)
    assert store.commit_inspection(lease, FOUND) == (True, Effects())
    ready = store.model("lab", card.id)
    assert (ready.state, ready.input, ready.offers) == ("ready", FOUND.input, FOUND.offers)
    assert (store.state("lab", card.id), store.version("lab", card.id)) == ("ready", before + 1)
    assert store.commit_inspection(lease, FOUND)[0] is False


def test_a_refused_model_says_why_and_its_bytes_go_at_once(store: Store) -> None:
    card, _ = store.add_model("lab", model_card())
    accepted, effects = store.refuse_model(taken(store, card.id), "shape_bomb", "Too large.")
    assert (accepted, effects.digests) == (True, (card.sha256,))
    refused = store.model("lab", card.id)
    assert (refused.state, refused.refusal.code, refused.refusal.detail) == ("refused", "shape_bomb", "Too large.")


def test_a_model_whose_inspection_faults_twice_is_refused(store: Store) -> None:
    card, _ = store.add_model("lab", model_card())
    for _ in range(2):
        assert store.model("lab", card.id).state == "inspecting"
        store.fail(taken(store, card.id), "model_fault", "It crashed.", retry=True)
    assert store.model("lab", card.id).refusal.detail == "It crashed."


def test_a_model_removed_while_it_is_inspected_is_gone(store: Store) -> None:
    card, _ = store.add_model("lab", model_card())
    lease = taken(store, card.id)
    store.remove_model("lab", card.id)
    assert store.beat(lease, Progress()) == "lost"
    assert store.commit_inspection(lease, FOUND)[0] is False
