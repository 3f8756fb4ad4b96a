"""A library keeps bytes under their digest, whole or not at all: the same laws in a folder and in a bucket."""

import fcntl
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pytest

from algorithms.errors import NotFound, Refused, Unavailable
from models.incoming import begin, sweep
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
    with pytest.raises(NotFound, match="Upload the model or the samples again"):
        library.get(ABSENT)
    library.delete(ABSENT)


def test_lost_bytes_are_there_again_when_they_are_uploaded_again(library: Library):
    upload = library.incoming() / "changed"
    upload.write_bytes(b"damaged")
    library.put_file(upload, DIGEST)
    with pytest.raises(NotFound, match="the same bytes mend what stands on them"):
        library.get(DIGEST)
    assert library.get(library.put(DATA)) == DATA


def left_behind(folder: Path, name: str, *, seconds: float = 3600) -> Path:
    """A file of a process that died, last written to so long ago."""
    path = folder / name
    path.write_bytes(DATA)
    written = time.time() - seconds
    os.utime(path, (written, written))
    return path


def test_what_a_killed_process_had_begun_is_swept(library: Library):
    program = "import sys, pathlib; from models.incoming import begin; d = begin(pathlib.Path(sys.argv[1]))\n"
    program += "d.file.write(b'a' * 99999); d.file.flush(); print(d.path, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(library.incoming())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        path = Path(writer.stdout.readline().strip())
        written = time.time() - 3600
        os.utime(path, (written, written))
        library.sweep()
        assert path.exists(), "its process lives"
        writer.kill()
    library.sweep()
    assert not path.exists()


def test_what_is_being_written_or_is_young_is_let_be(library: Library):
    draft = begin(library.incoming())
    young = left_behind(library.incoming(), "brinell-draft-young", seconds=5)
    held = left_behind(library.incoming(), draft.path.name)
    library.sweep()
    assert held.exists() and young.exists()
    draft.discard()
    young.unlink()


def test_a_sweep_that_looks_just_then_leaves_no_draft_without_its_lock(library: Library, monkeypatch):
    make = tempfile.mkstemp

    def make_while_a_sweep_looks(**words: Any) -> tuple[int, str]:
        handle, name = make(**words)
        looking = os.open(name, os.O_RDONLY)
        fcntl.flock(looking, fcntl.LOCK_EX)
        Timer(0.1, os.close, [looking]).start()
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", make_while_a_sweep_looks)
    draft = begin(library.incoming())
    time.sleep(0.2)  # by now the sweep has looked
    with draft.path.open("rb") as stranger, pytest.raises(BlockingIOError):
        fcntl.flock(stranger, fcntl.LOCK_EX | fcntl.LOCK_NB)
    draft.discard()


def test_what_is_moved_into_the_library_while_it_is_held_is_never_swept(library: Library):
    draft = begin(library.incoming())
    draft.file.write(DATA)
    draft.file.flush()
    library.put_file(draft.path, DIGEST)
    library.sweep()
    draft.discard()
    assert library.get(DIGEST) == DATA


def test_leaks_of_older_versions_are_swept_from_our_own_folder_and_strangers_files_are_not(tmp_path: Path):
    library = Library((tmp_path / "library").as_uri())
    old = [left_behind(library.incoming(), name) for name in ("upload-abc", "put-abc", "brinell-draft-abc")]
    (library.incoming() / "a folder").mkdir()
    os.mkfifo(library.incoming() / "a pipe")
    assert library.sweep() == 3
    assert not any(path.exists() for path in old)
    shared = tmp_path / "tmp"
    shared.mkdir()
    theirs, ours = left_behind(shared, "upload-abc"), left_behind(shared, "brinell-draft-abc")
    assert sweep(shared, is_ours=False) == 1
    assert theirs.exists() and not ours.exists()


def test_a_library_in_order_passes_its_check_and_keeps_nothing_of_it(library: Library):
    before = set(library.incoming().iterdir())
    library.check()
    assert set(library.incoming().iterdir()) <= before


def test_a_put_leaves_nothing_in_incoming(library: Library):
    before = set(library.incoming().glob("brinell-draft-*"))
    library.put(DATA)
    assert set(library.incoming().glob("brinell-draft-*")) <= before


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
    assert not list(library.incoming().glob("brinell-draft-*"))


@pytest.mark.parametrize("url", ["", "/srv/library", "file://", "file://elsewhere/library", "s3://", "https://x/y"])
def test_an_address_that_is_no_library_is_refused(url: str):
    with pytest.raises(Refused, match="s3://bucket/prefix"):
        Library(url)
