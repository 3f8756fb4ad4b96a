"""What a card says of an ONNX upload: found out once, in the sandbox, by trying."""

import numpy as np

from algorithms.errors import ModelFault, Refused
from algorithms.oracle import Access
from models.device import Device
from models.manifest import Inspection, Parity, Preprocessing, Withheld
from models.onnx import probes
from models.onnx.classifier import offers
from models.onnx.gate import check
from models.onnx.gradients import Differentiator, differentiator
from models.onnx.network import Network, read
from models.onnx.trial import close

ORDER = (Access.LABELS, Access.SCORES, Access.GRADIENTS)


def inspect(data: bytes, *, preprocessing: Preprocessing | None, device: Device) -> Inspection:
    """Raises Refused, with the gate's codes or `unsupported_signature`, `model_invalid`, `shape_mismatch`."""
    network = read(check(data), preprocessing)
    parity, reason = None, "The model gives out labels only; export its scores to have them and their gradients."
    if network.rebuilt.scores is not None:
        parity, reason = _compare(network, device)
    found = offers(network, not reason)
    return Inspection(
        input=network.input,
        output=network.output,
        opset=network.opset,
        offers=tuple(access for access in ORDER if access in found),
        withheld=tuple(Withheld(offer=access, reason=reason) for access in ORDER if access not in found),
        parity=parity,
    )


def _compare(network: Network, device: Device) -> tuple[Parity | None, str]:
    """The gradient path against onnxruntime -> (parity, why gradients are withheld or "")."""
    try:
        found = differentiator(network, device)
        return _parity(network, found, device)
    except Refused as refused:
        return None, refused.detail
    except ModelFault:
        return None, "The graph rebuilt for gradients does not run."


def _parity(network: Network, differentiable: Differentiator, device: Device) -> tuple[Parity, str]:
    rows = probes.rows(network.input.shape)
    expected = network.session(device).ask(rows, str(network.rebuilt.scores))
    scores, gradients = differentiable.gradients(rows, lambda own, _positions: np.ones_like(own))
    finite = np.isfinite(expected) & np.isfinite(scores)
    difference = float(np.abs(scores - expected)[finite].max(initial=0.0))
    parity = Parity(max_abs_difference=difference, rows=len(rows))
    if not close(scores, expected, expected.astype(np.float16) if network.is_half else expected):
        return parity, f"The graph rebuilt for gradients answers otherwise than onnxruntime, by up to {difference:.3g}."
    if gradients.shape != rows.shape:
        return parity, "The gradients have another shape than the rows."
    return parity, ""
