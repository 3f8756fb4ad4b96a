"""Bytes under their own digest: models, samples and adversarial arrays, in a folder or an S3 bucket.

    <url>/objects/ab/cdef…      an object's SHA-256, cut after two digits
    <url>/incoming/             files in the making (folder only; for a bucket they wait in the machine's own tmp)

An object appears whole or not at all, is never changed, and is checked against its digest whenever it is read.
Who still needs it is counted elsewhere (`jobs/store/store.py`): this class keeps no books.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from algorithms.errors import NotFound, Refused
from models import incoming
from models.storage import disk_errors, unreachable

DIGEST = re.compile(r"[0-9a-f]{64}")
LOST = (
    "These bytes are lost or damaged on the server's side. Upload the model or the samples again (the same bytes mend "
    "what stands on them); what was computed, run again."
)
MISSING = (FileNotFoundError, NotFoundError)  # obstore raises the one or the other, by call
TRIED_BYTES = 4096  # a disk that is full may still have room for a name


class Library:
    """A library is `file:///folder` or `s3://bucket/prefix`; obstore reads address and keys from AWS_ variables."""

    def __init__(self, url: str) -> None:
        """Makes the folder where it does not exist; does not talk to the bucket yet."""
        place = urlsplit(url)
        self._folder: Path | None = None
        self._store: LocalStore | S3Store
        if place.scheme == "file" and place.netloc in ("", "localhost") and len(place.path) > 1:
            self._folder = Path(unquote(place.path))
            self._incoming = _private_folder(self._folder / "incoming")
            self._store = LocalStore(self._folder)
        elif place.scheme == "s3" and place.netloc:
            self._incoming = Path(tempfile.gettempdir())
            self._store = _bucket(url)
        else:
            raise Refused("The library is file:///absolute/folder or s3://bucket/prefix.")

    def incoming(self) -> Path:
        """Name a local folder for temporary files; `put_file` takes them from there without a copy where it can."""
        return self._incoming

    def put_file(self, path: Path, sha256: str) -> None:
        """Adopt a finished file whose digest the caller computed while writing it; the file is gone. Idempotent."""
        key = _key(sha256)
        with _storage_errors():
            if self._folder is not None:
                _adopt(path, self._folder / key)
            else:
                obstore.put(self._store, key, path)
                path.unlink()

    def put(self, data: bytes) -> str:
        """Store the bytes and return their SHA-256. Idempotent."""
        sha256 = hashlib.sha256(data).hexdigest()
        with _storage_errors():
            draft = incoming.begin(self._incoming)
        try:
            with _storage_errors():
                draft.file.write(data)
                draft.file.flush()
            self.put_file(draft.path, sha256)
        finally:
            draft.discard()
        return sha256

    def sweep(self) -> int:
        """Remove what processes that died have left in `incoming`, and count it."""
        return incoming.sweep(self._incoming, is_ours=self._folder is not None)

    def get(self, sha256: str) -> bytes:
        """Return an object's bytes.

        Raises NotFound, also where they are no longer what was put; Unavailable.
        """
        with _storage_errors():
            try:
                data = obstore.get(self._store, _key(sha256)).bytes().to_bytes()
            except MISSING as error:
                raise NotFound(LOST) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise NotFound(LOST)
        return data

    def size(self, sha256: str) -> int:
        """Count an object's bytes, 0 where there is none. Raises Unavailable."""
        with _storage_errors():
            try:
                return int(obstore.head(self._store, _key(sha256))["size"])
            except MISSING:
                return 0

    def delete(self, sha256: str) -> None:
        """Forget the object; nothing happens where there is none."""
        with _storage_errors(), suppress(*MISSING):
            obstore.delete(self._store, _key(sha256))

    def check(self) -> None:
        """Raise Unavailable unless objects can be read and, in a folder, written now; OutOfRoom where it is full."""
        with _storage_errors():
            if self._folder is None:
                next(iter(obstore.list(self._store, "objects", chunk_size=1)), None)
            else:
                with tempfile.TemporaryFile(dir=self._incoming, buffering=0) as file:
                    file.write(bytes(TRIED_BYTES))


def _bucket(url: str) -> S3Store:
    patience = timedelta(seconds=20)  # obstore's own three minutes would hold an HTTP request as long
    return S3Store.from_url(url, retry_config={"max_retries": 3, "retry_timeout": patience})


def _key(sha256: str) -> str:
    if not DIGEST.fullmatch(sha256):
        raise NotFound("There is no such object.")
    return f"objects/{sha256[:2]}/{sha256[2:]}"


def _private_folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _adopt(path: Path, home: Path) -> None:
    """Move a file into place so that it survives a power cut from the moment this returns."""
    _private_folder(home.parent)
    _sync(path)
    os.replace(path, home)
    _sync(home.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _storage_errors() -> Iterator[None]:
    """In the words of `algorithms/errors.py`."""
    try:
        with disk_errors():
            yield
    except BaseError as error:
        raise unreachable() from error
