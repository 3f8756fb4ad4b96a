"""A worker that finds no bytes in the library says what to do, and uploading the same bytes mends it."""

import io
from pathlib import Path

import httpx2
import numpy as np
import pytest

from brinell.machine.local import Installation
from tests.e2e.machine import DIGITS
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.slow

BYTES = {"Content-Type": "application/octet-stream", "Prefer": "wait=60"}


def test_a_job_whose_samples_are_lost_says_so_and_runs_when_they_are_uploaded_again(
    installation: Installation, installation_folder: Path
) -> None:
    file = io.BytesIO()
    np.savez(file, x=np.random.default_rng(11).random((2, 1, 8, 8), np.float32), y=np.array([0, 1]))
    key = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx2.Client(base_url=installation.url, headers=key, timeout=PATIENCE_SECONDS) as client:

        def upload() -> dict[str, str]:
            return dict(client.post("/v1/samples", content=file.getvalue(), headers=BYTES).raise_for_status().json())

        def job() -> dict:
            made = client.post("/v1/jobs", json=request).raise_for_status().json()
            address = f"/v1/jobs/{made['id']}"
            return until(lambda: (seen := client.get(address).json())["state"] in ENDED and seen, what="the job")

        model = client.post("/v1/models", content=(DIGITS / "model.onnx").read_bytes(), headers=BYTES).json()
        samples = upload()
        request = {"model_id": model["id"], "samples_id": samples["id"], "method": {"name": "noise"}}
        digest = samples["sha256"]
        (installation_folder / "library" / "objects" / digest[:2] / digest[2:]).unlink()
        lost = job()
        assert lost["state"] == "failed"
        assert "Upload the model or the samples again" in lost["error"]["detail"]
        upload()
        assert job()["state"] == "succeeded"


ENDED = ("succeeded", "failed", "cancelled", "expired")
