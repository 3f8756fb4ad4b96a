"""Which steps of a graph an attack can pass by substitutes for gradients, found out by trying."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import ModelFault, Refused
from algorithms.seam.access import Rows, Scores
from algorithms.seam.questions.gradients import Gradients
from models.device import Device
from models.onnx.gradients.differentiator import Differentiator, differentiator, substitutes
from models.onnx.graph import ONNX
from models.onnx.network import Network
from models.onnx.uploaded import close

STEPS = frozenset(
    {"Cast", "Ceil", "DynamicQuantizeLinear", "Floor", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"}
    | {"QuantizeLinear", "Round", "Sign"}
)  # without one of these there is nothing to try


def find_substitutes(network: Network, rows: Rows, expected: Scores, device: Device) -> tuple[str, ...]:
    """Name the operators that have substitutes, in order; () where these lead nowhere that the true gradients do not.

    The scores on the way must be onnxruntime's `expected` ones: substitutes change what goes back, and nothing else.
    """
    if not any(node.op_type in STEPS and node.domain in ONNX for node in network.scores_alone().graph.node):
        return ()
    try:
        found = substitutes(network, device)
        scores, gradients = found.gradients(rows, _some_loss)
        steps = found.steps(rows)
    except Exception:  # graphs of other people's may stumble in any way, and the model is good without substitutes
        return ()
    if not close(scores, expected, expected.astype(np.float16) if network.is_half else expected):
        return ()
    leads = np.isfinite(gradients).all() and gradients.any() and not _same(gradients, _true(network, rows, device))
    return steps if leads else ()


def _true(network: Network, rows: Rows, device: Device) -> Gradients | None:
    try:
        found: Differentiator = differentiator(network, device)
        return found.gradients(rows, _some_loss)[1]
    except (Refused, ModelFault):
        return None


def _same(one: Gradients, other: Gradients | None) -> bool:
    return other is not None and np.allclose(one, other, rtol=1e-4, atol=0.0, equal_nan=True)


def _some_loss(scores: Any, positions: NDArray[np.int64]) -> NDArray[np.float32]:
    """A different weight for each class: those of probabilities add up to nothing."""
    del positions
    return np.broadcast_to(np.arange(scores.shape[1], dtype=np.float32), tuple(scores.shape)).copy()
