"""Stored hashes of API keys follow the installation's keys: unkeyed ones at start, the others at their use."""

import structlog

from algorithms.errors import Unavailable
from jobs.store.sections.keys import KeyRecord, Keys
from service.edge.hashing import Hashing, is_unkeyed

log = structlog.get_logger("service")


def rehash_all(keys: Keys, hashing: Hashing) -> None:
    """Rewrites what needs no secret, and tells the operator of keys that open nothing any more, and of those that will
    not once an older one of BRINELL_SECRET_KEYS is removed.

    Where Redis is away, each key is rewritten when it is used.
    """
    try:
        records = keys.all()
        for record in records:
            if is_unkeyed(record.secret_hash) and hashing.is_outdated(record.secret_hash):
                keys.rehash(record, hashing.of_digest(record.secret_hash))
    except Unavailable:
        return
    hashes = [record.secret_hash for record in records if not is_unkeyed(record.secret_hash)]
    if lost := sum(map(hashing.is_lost, hashes)):
        log.warning("api_keys_lost", keys=lost, because="their key is no more in BRINELL_SECRET_KEYS")
    if outdated := sum(map(hashing.is_outdated, hashes)) - lost:
        log.info("api_keys_outdated", keys=outdated, because="an older one of BRINELL_SECRET_KEYS still opens them")


def rehash(keys: Keys, record: KeyRecord, secret: str, hashing: Hashing) -> None:
    """Rewrites the hash of a key that was just recognized, where it is not the newest."""
    if hashing.is_outdated(record.secret_hash):
        keys.rehash(record, hashing.of(secret))
