"""How a call that comes twice is known again."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Idempotency:
    """An idempotency key and what came with it: the same key with another fingerprint is refused.

    `key` is the client's, joined with method and path, so that it counts for one call; `fingerprint` is made of query
    and body.
    """

    key: str
    fingerprint: str

    @property
    def digest(self) -> str:
        """Returns the key as a part of a store key: clients may write anything into it."""
        return hashlib.sha256(self.key.encode()).hexdigest()
