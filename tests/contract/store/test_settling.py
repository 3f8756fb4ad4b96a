"""What a move leaves to do outside Redis is done with it; and again, where it was not done."""

import json

import pytest
import redis

from algorithms.errors import NotFound
from jobs.installation.settings import Settings
from jobs.store.store import Store
from jobs.work.queue import Dispatch
from tests.contract.store.passing import After
from tests.jobs_for_tests import NotedLibrary, NotedQueue, model_card


def test_a_move_sends_its_messages(store: Store, empty_valkey_url: str) -> None:
    card = store.models.add("lab", model_card())
    with redis.Redis.from_url(empty_valkey_url) as broker:
        (message,) = (json.loads(text) for text in broker.lrange("inspect", 0, -1))
    assert message["headers"]["argsrepr"] == f"('{card.id}', 0)"


def test_bytes_that_nobody_holds_are_deleted_and_can_come_back(store: Store, library: NotedLibrary) -> None:
    card = model_card()
    digest = store.holdings.put("lab", card.id, b"a model")
    store.models.add("lab", card.model_copy(update={"sha256": digest}))
    store.models.remove("lab", card.id)
    with pytest.raises(NotFound):
        library.get(digest)
    again = model_card(sha256=digest)
    assert store.holdings.put("lab", again.id, b"a model") == digest
    assert store.models.add("lab", again).state == "inspecting"
    assert library.get(digest) == b"a model"


def test_a_message_is_sent_again_where_its_sender_died_before_it(store: Store, queue: NotedQueue, after: After) -> None:
    card = store.models.add("lab", model_card())
    queue.sent()  # and lost with the sender: Redis alone knows of it
    after(2.5 * Settings().lease_seconds)
    store.moves.reap()
    assert queue.sent() == [Dispatch("inspect", card.id, 0)]
