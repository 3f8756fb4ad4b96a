"""What models, samples, jobs and audits have in common: a state, a version, a place in a list, an end."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from algorithms.errors import Refused
from jobs.idempotency import Idempotency
from jobs.page import Page
from jobs.store.connection.refusals import reused
from jobs.store.moves import Moves
from jobs.store.names import ObjectKind, checked, found, key, kind_of

T = TypeVar("T")
Load = Callable[[Sequence[str]], Sequence[T | None]]
BATCH = 100


def place(cursor: str | None, *, start: int) -> int:
    """Reads a cursor, None as `start`. Raises Refused(invalid_request) for what we never gave out."""
    if cursor is None:
        return start
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        raise Refused("This cursor is not one of ours; use next_cursor of the page before.")
    return int(cursor)


def as_argument(idempotency: Idempotency | None) -> dict[str, str] | None:
    """Writes an idempotency key as the scripts take it."""
    return {"key": idempotency.digest, "fingerprint": idempotency.fingerprint} if idempotency else None


class Objects:
    """Answers what can be asked of any object by its id alone."""

    def __init__(self, moves: Moves) -> None:
        self._moves, self._ask = moves, moves.connection.ask

    def version(self, tenant: str, object_id: str) -> int:
        """Returns a number that grows with every change of a job, an audit or a model. One cheap read."""
        return int(self.field(tenant, object_id, "version"))

    def state(self, tenant: str, object_id: str) -> str:
        """Returns the state of a job, an audit or a model. One cheap read."""
        return self.field(tenant, object_id, "state")

    def field(self, tenant: str, object_id: str, field: str) -> str:
        """Returns one field of an object. Raises NotFound where there is no such object or field."""
        (value,) = self._ask(("HGET", key("t", tenant, kind_of(object_id), object_id), field))
        return str(found(value))

    def replayed(self, tenant: str, idempotency: Idempotency) -> str | None:
        """Returns the id of what was first made with this key and is still there: ask before admission.

        Raises Refused(idempotency_key_reused).
        """
        (row,) = self._ask(("HMGET", key("t", tenant, "idempotency", idempotency.digest), "fingerprint", "id"))
        fingerprint, object_id = row
        if object_id is None or not self._exists(tenant, object_id):
            return None
        if fingerprint != idempotency.fingerprint:
            raise reused()
        return str(object_id)

    def remove(self, tenant: str, kind: ObjectKind, object_id: str) -> None:
        """Takes an object away, a live job or audit after cancelling it. Raises NotFound, Conflict(in_use)."""
        self._moves.make("remove", durable=True, tenant=tenant, kind=kind, id=checked(object_id, kind))

    def page(self, tenant: str, kind: ObjectKind, cursor: str | None, limit: int, load: Load[T]) -> Page[T]:
        """Lists objects, newest first. A cursor is the place of a page's last item in the order of making.

        `load` gives the objects of some ids, None for those that are gone or not wanted.
        """
        before = place(cursor, start=2**53)
        items: list[T] = []
        while True:
            ids, scores = self._before(tenant, kind, before)
            for score, item in zip(scores, load(ids), strict=True):
                if item is not None and len(items) == limit:
                    return Page(items=tuple(items), next_cursor=str(before))
                before = score
                if item is not None:
                    items.append(item)
            if len(ids) < BATCH:
                return Page(items=tuple(items))

    def _before(self, tenant: str, kind: ObjectKind, before: int) -> tuple[list[str], list[int]]:
        name = key("t", tenant, "list", kind)
        (ids,) = self._ask(("ZREVRANGEBYSCORE", name, f"({before}", "-inf", "LIMIT", 0, BATCH))
        scores = self._ask(*(("ZSCORE", name, object_id) for object_id in ids))
        return ids, [int(score or 0) for score in scores]

    def _exists(self, tenant: str, object_id: str) -> bool:
        (is_there,) = self._ask(("EXISTS", key("t", tenant, kind_of(object_id), object_id)))
        return bool(is_there)
