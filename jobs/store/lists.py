"""Lists in pages, newest first. A cursor is the place of a page's last item in the order of making."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from algorithms.errors import Refused
from jobs.record import Page
from jobs.store.connection import Connection
from jobs.store.names import ObjectKind, key

T = TypeVar("T")
Load = Callable[[Sequence[str]], Sequence[T | None]]
BATCH = 100


def place(cursor: str | None, *, start: int) -> int:
    """Raises Refused(invalid_request) for what we never gave out."""
    if cursor is None:
        return start
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        raise Refused("This cursor is not one of ours; use next_cursor of the page before.")
    return int(cursor)


class Lists(Connection):
    def _page(self, tenant: str, kind: ObjectKind, cursor: str | None, limit: int, load: Load[T]) -> Page[T]:
        """`load` gives the objects of some ids, None for those that are gone or not wanted."""
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
