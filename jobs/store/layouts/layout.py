"""The layout of the store's keys has a number, which is kept in Redis beside them.

Every process meets it before its first command (`Connection`): the API, the workers, the command that makes keys. An
older layout is rewritten then, once, by whoever comes first; the others wait. A newer one is refused. All processes
of the older version must have been stopped before.

    1   version 0.1.0, which kept no number (`layout_1.py` says what it looked like)
    2   versions that counted no bytes (`layout_2.py`)
    3   versions whose workers took one chunk at a time: read as it is, but they could not read ours
    4   this version (`store.py` lists the keys)
"""

import secrets
import time
from collections.abc import Callable
from typing import Any

from algorithms.errors import Unavailable
from jobs.store.layouts import layout_1, layout_2
from jobs.store.names import key

LAYOUT = 4
REWRITES: dict[int, Callable[[Any], None]] = {
    1: layout_1.rewrite,
    2: layout_2.rewrite,
    3: lambda _: None,
}  # from that number to the next; safe to repeat
LOCK_SECONDS = 60  # after which a rewrite whose process died may be begun again
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.2
# A rewrite that took longer than its lock lasts finds another's there, and leaves it.
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class OtherLayout(Unavailable):
    """Redis holds a layout that this version cannot read; `detail` says what to do."""


def meet(redis: Any) -> None:
    """Makes sure that Redis holds our layout, which may take a while after an update.

    Raises OtherLayout where it holds a newer one, Unavailable where another process takes too long to rewrite it.
    """
    end, token = time.monotonic() + PATIENCE_SECONDS, secrets.token_hex(16)
    while (there := _number(redis)) != LAYOUT:
        if there > LAYOUT:
            raise OtherLayout(
                f"This Redis was written by a newer version of Brinell (layout {there}; this version reads {LAYOUT}). "
                "Start that version again, or point BRINELL_REDIS_URL at another Redis.",
                retry_after=60,
            )
        if redis.set(key("layout", "lock"), token, nx=True, ex=LOCK_SECONDS):
            _rewrite(redis, token)
        elif time.monotonic() > end:
            raise Unavailable("The store is being rewritten for this version; try again shortly.", retry_after=10)
        else:
            time.sleep(LOOK_SECONDS)


def _rewrite(redis: Any, token: str) -> None:
    """Under the lock that holds `token`. The number is read again: whoever held the lock before may have done this."""
    try:
        for number in range(_number(redis), LAYOUT):
            REWRITES[number](redis)
            redis.set(key("layout"), number + 1)
    finally:
        redis.eval(RELEASE, 1, key("layout", "lock"), token)


def _number(redis: Any) -> int:
    """The layout that is there. Where nothing is there yet, ours is from now on."""
    if (kept := redis.get(key("layout"))) is not None:
        return int(kept)
    if redis.exists(key("keys"), key("sequence")):
        return 1
    redis.set(key("layout"), LAYOUT, nx=True)
    return int(redis.get(key("layout")))
