"""API keys as the store keeps them."""

from datetime import UTC, datetime

from pydantic import Field

from jobs.store.connection.connection import Connection
from jobs.store.names import key
from models.record import Record

TOUCH_SECONDS = 60


class KeyRecord(Record):
    """A key record is an API key as it is stored, without the secret itself."""

    id: str
    tenant: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")  # it becomes part of store keys
    scopes: frozenset[str]
    secret_hash: str  # of the secret part, as `service/edge/hashing.py` writes it
    name: str = ""
    created_at: datetime
    last_used_at: datetime | None = None


class Keys:
    """Keeps the API keys of all tenants, and counts what comes with them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, record: KeyRecord) -> None:
        """Adds a key; the secret itself is not known here."""
        self._connection.ask(("HSET", key("keys"), record.id, record.model_dump_json()))

    def get(self, key_id: str) -> KeyRecord | None:
        """Returns the key with this id, None where there is none."""
        (found,) = self._connection.ask(("HGET", key("keys"), key_id))
        return KeyRecord.model_validate_json(found) if found else None

    def all(self) -> list[KeyRecord]:
        """Returns the keys of all tenants, oldest first, each with its last use."""
        found, used = self._connection.ask(("HGETALL", key("keys")), ("HGETALL", key("keys", "used")))
        records = [_with_last_use(KeyRecord.model_validate_json(text), used) for text in found.values()]
        return sorted(records, key=lambda record: record.created_at)

    def revoke(self, key_id: str) -> bool:
        """Ends a key at once, and returns whether there was such a key."""
        removed, *_ = self._connection.ask(("HDEL", key("keys"), key_id), ("HDEL", key("keys", "used"), key_id))
        return bool(removed)

    def rehash(self, record: KeyRecord, secret_hash: str) -> None:
        """Puts another hash in the place of the record's. Nothing happens to a key that is revoked meanwhile."""
        changed = record.model_copy(update={"secret_hash": secret_hash, "last_used_at": None})
        self._connection.call("rehash", id=record.id, before=record.secret_hash, record=changed.model_dump_json())

    def arrive(self, record: KeyRecord) -> None:
        """Charges a request to the key's tenant, and remembers the use once a minute. One round trip.

        Raises RateLimited where the tenant asks more often than `requests_per_second`, after a burst.
        """
        settings = self._connection.settings
        self._connection.call(
            "arrive",
            tenant=record.tenant,
            id=record.id,
            per_second=settings.requests_per_second,
            burst=settings.requests_burst,
            touch_seconds=TOUCH_SECONDS,
            moment=datetime.now(UTC).isoformat(),
        )


def _with_last_use(record: KeyRecord, used: dict[str, str]) -> KeyRecord:
    moment = used.get(record.id)
    return record.model_copy(update={"last_used_at": datetime.fromisoformat(moment)}) if moment else record
