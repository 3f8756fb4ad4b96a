"""API keys as the store keeps them."""

from datetime import UTC, datetime

from jobs.record import KeyRecord
from jobs.store.cards import accept
from jobs.store.connection import Connection
from jobs.store.names import key

TOUCH_SECONDS = 60


class AccessKeys(Connection):
    def add_key(self, record: KeyRecord) -> None:
        self._ask(("HSET", key("keys"), record.id, record.model_dump_json()))

    def key(self, key_id: str) -> KeyRecord | None:
        (found,) = self._ask(("HGET", key("keys"), key_id))
        return KeyRecord.model_validate_json(found) if found else None

    def keys(self) -> list[KeyRecord]:
        """Oldest first, each with its last use."""
        found, used = self._ask(("HGETALL", key("keys")), ("HGETALL", key("keys", "used")))
        records = [_with_last_use(KeyRecord.model_validate_json(text), used) for text in found.values()]
        return sorted(records, key=lambda record: record.created_at)

    def revoke_key(self, key_id: str) -> bool:
        """False: there was no such key."""
        removed, *_ = self._ask(("HDEL", key("keys"), key_id), ("HDEL", key("keys", "used"), key_id))
        return bool(removed)

    def arrive(self, record: KeyRecord) -> None:
        """A request came with this key: charges its tenant, and remembers the use once a minute. One round trip.

        Raises RateLimited where the tenant asks more often than `requests_per_second`, after a burst.
        """
        reply = self._call(
            "arrive",
            tenant=record.tenant,
            id=record.id,
            per_second=self._settings.requests_per_second,
            burst=self._settings.requests_burst,
            touch_seconds=TOUCH_SECONDS,
            moment=datetime.now(UTC).isoformat(),
        )
        accept(reply)


def _with_last_use(record: KeyRecord, used: dict[str, str]) -> KeyRecord:
    moment = used.get(record.id)
    return record.model_copy(update={"last_used_at": datetime.fromisoformat(moment)}) if moment else record
