"""A few masked models through the front door: what an upload is read as, and what a policy says of it over HTTP."""

import numpy as np
import pytest

from algorithms.mathematics.norms import Norm
from audits.document.report import Report
from tests.masks import readings, ridges
from tests.masks.promises import hold, rules
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

MASKS = {
    "one number: product of probabilities": readings.MASKS,
    "label of another threshold": readings.MASKS,
    "gap that is no number": ridges.MASKS,
}


@pytest.mark.parametrize("name", MASKS)
def test_over_http_no_number_says_more_of_a_masked_model_than_is_true(name, installation, tmp_path):
    hidden, norm = MASKS[name][name](), Norm.LINF
    (tmp_path / "model.onnx").write_bytes(hidden.data)
    np.savez(tmp_path / "samples.npz", x=hidden.x, y=hidden.y)
    with installation.client() as client:
        asked = {
            "model_id": client.upload_model(tmp_path / "model.onnx", timeout_seconds=PATIENCE_SECONDS)["id"],
            "samples_id": client.upload_samples(tmp_path / "samples.npz")["id"],
            "recipe": "quick-2",
            "threat": {"norm": norm, "box": [0, 1]},
            "policy": {"rules": rules(hidden, norm)},
        }
        audit = client.wait_for_audit(client.create_audit(asked)["id"], timeout_seconds=PATIENCE_SECONDS)
        assert audit["state"] == "succeeded", audit["error"]
        assert audit["verdict"] in ("fail", "inconclusive")
        report = Report.model_validate_json(client.rendering(audit["id"], "json"))
    assert all(("bpda" in row.methods) == bool(report.model.substitutes) for row in report.samples)
    hold(report, hidden, norm)
