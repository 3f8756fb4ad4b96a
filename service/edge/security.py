"""API keys: how they are made, recognised and compared. Only a hash of the secret is ever stored.

A key reads `brn_<id>_<secret><check>`: a public id to look it up by, 256 random bits, and a CRC-32 that lets scanners
and typing errors be told apart from keys. The check is no proof of anything; the hash is.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass

ALPHABET = string.digits + string.ascii_letters
ID_LENGTH = 12
SECRET_LENGTH = 43  # log2(62) * 43 = 256 bits
CHECK_LENGTH = 6
_FORM = re.compile(rf"brn_([0-9A-Za-z]{{{ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})")
NOBODY = hashlib.sha256(b"nobody").hexdigest()  # compared with where the id is unknown, so that both take as long

SCOPES = ("models:read", "models:write", "samples:read", "samples:write", "jobs:read", "jobs:write")


@dataclass(frozen=True)
class NewKey:
    """A new key is known as a whole at this moment only."""

    id: str
    text: str
    secret_hash: str


@dataclass(frozen=True)
class PresentedKey:
    """A presented key is what a caller sent, taken apart."""

    id: str
    secret: str


def new_key() -> NewKey:
    """Makes a key of random bits."""
    key_id, secret = _random(ID_LENGTH), _random(SECRET_LENGTH)
    return NewKey(id=key_id, text=f"brn_{key_id}_{secret}{_check(key_id, secret)}", secret_hash=hash_secret(secret))


def read_key(text: str) -> PresentedKey | None:
    """Takes a key apart; None where this cannot be a key of ours, so that the store need not be asked."""
    match = _FORM.fullmatch(text)
    if match is None or match[3] != _check(match[1], match[2]):
        return None
    return PresentedKey(id=match[1], secret=match[2])


def hash_secret(secret: str) -> str:
    """Hashes by SHA-256, which is not slow: the secret has 256 random bits, and a slow hash would be a lever against
    us.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, stored_hash: str | None) -> bool:
    """Compares in constant time, and does the same work whether or not there is such a key."""
    same = hmac.compare_digest(hash_secret(secret), stored_hash or NOBODY)
    return same and stored_hash is not None


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _check(key_id: str, secret: str) -> str:
    number, digits = zlib.crc32(f"{key_id}_{secret}".encode()), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
