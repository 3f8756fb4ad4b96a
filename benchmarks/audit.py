"""`quick-1` on the bundled model and all its samples, through HTTP; then how soon its verdict is answered.

    python -m benchmarks.audit [--quick]

The verdict is asked by a few clients at once, twenty times a second each, while another audit keeps both cores busy.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.figures import Figure
from brinell.client import Client
from brinell.machine.local import Installation

DIGITS = Path(__file__).parents[1] / "examples" / "digits"
POLICY = {"rules": [{"name": "accurate", "metric": "clean_accuracy", "at_least": 0.9, "confidence": 0.95}]}
CLIENTS, CALLS, PAUSE = 4, 300, 0.05  # calls by each client, seconds between two


def measure(quick: bool) -> Iterator[Figure]:
    count = 10 if quick else 200
    with (
        tempfile.TemporaryDirectory() as folder,
        Installation(Path(folder), workers=2) as running,
        running.client() as client,
    ):
        request = {
            "model_id": client.upload_model(DIGITS / "model.onnx")["id"],
            "samples_id": client.upload_samples(DIGITS / "samples.npz")["id"],
            "recipe": "quick-1",
            "policy": POLICY,
            "samples": {"limit": count},
        }
        audit_id, seconds = _audited(client, request)
        yield figures.at_most(f"`quick-1`, bundled model, {count} samples, two workers, s", seconds, 120, "{:.0f}")
        busy = client.create_audit({**request, "seed": 1})
        yield from _verdicts(running, audit_id, 20 if quick else CALLS)
        client.cancel_audit(busy["id"])


def _audited(client: Client, request: dict[str, Any]) -> tuple[str, float]:
    start = time.perf_counter()
    audit = client.wait_for_audit(client.create_audit(request)["id"])
    if audit["state"] != "succeeded":
        raise RuntimeError(f"the audit ended as {audit['state']}")
    return audit["id"], time.perf_counter() - start


def _verdicts(running: Installation, audit_id: str, calls: int) -> Iterator[Figure]:
    """The clients start together, each on a connection of its own."""
    together = threading.Barrier(CLIENTS)

    def ask(_: int) -> list[float]:
        with running.client() as client:
            client.verdict(audit_id)  # connects
            together.wait()
            return [_timed(client, audit_id) for _ in range(calls)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        took = sorted(ms for answers in pool.map(ask, range(CLIENTS)) for ms in answers)
    what = f"`/verdict`, ms at the 99th percentile of {len(took)} calls by {CLIENTS} clients, both cores busy"
    yield figures.at_most(what, took[int(0.99 * len(took))], 50, "{:.1f}")
    yield Figure("the same, median", f"{statistics.median(took):.1f}")


def _timed(client: Client, audit_id: str) -> float:
    time.sleep(PAUSE)
    start = time.perf_counter()
    client.verdict(audit_id)
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    figures.main(measure)
