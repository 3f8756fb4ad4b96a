"""What a move leaves to do, done: a message in the broker, bytes deleted and reported."""

import json
import socket
from pathlib import Path

import pytest
import redis

from algorithms.errors import NotFound
from jobs.effects import settle
from jobs.queue import Queue
from jobs.record import Dispatch, Effects
from jobs.store.store import Store
from models.library import Library
from tests.jobs_for_tests import model_card


def test_a_dispatch_becomes_one_message_in_its_queue(empty_valkey_url: str) -> None:
    sent = Queue(empty_valkey_url).send([Dispatch("compute", "job_a", 3), Dispatch("probe", "job_b", 0)])
    with redis.Redis.from_url(empty_valkey_url) as broker:
        messages = {queue: [json.loads(text) for text in broker.lrange(queue, 0, -1)] for queue in ("compute", "probe")}
    assert sent == 2
    assert [len(messages[queue]) for queue in messages] == [1, 1]
    assert messages["compute"][0]["headers"]["task"] == "run_chunk"
    assert messages["compute"][0]["headers"]["argsrepr"] == "('job_a', 3)"


def test_a_broker_that_is_away_raises_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        queue = Queue(f"redis://127.0.0.1:{free.getsockname()[1]}/0")
        assert queue.send([Dispatch("compute", "job_a", 0)]) == 0


def test_bytes_that_nobody_holds_are_deleted_and_can_come_back(
    store: Store, empty_valkey_url: str, tmp_path: Path
) -> None:
    library, queue = Library(tmp_path.as_uri()), Queue(empty_valkey_url)
    digest = library.put(b"a model")
    card = model_card(sha256=digest)
    store.add_model("lab", card)
    settle(store.remove_model("lab", card.id), store=store, queue=queue, library=library)
    with pytest.raises(NotFound):
        library.get(digest)
    again = model_card(sha256=digest)
    store.hold("lab", again.id, digest)
    library.put(b"a model")
    assert store.add_model("lab", again)[0].state == "inspecting"


def test_nothing_to_do_is_done(store: Store, empty_valkey_url: str, tmp_path: Path) -> None:
    library = Library(tmp_path.as_uri())
    settle(Effects(), store=store, queue=Queue(empty_valkey_url), library=library)
    assert library.ready()
