"""A library keeps bytes under their digest, whole or not at all: the same laws in a folder and in a bucket."""

import hashlib
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from algorithms.errors import BrinellError, NotFound, Refused, Unavailable
from models.library import Library
from tests.patience import PATIENCE_SECONDS, until

DATA = bytes(range(256)) * 40
DIGEST = hashlib.sha256(DATA).hexdigest()
ABSENT = "0" * 64


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    """A fake S3 server of our own on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE_SECONDS)


def _wait_for(port: int, server: subprocess.Popen) -> None:
    def answers() -> bool:
        assert server.poll() is None, "the fake S3 server did not start"
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        return False

    until(answers, what="the fake S3 server")


@pytest.fixture
def bucket(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    keys = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests", "AWS_REGION": "us-east-1"}
    for name, value in (keys | {"AWS_ENDPOINT": s3_address, "AWS_ALLOW_HTTP": "true"}).items():
        monkeypatch.setenv(name, value)
    request = urllib.request.Request(f"{s3_address}/brinell", method="PUT", headers=SIGNED)
    urllib.request.urlopen(request, timeout=PATIENCE_SECONDS).close()
    return "s3://brinell/some/prefix"


SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/s3/aws4_request, Signature=0"}


@pytest.fixture(params=["folder", "bucket"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Library:
    if request.param == "folder":
        return Library((tmp_path / "a library").as_uri())
    return Library(request.getfixturevalue("bucket"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "library"


def test_what_was_put_is_got_under_its_digest(library: Library):
    assert library.put(DATA) == DIGEST
    assert library.get(DIGEST) == DATA


def test_the_empty_object_is_an_object(library: Library):
    assert library.get(library.put(b"")) == b""


def test_the_same_bytes_are_kept_once_and_may_be_put_again(library: Library):
    assert library.put(DATA) == library.put(DATA)
    library.delete(DIGEST)
    with pytest.raises(NotFound):
        library.get(DIGEST)


def test_an_adopted_file_is_gone_and_its_bytes_are_kept(library: Library):
    upload = library.incoming() / f"upload-{DIGEST[:8]}"
    upload.write_bytes(DATA)
    library.put_file(upload, DIGEST)
    assert not upload.exists()
    assert library.get(DIGEST) == DATA


def test_a_large_file_is_adopted_whole(library: Library):
    data = b"\x07" * (11 * 2**20)  # above the 5 MiB at which an upload to a bucket is cut into parts
    upload = library.incoming() / "large-upload"
    upload.write_bytes(data)
    library.put_file(upload, hashlib.sha256(data).hexdigest())
    assert library.get(hashlib.sha256(data).hexdigest()) == data


def test_what_was_deleted_is_not_found(library: Library):
    library.put(DATA)
    library.delete(DIGEST)
    with pytest.raises(NotFound):
        library.get(DIGEST)


def test_deleting_what_is_not_there_is_no_error(library: Library):
    library.delete(ABSENT)
    with pytest.raises(NotFound):
        library.get(ABSENT)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", DIGEST.upper(), DIGEST + "0", f"{DIGEST[:-1]}/"])
def test_only_a_digest_names_an_object(library: Library, name: str):
    library.put(DATA)
    with pytest.raises(NotFound):
        library.get(name)


def test_bytes_that_changed_in_the_store_are_not_handed_out(library: Library):
    upload = library.incoming() / "changed"
    upload.write_bytes(DATA)
    library.put_file(upload, ABSENT)  # under a digest that is not theirs
    with pytest.raises(BrinellError, match="no longer matches its digest") as failure:
        library.get(ABSENT)
    assert failure.value.code == "internal"
    library.delete(ABSENT)


def test_a_library_in_order_passes_its_check_and_keeps_nothing_of_it(library: Library):
    before = set(library.incoming().iterdir())
    library.check()
    assert set(library.incoming().iterdir()) <= before


def test_a_put_leaves_nothing_in_incoming(library: Library):
    before = set(library.incoming().glob("put-*"))
    library.put(DATA)
    assert set(library.incoming().glob("put-*")) <= before


def test_two_libraries_at_one_address_share_their_objects(folder: Path):
    Library(folder.as_uri()).put(DATA)
    assert Library(folder.as_uri()).get(DIGEST) == DATA


def test_readers_beside_writers_see_whole_objects_only(folder: Path):
    library = Library(folder.as_uri())
    library.put(DATA)
    writers = [Thread(target=lambda: [library.put(DATA) for _ in range(20)]) for _ in range(3)]
    for writer in writers:
        writer.start()
    seen = {library.get(DIGEST) for _ in range(60)}
    for writer in writers:
        writer.join()
    assert seen == {DATA}


def test_a_folder_library_is_closed_to_other_users(folder: Path):
    Library(folder.as_uri()).put(DATA)
    modes = {path.stat().st_mode & 0o077 for path in (folder / "incoming", folder / "objects" / DIGEST[:2])}
    assert modes == {0}


def test_a_folder_that_went_away_is_said_to_be_unreachable(folder: Path):
    library = Library(folder.as_uri())
    (folder / "incoming").rmdir()
    with pytest.raises(Unavailable):
        library.check()


def test_a_missing_bucket_is_said_to_be_unreachable(bucket: str):
    library = Library("s3://no-such-bucket/prefix")
    for attempt in (library.check, lambda: library.put(DATA)):
        with pytest.raises(Unavailable) as failure:
            attempt()
        assert failure.value.retry_after > 0
    assert not list(library.incoming().glob("put-*"))


@pytest.mark.parametrize("url", ["", "/srv/library", "file://", "file://elsewhere/library", "s3://", "https://x/y"])
def test_an_address_that_is_no_library_is_refused(url: str):
    with pytest.raises(Refused, match="s3://bucket/prefix"):
        Library(url)
