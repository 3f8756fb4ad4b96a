"""What it means when Redis fails: each way as the error that callers know, with a sentence that says what to do."""

import re

import redis

from algorithms.errors import OutOfRoom, Unavailable

# A script's error is named like a command's; before Redis 7 the name stood inside the sentence.
_NAME = re.compile(r"(?:Error running script .*?-)?([A-Z]{3,}) ")
_AWAY = frozenset({"LOADING", "READONLY", "BUSY", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN"})


def meaning(error: redis.RedisError) -> Unavailable | None:
    """Returns the error to raise instead; None where Redis is well, and what we asked is at fault."""
    name = _name(error)
    if isinstance(error, redis.OutOfMemoryError) or name == "OOM":
        return OutOfRoom(
            "There is no room left: Redis is full, and takes nothing new. Delete models, samples or jobs that are not "
            "needed, or ask the operator to raise its maxmemory.",
            retry_after=60,
        )
    if name == "MISCONF":
        return Unavailable(
            "Redis cannot write to its disk, and takes nothing new or changed; what is there can be read. Try again "
            "once the operator has made room on that disk, or has mended it.",
            retry_after=30,
        )
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | redis.ReadOnlyError) or name in _AWAY:
        return silent()
    return None


def silent() -> Unavailable:
    """Makes the error of a Redis that does not answer."""
    return Unavailable("Redis does not answer right now; try again shortly.", retry_after=2)


def _name(error: redis.RedisError) -> str:
    match = _NAME.match(str(error)) if isinstance(error, redis.ResponseError) else None
    return match[1] if match else ""
