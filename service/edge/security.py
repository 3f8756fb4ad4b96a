"""API keys: how they are made and taken apart. Only a hash of the secret is ever stored (`hashing.py`).

A key reads `brn_<id>_<secret><check>`: a public id to look it up by, 256 random bits, and a CRC-32 that lets scanners
and typing errors be told apart from keys. The check is no proof of anything; the hash is.
"""

import re
import secrets
import string
import zlib
from dataclasses import dataclass

from service.edge.hashing import UNKEYED, Hashing

ALPHABET = string.digits + string.ascii_letters
ID_LENGTH = 12
SECRET_LENGTH = 43  # log2(62) * 43 = 256 bits
CHECK_LENGTH = 6
_FORM = re.compile(rf"brn_([0-9A-Za-z]{{{ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})")
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


def new_key(hashing: Hashing = UNKEYED) -> NewKey:
    """Makes a key of random bits."""
    key_id, secret = _random(ID_LENGTH), _random(SECRET_LENGTH)
    text = f"brn_{key_id}_{secret}{_check(key_id, secret)}"
    return NewKey(id=key_id, text=text, secret_hash=hashing.of(secret))


def read_key(text: str) -> PresentedKey | None:
    """Takes a key apart; None where this cannot be a key of ours, so that the store need not be asked."""
    match = _FORM.fullmatch(text)
    if match is None or match[3] != _check(match[1], match[2]):
        return None
    return PresentedKey(id=match[1], secret=match[2])


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _check(key_id: str, secret: str) -> str:
    number, digits = zlib.crc32(f"{key_id}_{secret}".encode()), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
