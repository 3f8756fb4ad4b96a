"""Raw uploads: streamed to a temporary file, counted and hashed while they arrive, removed whatever happens."""

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request

from algorithms.errors import Refused, TooLarge, Unavailable
from models import incoming
from models.storage import disk_errors
from service.wire.packets import packets

OCTET_STREAM, TEXT_PLAIN = "application/octet-stream", "text/plain"
BLOCK_BYTES = 1 << 20  # written at once: a hop to a thread per network packet would cost more than the write


@dataclass(frozen=True)
class Upload:
    """An upload is a finished file, ours until it is adopted by the library. `draft`: None where it was only hashed."""

    draft: Path | None
    sha256: str
    size_bytes: int

    @property
    def path(self) -> Path:
        """Returns where it is. Raises Unavailable where it is nowhere."""
        if self.draft is None:
            raise Unavailable("What this Idempotency-Key made was deleted meanwhile; send it again.", retry_after=1)
        return self.draft


def announced(request: Request, *, limit: int, too_large: str, types: tuple[str, ...] = (OCTET_STREAM,)) -> int:
    """Returns how many bytes are about to come, as one of these media types.

    Raises Refused(media_type, length_required) and TooLarge(`too_large`).
    """
    require_media_type(request, types)
    length = declared_length(request)
    if length > limit:
        detail = f"An upload may have at most {limit} bytes; the operator sets BRINELL_MAX_UPLOAD_BYTES."
        raise TooLarge(detail, code=too_large)
    return length


@asynccontextmanager
async def received(request: Request, folder: Path | None, *, length: int) -> AsyncIterator[Upload]:
    """Receives the body as a file in `folder`, which is gone after the block unless it was moved away; None: as a hash.

    Raises Refused(too_slow, invalid_request), OutOfRoom, starlette's ClientDisconnect where the client goes away.
    """
    sink: _Sink | _Hash = _Hash() if folder is None else await run_in_threadpool(_Sink, folder)
    try:
        await _fill(sink, request, length=length)
        yield await run_in_threadpool(sink.finish)
    finally:
        sink.discard()


def require_media_type(request: Request, types: tuple[str, ...] = (OCTET_STREAM,)) -> None:
    """Raises Refused(media_type): curl's --data-binary says form data unless told otherwise."""
    if media_type(request) not in types:
        raise Refused(f"Send the file as it is, with the header Content-Type: {types[0]}.", code="media_type")


def media_type(request: Request) -> str:
    """Returns the media type of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def declared_length(request: Request) -> int:
    """Returns the Content-Length. Raises Refused(length_required)."""
    text = request.headers.get("content-length", "")
    if not (text.isascii() and text.isdigit()):
        raise Refused("Send a Content-Length; an upload of unknown length is not taken.", code="length_required")
    return int(text[:19])


async def _fill(sink: "_Sink | _Hash", request: Request, *, length: int) -> None:
    """Counts while it reads: Content-Length is a claim."""
    block, size = bytearray(), 0
    async for packet in packets(request):
        size += len(packet)
        if size > length:
            break
        block += packet
        if len(block) >= BLOCK_BYTES:
            await run_in_threadpool(sink.write, bytes(block))
            block.clear()
    if size != length:
        raise Refused(f"The body had {size} bytes where Content-Length said {length}; send it again.")
    await run_in_threadpool(sink.write, bytes(block))


class _Hash:
    """What comes is hashed, and forgotten."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, block: bytes) -> None:
        self._digest.update(block)
        self._size += len(block)

    def finish(self) -> Upload:
        return Upload(draft=None, sha256=self._digest.hexdigest(), size_bytes=self._size)

    def discard(self) -> None:
        """There is nothing to remove."""


class _Sink:
    """A private temporary file that hashes what it is given."""

    @disk_errors()
    def __init__(self, folder: Path) -> None:
        self._draft = incoming.begin(folder)
        self._digest = hashlib.sha256()
        self._size = 0

    @disk_errors()
    def write(self, block: bytes) -> None:
        self._digest.update(block)
        self._size += self._draft.file.write(block)

    @disk_errors()
    def finish(self) -> Upload:
        """On the disk, not only on its way there: the library renames the file, and a rename can overtake the data."""
        self._draft.file.flush()
        os.fsync(self._draft.file.fileno())
        return Upload(draft=self._draft.path, sha256=self._digest.hexdigest(), size_bytes=self._size)

    def discard(self) -> None:
        """Harmless after the file was adopted: then there is nothing under this name any more."""
        self._draft.discard()
