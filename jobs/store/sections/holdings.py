"""Who holds which bytes of the library. Bytes that nobody holds may be deleted at any moment."""

import hashlib
from pathlib import Path

from jobs.idempotency import Idempotency
from jobs.store.moves import Moves
from jobs.store.names import key, kind_of
from jobs.store.sections.objects import as_argument
from models.library import Library

MEASURED_AT_ONCE = 100


class Holdings:
    """Puts bytes into the library in the name of the object that needs them."""

    def __init__(self, moves: Moves, library: Library) -> None:
        self._moves, self._connection, self._library = moves, moves.connection, library

    def put(self, tenant: str, owner_id: str, data: bytes) -> str:
        """Keeps bytes for an object and returns their SHA-256. Raises what `hold` raises."""
        self.hold(tenant, owner_id, hashlib.sha256(data).hexdigest(), len(data))
        return self._library.put(data)

    def put_file(self, tenant: str, owner_id: str, path: Path, sha256: str) -> None:
        """Keeps a finished file, which is gone then, for an object. Raises what `hold` raises."""
        self.hold(tenant, owner_id, sha256, path.stat().st_size)
        self._library.put_file(path, sha256)

    def make_room(
        self, tenant: str, owner_id: str, size: int, once: Idempotency | None = None, *, bytes_per_second: int
    ) -> bool:
        """Reserves room for an upload of so many bytes, before the first of them. Raises OverQuota.

        It lapses with `give_up_room`, and an hour after all have come at `bytes_per_second`, which is the slowest they
        may. Returns whether anything will be kept: not where `once` is known already, and then no room is needed.
        """
        kind = kind_of(owner_id)
        quota = {"model": "models", "samples": "samples", "job": "live_jobs"}[kind]
        known = as_argument(once)
        about = {"tenant": tenant, "kind": kind, "id": owner_id}
        wish = {"quota": quota, "bytes": size, "bytes_per_second": bytes_per_second}
        return bool(self._moves.make("make_room", durable=False, **about, idempotency=known, **wish)["keeps"])

    def give_up_room(self, tenant: str, owner_id: str) -> None:
        """Lets go what was reserved and held for an object, unless it was added."""
        self._moves.make("give_up_room", tenant=tenant, kind=kind_of(owner_id), id=owner_id)

    def hold(self, tenant: str, owner_id: str, digest: str, size: int) -> None:
        """Keeps bytes from being deleted before they are even there, for an object about to be added or for a job.

        The hold lapses after an hour unless the object is added by then. Raises Unavailable for the moment in which
        the very same bytes are being deleted, and OverQuota where there is no room for what is not added yet.
        """
        kind = kind_of(owner_id)
        self._connection.call("hold", tenant=tenant, kind=kind, id=owner_id, digest=digest, bytes=size)

    def measure(self) -> None:
        """Counts the bytes of some of what was kept before bytes were counted: call it now and then, until all is."""
        (members,) = self._connection.ask(("SRANDMEMBER", key("unmeasured"), MEASURED_AT_ONCE))
        for member in members:
            tenant, owner_id, digest = member.split()
            size = self._library.size(digest)
            self._connection.call("measured", tenant=tenant, id=owner_id, digest=digest, bytes=size, member=member)
