"""Everything that torch computes of an upload, on a card that is not there (`tests/fake_card.py`), and as it is here.

python -m tests.on_fake_card       a line of JSON for each case: its name, and what went wrong or ""
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from algorithms.driver.running import Samples
from algorithms.mathematics.norms import Norm
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.questions.margins import Region
from algorithms.threats.threat import Box, Threat
from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import Network, read
from tests import fake_card
from tests.batch_readers import READERS
from tests.exports import NETS, Export, torch_export
from tests.laws.members import go

BY_DYNAMO = ("range of rows, dynamo",)  # the only one of its exports with an operator that no other has
EXPORTS: dict[str, Callable[[], Export]] = {
    **{name: export for name, export in READERS.items() if not name.endswith("dynamo") or name in BY_DYNAMO},
    **{f"{net}, classic": lambda net=net: torch_export(net, "classic", 13) for net in NETS},
}
BOUNDED = ("cnn, classic", "resnet block, classic")
METHODS = {
    "clever": "cnn, classic",
    "clever_second_order": "sigmoids, classic",
    "pgd": "cnn, classic",
    "alpha_crown": "mlp, classic",
    "branch_and_bound": "mlp, classic",
    "milp": "mlp, classic",
}
CASES = (
    *(f"gradients of {name}" for name in EXPORTS),
    *(f"bounds of {name}" for name in BOUNDED),
    *(f"{name} of {net}" for name, net in METHODS.items()),
)


def gradients(network: Network, device: Any) -> Any:
    rows = np.random.default_rng(0).random((3, *network.input.shape), dtype=np.float32)
    part = differentiator(network, device)
    fake_card.waits.clear()
    points, scores = part._calls.forward(rows)
    assert points.device.type == scores.device.type == device
    assert not fake_card.waits, f"waits in a forward pass: {fake_card.waits}"
    return part.gradients(rows, lambda scores, _positions: np.ones_like(scores))


def bounds(network: Network, device: Any) -> Any:
    rows, rivals = np.random.default_rng(0).random((3, *network.input.shape), dtype=np.float32), np.array([[1, 2]] * 3)
    part, labels, radii = bounder(network, device), np.zeros(3, np.int64), np.full(3, 0.02)
    for norm, how in ((Norm.LINF, "crown"), (Norm.L2, "crown"), (Norm.L1, "crown"), (Norm.L2, "intervals")):
        yield part.margins(Region(rows, radii, Threat(norm, Box(0.0, 1.0))), labels, rivals, how)


def findings(network: Network, device: Any, name: str) -> Any:
    """As they are told, up to the places that rounding may change."""
    model: Any = OnnxClassifier(network, differentiator(network, device), device, bounder(network, device))
    assert set(method(name).needs) <= {*model.offers, Access.LABELS}
    rows = np.random.default_rng(0).random((2, *model.shape), dtype=np.float32)
    told = go(method(name), Norm.LINF, model, Samples(rows, (0, 1), None))
    assert any(outcome.finding.value is not None for outcome in told)
    for finding in (outcome.finding for outcome in told):
        yield [np.nan if finding.value is None else finding.value, list(type(finding.kind)).index(finding.kind)]


def alike(ask: Callable[[Any], Any]) -> None:
    """Raises AssertionError, and torch's own errors."""
    ours, theirs = ([np.asarray(each) for each in ask(device)] for device in (fake_card.CARD, "cpu"))
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5 * np.abs(other).max(initial=0.0))


def run(case: str, networks: dict[str, Network]) -> str:
    what, _, name = case.partition(" of ")
    try:
        if what == "gradients":
            alike(lambda device: gradients(networks[name], device))
        elif what == "bounds":
            alike(lambda device: bounds(networks[name], device))
        else:
            alike(lambda device: findings(networks[METHODS[what]], device, what))
    except Exception as error:
        return f"{type(error).__name__}: {error} ({error.__cause__!r})"
    return ""


def main() -> None:
    exports = {name: export() for name, export in EXPORTS.items()}  # torch's exporters stumble over the card
    library = fake_card.set_up()
    networks = {name: read(onnx.load_from_string(export.data), None) for name, export in exports.items()}
    for case in CASES:
        sys.stdout.write(json.dumps([case, run(case, networks)]) + "\n")
    del library


if __name__ == "__main__":
    main()
