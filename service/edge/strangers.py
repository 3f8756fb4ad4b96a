"""How often an address may come without a valid key: beyond that it is told to come back later, instead of 401.

Only failures count, and a key is looked at in any case, so whoever has a good one is never kept out by others behind
the same address. What is remembered is bounded: of many addresses those that failed last.
"""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock
from time import monotonic

from algorithms.errors import RateLimited

MOST_ADDRESSES = 10_000
MINUTE = 60.0
NOT_AN_ADDRESS = "somewhere"  # a socket of a file, or a header that a trusted proxy passes on
PREFIX_BITS = 64  # of IPv6, which one host is usually given whole


class Strangers:
    """Holds a bucket for each address, of as many failures as a minute may have, which fills again at that rate."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = monotonic) -> None:
        """`per_minute` 0: as many as come."""
        self._per_minute, self._clock = per_minute, clock
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def fail(self, host: str | None) -> None:
        """Counts a failure. Raises RateLimited where there were too many; those that are refused do not count."""
        if not self._per_minute:
            return
        turn, address = MINUTE / self._per_minute, _address(host)
        with self._lock:
            now = self._clock()
            full_at = max(now, self._full_at.pop(address, now)) + turn
            wait = full_at - now - MINUTE
            self._full_at[address] = full_at if wait <= 0 else full_at - turn
            if len(self._full_at) > MOST_ADDRESSES:
                self._full_at.popitem(last=False)
        if wait > 0:
            raise RateLimited(
                "Too many requests without a valid key came from this address. Correct the key, or wait; a request "
                "with a valid one is answered at any time.",
                retry_after=ceil(wait),
            )


def _address(host: str | None) -> str:
    try:
        found = ip_address(host or "")
    except ValueError:
        return NOT_AN_ADDRESS
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or int(found) >> (128 - PREFIX_BITS))
    return str(found)
