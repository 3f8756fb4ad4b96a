"""Which workers live."""

from typing import Any

from jobs.spec import QueueName
from jobs.store.connection.connection import Connection
from jobs.store.names import key
from models.record import Record


class WorkerRecord(Record):
    """A worker record says of a worker what it said itself when it last beat."""

    id: str
    kind: QueueName
    info: dict[str, Any] = {}


class Workers:
    """Remembers a worker for as long as it beats."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def beat(self, worker_id: str, kind: QueueName, info: dict[str, Any]) -> None:
        """Says that this worker lives, for two leases more."""
        record = WorkerRecord(id=worker_id, kind=kind, info=info)
        self._connection.call("alive", id=worker_id, record=record.model_dump_json())

    def live(self) -> list[WorkerRecord]:
        """Returns the workers that have beaten lately, by name."""
        (ids,) = self._connection.ask(("SMEMBERS", key("workers")))
        names = sorted(ids)
        beats = self._connection.ask(*(("GET", key("worker", name)) for name in names))
        self._believe_no_longer(names)
        gone = [name for name, beat in zip(names, beats, strict=True) if beat is None]
        if gone:
            self._connection.ask(("SREM", key("workers"), *gone))
        return [WorkerRecord.model_validate_json(beat) for beat in beats if beat]

    def _believe_no_longer(self, names: list[str]) -> None:
        """Shortens lives that are longer than a beat makes them: the server's clock was set back since."""
        most = 2 * self._connection.limits["lease_ms"]
        lives = self._connection.ask(*(("PTTL", key("worker", name)) for name in names))
        too_long = [name for name, life in zip(names, lives, strict=True) if life > most]
        self._connection.ask(*(("PEXPIRE", key("worker", name), most) for name in too_long))
