"""Files sent one after another through the real front door, each to its end, and the installation looked at between."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from google.protobuf.message import DecodeError
from onnx import ModelProto

from tests.e2e.machine import children
from tests.faults import places
from tests.faults.history import History
from tests.fuzz.checker import more
from tests.patience import PATIENCE_SECONDS, until

HEADERS = {"Content-Type": "application/octet-stream", "Prefer": "wait=60"}
STAND = ("api", "worker", "inspector", "pool child")  # what must outlive every file
AGAIN_SECONDS = 0.1
STILL_SECONDS = 3.0


@dataclass(frozen=True)
class Target:
    """`above` is the process that started it, `temporary` where its temporary folders are."""

    url: str
    api_key: str
    above: int
    library: Path
    temporary: Path
    folder: str  # another one is another installation

    def client(self) -> httpx2.Client:
        key = {"Authorization": f"Bearer {self.api_key}"}
        return httpx2.Client(base_url=self.url, headers=key, timeout=PATIENCE_SECONDS)

    def pids(self) -> dict[str, list[int]]:
        return {place: places.pids([self.above], place) for place in STAND}

    def left(self) -> dict[str, int]:
        """What may not become more: names of things, and how many there are."""
        pids = {place: found[0] for place, found in self.pids().items() if found}
        stations = [child for place in ("worker", "inspector") if place in pids for child in children(pids[place])]
        runners = [len(children(station)) for station in stations]
        folders = {int(path.name.split("-")[2]) for path in self.temporary.glob("brinell-runner-*")}
        return {
            "files in the library": sum(path.is_file() for path in self.library.rglob("*")),
            "temporary folders of processes that are gone": sum(not Path(f"/proc/{pid}").exists() for pid in folders),
            "processes beside runners": len(places.descendants(self.above)) - sum(runners),
            "runners beyond one at work and a spare": sum(max(0, count - 2) for count in runners),
            **{f"descriptors of the {place}": len(os.listdir(f"/proc/{pid}/fd")) for place, pid in pids.items()},
        }


@dataclass(frozen=True)
class File:
    """`parsed` is None for what was made by hand."""

    case: str
    how: str
    data: bytes
    parsed: bool | None = None


def mutant_file(case: str, made: tuple[str, bytes]) -> File:
    how, data = made
    parsed = False
    with suppress(DecodeError):
        ModelProto.FromString(data)
        parsed = True
    return File(case, how, data, parsed)


def try_all(target: Target, files: Iterable[Callable[[], File]], history: History, *, callers: int) -> None:
    """Each file is made when its turn comes. `callers`: as many as workers take uploads, so that none waits."""
    with target.client() as client:
        before = _settled(target)
        _see(target, history)
        waiting, lock = iter(files), threading.Lock()

        def work(_: int) -> None:
            while True:
                with lock:
                    make = next(waiting, None)
                if make is None:
                    return
                history.write("tried", **_try(client, make(), target.folder))

        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(work, range(callers)))
        with suppress(AssertionError):  # then something is left behind, and the judge says so
            until(lambda: not more(before, target.left()), what="an installation as before")
        _see(target, history)


def _settled(target: Target) -> dict[str, int]:
    """How it stands when nothing has been started for a while: runners come with their spares."""

    def is_still() -> bool:
        before = target.left()
        time.sleep(STILL_SECONDS)
        return target.left() == before

    until(is_still, what="an installation at rest")
    return target.left()


def _see(target: Target, history: History) -> None:
    history.write("seen", pids=target.pids(), left=target.left(), folder=target.folder)


def _try(client: httpx2.Client, file: File, folder: str) -> dict[str, Any]:
    began = time.monotonic()
    status, code = _answered(client, file.data)
    told = {"case": file.case, "how": file.how, "parsed": file.parsed, "status": status, "code": code}
    if status >= 500 or code in (None, "internal"):
        (Path(folder) / f"{file.case.replace('/', ' ')}.onnx").write_bytes(file.data)
    return told | {"seconds": round(time.monotonic() - began, 3)}


def _answered(client: httpx2.Client, data: bytes) -> tuple[int, str | None]:
    """(the worst status, "ready" or the code of the refusal); its card is deleted."""
    answer = client.post("/v1/models", content=data, headers=HEADERS)
    said: dict[str, Any] = answer.json()
    model_id = said.get("model_id") or said.get("id")
    if model_id is None:
        return answer.status_code, said.get("code")
    end = time.monotonic() + PATIENCE_SECONDS
    while (card := client.get(f"/v1/models/{model_id}").json())["state"] == "inspecting" and time.monotonic() < end:
        time.sleep(AGAIN_SECONDS)
    code = card["refusal"]["code"] if card["refusal"] else card["state"]
    deleted = client.delete(f"/v1/models/{model_id}")
    return max(answer.status_code, deleted.status_code), code
