"""A disk without room, or that takes no writes, under the library: uploads are told so, and leave nothing behind."""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from algorithms.errors import OutOfRoom
from tests.contract.api.conftest import MOST_BYTES, ONNX, Api
from tests.contract.api.test_problems import problem_of

ROOM_BYTES = 40_000  # less than an upload may have


def mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path | None]:
    """A small disk under the library; None where we may not mount one."""
    place = tmp_path / "library"
    place.mkdir()
    is_mounted = mount("-t", "tmpfs", "-o", f"size={4 * MOST_BYTES}", "tmpfs", str(place))
    yield place if is_mounted else None
    if is_mounted:
        subprocess.run(["umount", str(place)], check=True)


@contextmanager
def little_room(disk: Path | None) -> Iterator[None]:
    """ENOSPC; without a disk of our own the kernel's limit, which is EFBIG."""
    if disk is None:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, before[1]))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    else:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(disk).free - ROOM_BYTES))
        yield
        ballast.unlink()


@contextmanager
def no_writes(disk: Path | None, folder: Path) -> Iterator[None]:
    """EROFS; without a disk of our own the folder goes away."""
    if disk is None:
        folder.rmdir()
        yield
        folder.mkdir()
    else:
        assert mount("-o", "remount,ro", str(disk))
        yield
        assert mount("-o", "remount,rw", str(disk))


def files(api: Api) -> set[Path]:
    return {path for path in api.library.incoming().parent.rglob("*") if path.is_file() and path.name != "ballast"}


def test_an_upload_without_room_is_told_what_to_do_and_leaves_nothing_behind(
    disk: Path | None, api: Api, caller: TestClient
) -> None:
    model = api.a_model(caller, b"small")
    kept = files(api)
    with little_room(disk):
        for path in ("/v1/models", "/v1/samples"):
            answer = caller.post(path, content=b"x" * (MOST_BYTES - 1), headers=ONNX)
            problem = problem_of(answer, "insufficient_storage")
            assert (problem.status, "disk" in problem.detail, "Delete" in problem.detail) == (507, True, True)
        assert files(api) == kept
        with pytest.raises(OutOfRoom):
            api.library.put(b"y" * (MOST_BYTES - 1))  # as a worker does with what it found
        assert files(api) == kept
        assert caller.post("/v1/models", content=b"has room", headers=ONNX).status_code == 202
        assert caller.get(f"/v1/models/{model['id']}").status_code == 200
        assert caller.delete(f"/v1/models/{model['id']}").status_code == 204
    assert caller.post("/v1/models", content=b"x" * (MOST_BYTES - 1), headers=ONNX).status_code == 202


def test_a_disk_that_takes_no_writes_is_named_by_readiness_and_by_whoever_would_write(
    disk: Path | None, api: Api, caller: TestClient
) -> None:
    api.store.workers.beat("worker", "compute", {"queues": ["compute", "inspect"]})
    assert caller.get("/readyz").status_code == 200
    job = api.a_job(caller)
    api.compute(job["id"])
    points = f"/v1/jobs/{job['id']}/adversarials"
    with no_writes(disk, api.library.incoming()):
        assert problem_of(caller.get("/readyz"), "unavailable").detail.startswith("Not ready: ")
        assert caller.post("/v1/models", content=b"another", headers=ONNX).status_code in (503, 507)
        assert caller.get("/v1/models").status_code == 200
        assert caller.get(points).status_code in (503, 507)
    assert caller.get("/readyz").status_code == 200
    assert caller.get(points).status_code == 200
