"""Every upload that the gates refuse, sent through the front door: its code, soon, and nothing left behind."""

import time
from pathlib import Path

import httpx2
import pytest

from brinell.machine.local import Installation
from tests.e2e.machine import DIGITS, until
from tests.unit.models.neighbors.test_upload import REFUSALS as NEIGHBORS
from tests.unit.models.neighbors.test_upload import upload as neighbors
from tests.unit.models.onnx.test_gate import REFUSED, as_bytes
from tests.unit.models.test_samples import UNREADABLE

pytestmark = pytest.mark.slow

SOON = 5.0  # seconds
BYTES = {"Content-Type": "application/octet-stream", "Prefer": "wait=20"}


def hostile() -> dict[str, tuple[str, str, bytes]]:
    """case -> call, code, body"""
    onnx = {name: ("/v1/models", code, as_bytes(build())) for name, (code, build) in REFUSED.items()}
    points = {said: ("/v1/models?kind=neighbors", code, neighbors(**change)) for change, code, said in NEIGHBORS}
    samples = {name: ("/v1/samples", "samples_unreadable", body) for name, body in UNREADABLE.items()}
    kinds = {"onnx": onnx, "points": points, "samples": samples}
    return {f"{kind}: {name}": case for kind, cases in kinds.items() for name, case in cases.items()}


def files(library: Path) -> set[Path]:
    return {path for path in library.rglob("*") if path.is_file()}


@pytest.mark.timeout(300)
def test_hostile_uploads_are_refused_soon_and_leave_nothing(
    installation: Installation, installation_folder: Path
) -> None:
    library = installation_folder / "library"
    before, cases = files(library), hostile()
    said, slow = {}, {}
    with httpx2.Client(
        base_url=installation.url, headers={"Authorization": f"Bearer {installation.api_key}"}, timeout=60
    ) as client:
        for name, (call, _, body) in cases.items():
            began = time.monotonic()
            answer = client.post(call, content=body, headers=BYTES)
            said[name] = (answer.status_code, answer.json().get("code"))
            if (took := time.monotonic() - began) > SOON:
                slow[name] = took
        assert said == {name: (422, code) for name, (_, code, _) in cases.items()}
        assert slow == {}
        until(lambda: files(library) <= before, seconds=10, what="an empty library")
        good = client.post("/v1/models", content=(DIGITS / "model.onnx").read_bytes(), headers=BYTES)
        assert (good.status_code, good.json()["state"]) == (201, "ready")
