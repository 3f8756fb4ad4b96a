"""Wake-up calls become messages in the broker."""

import json
import socket

import redis

from jobs.work.queue import Dispatch, Queue


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
