"""Each way in which Redis fails has its own words, whatever version says it."""

import pytest
import redis

from algorithms.errors import OutOfRoom, Unavailable
from jobs.store.connection.failures import meaning

FULL = "command not allowed when used memory > 'maxmemory'."
IN_A_SCRIPT = "Error running script (call to f_ab): @user_script:1: @user_script: 1: -"


@pytest.mark.parametrize(
    "error",
    [
        redis.OutOfMemoryError(FULL),
        redis.OutOfMemoryError(f"{FULL} script: ab, on @user_script:1."),
        redis.ResponseError(f"{IN_A_SCRIPT}OOM {FULL}"),
    ],
)
def test_a_full_redis_is_out_of_room(error):
    assert isinstance(meaning(error), OutOfRoom)
    assert "full" in meaning(error).detail


@pytest.mark.parametrize("before", ["", IN_A_SCRIPT])
def test_a_redis_that_cannot_write_to_its_disk_says_so(before):
    meant = meaning(redis.ResponseError(f"{before}MISCONF Errors writing to the AOF file: No space left on device"))
    assert "disk" in meant.detail
    assert not isinstance(meant, OutOfRoom)


AWAY = [
    redis.ConnectionError("refused"),
    redis.TimeoutError("silent"),
    redis.BusyLoadingError("Redis is loading the dataset in memory"),
    redis.ReadOnlyError("You can't write against a read only replica."),
    redis.ResponseError("BUSY Redis is busy running a script."),
    redis.ResponseError("NOREPLICAS Not enough good replicas to write."),
]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: str(error)[:20])
def test_what_passes_by_itself_is_unavailable_for_now(error):
    assert type(meaning(error)) is Unavailable
    assert meaning(error).retry_after > 0


@pytest.mark.parametrize("words", ["wrong number of arguments", "WRONGTYPE Operation against a key", "user said OOM x"])
def test_a_mistake_of_ours_is_not_hidden(words):
    assert meaning(redis.ResponseError(words)) is None
