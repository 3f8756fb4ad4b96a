"""Every upload that the gates refuse, sent through the front door: its code, and nothing left behind."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from brinell.machine.local import Installation
from tests.e2e.machine import DIGITS
from tests.patience import PATIENCE_SECONDS, until
from tests.unit.models.neighbors.test_upload import REFUSALS as NEIGHBORS
from tests.unit.models.neighbors.test_upload import upload as neighbors
from tests.unit.models.onnx.test_gate import REFUSED, as_bytes
from tests.unit.models.test_samples import UNREADABLE

pytestmark = pytest.mark.slow

BYTES = {"Content-Type": "application/octet-stream", "Prefer": "wait=60"}


def hostile() -> dict[str, tuple[str, str, bytes]]:
    """case -> call, code, body"""
    onnx = {name: ("/v1/models", code, as_bytes(build())) for name, (code, build) in REFUSED.items()}
    points = {said: ("/v1/models?kind=neighbors", code, neighbors(**change)) for change, code, said in NEIGHBORS}
    samples = {name: ("/v1/samples", "samples_unreadable", body) for name, body in UNREADABLE.items()}
    kinds = {"onnx": onnx, "points": points, "samples": samples}
    return {f"{kind}: {name}": case for kind, cases in kinds.items() for name, case in cases.items()}


def files(library: Path) -> set[Path]:
    return {path for path in library.rglob("*") if path.is_file()}


def answer_to(client: httpx2.Client, call: str, body: bytes) -> tuple[int, str]:
    """(status, code), those of the card where the inspection took longer than the call could wait."""
    answer = client.post(call, content=body, headers=BYTES)
    if answer.status_code != 202:
        return answer.status_code, answer.json().get("code")
    card = until(lambda: _inspected(client, answer.json()["id"]), what="an inspection")
    return 422, card["refusal"]["code"]


def _inspected(client: httpx2.Client, model_id: str) -> dict[str, Any] | None:
    card: dict[str, Any] = client.get(f"/v1/models/{model_id}").json()
    return card if card["state"] != "inspecting" else None


def test_hostile_uploads_are_refused_and_leave_nothing(installation: Installation, installation_folder: Path) -> None:
    library = installation_folder / "library"
    before, cases = files(library), hostile()
    key = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx2.Client(base_url=installation.url, headers=key, timeout=PATIENCE_SECONDS) as client:
        said = {name: answer_to(client, call, body) for name, (call, _, body) in cases.items()}
        assert said == {name: (422, code) for name, (_, code, _) in cases.items()}
        until(lambda: files(library) <= before, what="an empty library")
        good = client.post("/v1/models", content=(DIGITS / "model.onnx").read_bytes(), headers=BYTES)
        assert (good.status_code, good.json()["state"]) == (201, "ready")
