"""Hashes of API keys: what fits, under which of the installation's keys, and what is rewritten."""

import base64
import hashlib
from itertools import product

import pytest

from service.edge.hashing import UNKEYED, Hashing, is_unkeyed

FIRST, SECOND, THIRD = (base64.urlsafe_b64encode(bytes(range(n, n + 32))).decode() for n in (10, 60, 110))
HASHINGS = {
    "unkeyed": UNKEYED,
    "first": Hashing([FIRST]),
    "second": Hashing([SECOND]),
    "rotated": Hashing([SECOND, FIRST]),
    "third": Hashing([THIRD]),
}
OPENS = {  # whose hashes each of them recognizes
    "unkeyed": {"unkeyed"},
    "first": {"unkeyed", "first"},
    "second": {"unkeyed", "second", "rotated"},
    "rotated": {"unkeyed", "first", "second", "rotated"},
    "third": {"unkeyed", "third"},
}
NEWEST = {"unkeyed": {"unkeyed"}, "first": {"first"}, "second": {"second", "rotated"}, "third": {"third"}}
NEWEST["rotated"] = NEWEST["second"]
PAIRS = pytest.mark.parametrize(("here", "there"), list(product(HASHINGS, HASHINGS)))


@PAIRS
def test_a_hash_fits_where_its_key_is_known(here: str, there: str) -> None:
    stored, hashing = HASHINGS[there].of("secret"), HASHINGS[here]
    assert hashing.fits("secret", stored) == (there in OPENS[here])
    assert not hashing.fits("secres", stored)
    assert hashing.is_lost(stored) == (there not in OPENS[here])
    assert hashing.is_outdated(stored) == (there not in NEWEST[here])


@pytest.mark.parametrize("name", HASHINGS)
def test_an_unkeyed_hash_is_rewritten_without_the_secret(name: str) -> None:
    assert HASHINGS[name].of_digest(UNKEYED.of("secret")) == HASHINGS[name].of("secret")


def test_an_unkeyed_hash_is_that_of_version_0_1_0() -> None:
    assert UNKEYED.of("secret") == hashlib.sha256(b"secret").hexdigest()
    assert is_unkeyed(UNKEYED.of("secret")) and not is_unkeyed(HASHINGS["first"].of("secret"))


@pytest.mark.parametrize("name", HASHINGS)
def test_nothing_fits_an_unknown_id_or_a_damaged_hash(name: str) -> None:
    hashing = HASHINGS[name]
    damaged = ["", "hmac:", "hmac::", "hmac:00000000:", hashing.of("secret")[:-1], hashing.of("secret").upper()]
    for secret, stored in product(["nobody", "secret", ""], [None, *damaged]):
        assert not hashing.fits(secret, stored)


def test_keys_of_two_installations_share_no_hash() -> None:
    assert len({hashing.of("secret") for hashing in HASHINGS.values()}) == 4  # rotated hashes like second
