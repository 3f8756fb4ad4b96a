"""The whole way, HTTP in and findings out, beside the driver alone; what the processes weigh; how the API starts."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data, figures
from benchmarks.figures import Figure
from benchmarks.sides import Answer, Side
from brinell.client import Client
from brinell.machine.local import Installation
from workers.supervisor.runner_process import ENVIRONMENT

NET = "mnist_cw7"
MIB = 1024  # KiB


def measure(quick: bool) -> Iterator[Figure]:
    yield import_time(3 if quick else 9)
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder, "samples.npz")
        np.savez(samples, x=data.images(list(range(100))))
        with (
            Installation(Path(folder, "installation")) as running,
            running.client() as client,
            Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours,
        ):
            yield at_rest()
            ids = {
                "model_id": client.upload_model(data.network(NET))["id"],
                "samples_id": client.upload_samples(samples)["id"],
            }
            for name, params, images, queries in jobs(quick):
                job = {"name": name, "params": params, "images": list(range(images)), "queries": queries}
                yield from compared(client, ours, ids, job, rounds=1 if quick else 3)


def jobs(quick: bool) -> list[tuple[str, dict[str, Any], int, int]]:
    """Returns jobs of about 30 s on two cores at rest: (method, params, images, queries an image)."""
    if quick:
        return [("clever", {"batches": 2, "batch_size": 32}, 4, 1000), ("square", {}, 100, 50)]
    return [("clever", {"batches": 40, "batch_size": 32}, 8, 1000), ("square", {}, 100, 1500)]


def compared(client: Client, ours: Side, ids: dict[str, str], job: dict[str, Any], *, rounds: int) -> Iterator[Figure]:
    """Measures both sides in turns, on a machine where API, worker and a spare runner live."""
    whole: list[Answer] = []
    alone: list[Answer] = []
    with Peak() as peak:
        ours.ask("audit", net=NET, norm="l2", **{**job, "images": [0], "queries": 100, "params": {}})
        for _ in range(rounds):
            alone.append(ours.ask("audit", net=NET, norm="l2", **job))
            whole.append(over_http(client, ids, job))
    assert [f["value"] for f in whole[0].value] == [f["value"] for f in alone[0].value]
    seconds = statistics.median(a.wall for a in alone)
    ratios = sorted(w.wall / a.wall for w, a in zip(whole, alone, strict=True))
    what = f"{job['name']}: HTTP in, findings out, over the driver alone ({seconds:.0f} s; "
    what += f"rounds {ratios[0]:.2f} to {ratios[-1]:.2f})"
    yield figures.at_most(what, statistics.median(ratios), 1.10)
    yield figures.at_most(f"{job['name']}: peak memory of the runner, MiB", peak.runner / MIB, 1024, "{:.0f}")


def over_http(client: Client, ids: dict[str, str], job: dict[str, Any]) -> Answer:
    start = time.perf_counter()
    created = client.create_job(
        {
            **ids,
            "method": {"name": job["name"], **job["params"]},
            "threat": {"norm": "l2", "box": [0, 1]},
            "budget": {"queries_per_sample": job["queries"]},
            "samples": {"indices": job["images"]},
            "seed": 0,
        }
    )
    ended = client.wait_for_job(created["id"])
    if ended["state"] != "succeeded":
        raise RuntimeError(f"the job ended as {ended['state']}")
    findings = list(client.findings(created["id"]))
    return Answer(findings, time.perf_counter() - start, 0.0)


def import_time(rounds: int) -> Figure:
    """Measures `import service.app`, less the start of a bare interpreter, in turns."""
    seconds = [_start("import service.app") - _start("") for _ in range(1 + rounds)]
    return figures.at_most("`import service.app`, s (median)", statistics.median(seconds[1:]), 2)


def _start(program: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - start


def at_rest() -> Figure:
    time.sleep(3)
    (api,) = descendants("service.main")
    return figures.at_most("resident memory of the API at rest, MiB", kib(api, "VmRSS") / MIB, 150, "{:.0f}")


class Peak:
    """A peak is the largest of any runner below this process, looked up while it lives, in KiB."""

    def __init__(self) -> None:
        self.runner = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.5):
            self.runner = max([self.runner, *(kib(pid, "VmHWM") for pid in descendants("workers.runner"))])


def descendants(module: str) -> list[int]:
    """Lists the processes `python -m MODULE` below this one."""
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _is(p, module) and _is_below(p)]


def _is(process: Path, module: str) -> bool:
    try:
        return module.encode() in process.joinpath("cmdline").read_bytes().split(b"\0")
    except OSError:  # gone meanwhile
        return False


def _is_below(process: Path) -> bool:
    pid = int(process.name)
    while pid > 1 and pid != os.getpid():
        pid = kib(pid, "PPid")
    return pid == os.getpid()


def kib(pid: int, field: str) -> int:
    """Reads a number of proc(5)'s status; 0 where the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{field}:\s+(\d+)", status, re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    figures.main(measure)
