"""One tenant against another: what its upload, its job and its poll take while somebody else does what can be done.

    python -m benchmarks.tenants [--quick]

The other one holds 2,000 connections that say half a request and no more, has 1,000 jobs in the queue, each like the
one that is measured, and uploads 8 models at a time whose inspection takes long; what is refused or closed is tried
again. The same calls are timed alone, then beside it, then alone: what counts is the median beside it over that of both
times alone.
"""

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from benchmarks import figures
from benchmarks.figures import Figure
from brinell.client import Client
from brinell.errors import BrinellError
from brinell.machine.local import Installation

DIGITS = Path(__file__).parents[1] / "examples" / "digits"
JOB = {"method": {"name": "square"}, "threat": {"norm": "l2"}, "budget": {"queries_per_sample": 400}}
ROUNDS, POLLS, AT_MOST = 5, 40, 3.0
AGAIN_SECONDS = 0.5
Times = dict[str, list[float]]


def measure(quick: bool) -> Iterator[Figure]:
    connections, jobs, uploads = (20, 10, 2) if quick else (2000, 1000, 8)
    rounds = 1 if quick else ROUNDS
    with tempfile.TemporaryDirectory() as folder, Installation(Path(folder), inspector=True) as running:
        victim, loud = running.api_key, _key(Path(folder), "loud")
        alone = _timed(running.url, victim, rounds)
        with Loud(running.url, loud, connections=connections, jobs=jobs, uploads=uploads) as other:
            beside = _timed(running.url, victim, rounds)
            held = other.held
        alone = {what: took + alone[what] for what, took in _timed(running.url, victim, rounds).items()}
    for what, took in beside.items():
        before = statistics.median(alone[what])
        said = f"{what} beside {held}, over alone ({before:.2g} s; rounds {min(took) / before:.1f} to "
        yield figures.at_most(said + f"{max(took) / before:.1f})", statistics.median(took) / before, AT_MOST)


def _timed(url: str, key: str, rounds: int) -> Times:
    with Client(url, key) as client:
        samples = client.upload_samples(DIGITS / "samples.npz")["id"]
        shared = client.upload_model(DIGITS / "model_robust.onnx")["id"]
        request = {**JOB, "model_id": shared, "samples_id": samples}
        took: Times = {"an upload": [], "a job": [], "a poll": []}
        for _ in range(rounds):
            took["an upload"].append(_seconds(partial(client.upload_model, DIGITS / "model.onnx")))
            took["a job"].append(_seconds(lambda: client.wait_for_job(client.create_job(request)["id"])))
            last = next(client.jobs())["id"]
            took["a poll"] += [_seconds(partial(client.job, last)) for _ in range(POLLS)]
    return took


def _seconds(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


class Loud:
    """The other tenant, from the moment when all of it is there."""

    def __init__(self, url: str, key: str, *, connections: int, jobs: int, uploads: int) -> None:
        self._url, self._key = url, key
        self._jobs, self._uploads = jobs, uploads
        self._over = threading.Event()
        self._idle = Idle(url, connections)
        self._threads = [threading.Thread(target=self._upload, args=(number,)) for number in range(uploads)]

    @property
    def held(self) -> str:
        """What it has now."""
        with Client(self._url, self._key) as client:
            live = sum(job["state"] in ("queued", "running") for job in client.jobs())
        return f"{self._idle.held:,} idle connections, {live:,} live jobs, {self._uploads} slow uploads"

    def __enter__(self) -> "Loud":
        with Client(self._url, self._key) as client:
            samples = client.upload_samples(DIGITS / "samples.npz")["id"]
            model = client.upload_model(DIGITS / "model.onnx")["id"]
        request = {**JOB, "model_id": model, "samples_id": samples}
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda seed: self._submit({**request, "seed": seed}), range(self._jobs)))
        self._idle.start()
        for thread in self._threads:
            thread.start()
        time.sleep(3)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._idle.stop()
        for thread in self._threads:
            thread.join()
        with Client(self._url, self._key) as client:
            for job in list(client.jobs()):
                client.cancel_job(job["id"])

    def _submit(self, request: dict[str, Any]) -> None:
        with Client(self._url, self._key) as client:
            client.create_job(request)

    def _upload(self, number: int) -> None:
        with tempfile.TemporaryDirectory() as folder, Client(self._url, self._key) as client:
            while not self._over.is_set():
                path = Path(folder, "slow.onnx")
                path.write_bytes(slow(number + time.time()))
                with contextlib.suppress(BrinellError):  # refused, for its time or for a quota
                    model = client.upload_model(path, timeout_seconds=30)["id"]
                    client.delete_model(model)
                self._over.wait(AGAIN_SECONDS)


class Idle:
    """Connections that begin a request and never end it; one that is closed is opened again."""

    def __init__(self, url: str, count: int) -> None:
        self.held = 0
        self._address = urlsplit(url)
        self._count = count
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._all(),))

    def start(self) -> None:
        self._thread.start()
        time.sleep(2)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    async def _all(self) -> None:
        held = [asyncio.create_task(self._hold()) for _ in range(self._count)]
        await self._over.wait()
        for task in held:
            task.cancel()
        await asyncio.wait(held)

    async def _hold(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
                self.held += 1
                try:
                    writer.write(b"GET /v1/jobs HTTP/1.1\r\nHost: here\r\n")
                    await reader.read()
                finally:
                    self.held -= 1
                    writer.transport.abort()
            await asyncio.sleep(AGAIN_SECONDS)


def slow(seed: float) -> bytes:
    """A classifier of four numbers whose answer takes seconds: products of 1,024 x 1,024, one after another."""
    rounds = 40
    tensors = {
        "square": np.array([1024, 1024]),
        "little": np.float32(seed % 1e3 * 1e-6),
        "weights": np.eye(4, dtype=np.float32),
    }
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "little"], ["start"]),
        helper.make_node("Expand", ["start", "square"], ["m0"]),
        *(helper.make_node("MatMul", [f"m{n}", "m0"], [f"m{n + 1}"]) for n in range(rounds)),
        helper.make_node("ReduceMin", [f"m{rounds}"], ["least"], keepdims=0),
        helper.make_node("Mul", ["least", "little"], ["nothing"]),
        helper.make_node("MatMul", ["x", "weights"], ["z"]),
        helper.make_node("Add", ["z", "nothing"], ["y"]),
    ]
    inputs, outputs = ([helper.make_tensor_value_info(name, TensorProto.FLOAT, ("N", 4))] for name in ("x", "y"))
    made = [numpy_helper.from_array(np.asarray(array), name) for name, array in tensors.items()]
    graph = helper.make_graph(nodes, "slow", inputs, outputs, made)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def _key(folder: Path, tenant: str) -> str:
    command = [sys.executable, "-m", "brinell.cli", "keys", "create", "--tenant", tenant, "--json", "--data-dir"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["key"])


if __name__ == "__main__":
    figures.main(measure)
