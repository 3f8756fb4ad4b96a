"""Who holds which bytes of the library. Bytes that nobody holds may be deleted at any moment."""

import hashlib
from pathlib import Path

from jobs.store.connection import Connection
from jobs.store.names import kind_of
from models.library import Library


class Holdings:
    """Puts bytes into the library in the name of the object that needs them."""

    def __init__(self, connection: Connection, library: Library) -> None:
        self._connection, self._library = connection, library

    def put(self, tenant: str, owner_id: str, data: bytes) -> str:
        """Keeps bytes for an object and returns their SHA-256. Raises what `hold` raises."""
        self.hold(tenant, owner_id, hashlib.sha256(data).hexdigest())
        return self._library.put(data)

    def put_file(self, tenant: str, owner_id: str, path: Path, sha256: str) -> None:
        """Keeps a finished file, which is gone then, for an object. Raises what `hold` raises."""
        self.hold(tenant, owner_id, sha256)
        self._library.put_file(path, sha256)

    def hold(self, tenant: str, owner_id: str, digest: str) -> None:
        """Keeps bytes from being deleted before they are even there, for an object about to be added or for a job.

        The hold lapses after an hour unless the object is added by then. Raises Unavailable for the moment in which
        the very same bytes are being deleted.
        """
        self._connection.call("hold", tenant=tenant, kind=kind_of(owner_id), id=owner_id, digest=digest)
