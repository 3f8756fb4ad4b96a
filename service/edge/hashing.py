"""How the secrets of API keys are hashed: with a key that lies outside of Redis, where the installation has one.

    <64 hex digits>                                      SHA-256 of the secret; without BRINELL_SECRET_KEYS
    hmac:<8 digits that name the key>:<64 hex digits>    HMAC-SHA-256 of that digest

The keyed hash is one of the other, so that what is stored unkeyed can be rewritten without the secret. Neither is slow:
the secret has 256 random bits, and a slow hash would be a lever against us. Of a keyed one, a copy of Redis does not
even tell which secret it is of.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

PURPOSE = b"brinell: hashes of API keys"  # what encrypts credentials is not itself used here
NAME_LENGTH = 8


class Hashing:
    """A hashing knows the keys of an installation, the newest first: the first hashes, each of them recognizes."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        found = (hmac.digest(base64.urlsafe_b64decode(key), PURPOSE, "sha256") for key in secret_keys)
        self._keys = {hashlib.sha256(key).hexdigest()[:NAME_LENGTH]: key for key in found}

    def of(self, secret: str) -> str:
        """Returns the hash under which a secret is stored from now on."""
        return self.of_digest(_digest(secret))

    def of_digest(self, digest: str) -> str:
        """Returns what an unkeyed hash is rewritten to; itself where there is no key."""
        return _keyed(digest, *next(iter(self._keys.items()))) if self._keys else digest

    def fits(self, secret: str, stored: str | None) -> bool:
        """Compares in constant time, and does the same work whether or not there is such a key."""
        digest = _digest(secret)
        name = _name_in(stored) if stored else next(iter(self._keys), None)
        there = digest if name is None else _keyed(digest, name, self._keys.get(name, b""))
        is_same = hmac.compare_digest(there, stored or _digest("nobody"))
        return is_same and bool(stored) and not self.is_lost(stored or "")

    def is_outdated(self, stored: str) -> bool:
        """Tells whether it is not hashed with the newest key."""
        return _name_in(stored) != next(iter(self._keys), None)

    def is_lost(self, stored: str) -> bool:
        """Tells whether it was hashed with a key that is none of ours, so that nothing fits it."""
        name = _name_in(stored)
        return name is not None and name not in self._keys


UNKEYED = Hashing(())


def is_unkeyed(stored: str) -> bool:
    """Tells whether it is a plain digest, which can be rewritten without the secret."""
    return _name_in(stored) is None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _keyed(digest: str, name: str, key: bytes) -> str:
    return f"hmac:{name}:{hmac.digest(key, digest.encode(), 'sha256').hex()}"


def _name_in(stored: str) -> str | None:
    kind, _, rest = stored.partition(":")
    return rest.partition(":")[0] if kind == "hmac" else None
