"""What a card says of an ONNX upload: found out once, in the sandbox, by trying."""

from algorithms.seam.access import Access
from models.cards import Inspection, Meaning, Preprocessing, Withheld
from models.device import Device
from models.onnx.classifier import offers
from models.onnx.forests import is_forest
from models.onnx.gate.check import check
from models.onnx.network import read
from models.onnx.parity import compare_bounds, compare_gradients
from models.onnx.substituting import find_substitutes

ORDER = (Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS)
LABELS_ONLY = "The model gives out labels only; export its scores to have them, their gradients and their bounds."


def inspect(
    data: bytes, *, preprocessing: Preprocessing | None, told: Meaning | None = None, device: Device
) -> Inspection:
    """Inspect an upload. `told`: what the caller says that its output is.

    Raises Refused, with a code of the gate, unsupported_signature, model_invalid, shape_mismatch.
    """
    network = read(check(data), preprocessing, told)
    passed: tuple[str, ...] = ()
    parity, reasons = None, dict.fromkeys(ORDER, network.served.without_scores or LABELS_ONLY)
    if network.rebuilt.scores is not None:
        rows = network.rows
        expected = network.session(device).ask(rows, network.rebuilt.scores)
        parity, reasons[Access.GRADIENTS] = compare_gradients(network, rows, expected, device)
        passed = find_substitutes(network, rows, expected, device)
        is_guessed, unproven = network.reads.because == "values", network.served.without_bounds
        reasons[Access.BOUNDS] = (
            (is_guessed and unproven) or compare_bounds(network, rows, expected, device) or unproven
        )
    flat = is_forest(network.rebuilt.model, network.rebuilt.answer)
    found = offers(network, differentiable=not reasons[Access.GRADIENTS], bounded=not reasons[Access.BOUNDS])
    return Inspection(
        input=network.input,
        output=network.output,
        reads=network.reads,
        classes_named=network.classes_named,
        label_output_differs=network.served.label_differs,
        opset=network.opset,
        offers=tuple(access for access in ORDER if access in found),
        withheld=tuple(
            Withheld(offer=access, reason=reasons[access], by_kind=flat and access is Access.GRADIENTS)
            for access in ORDER
            if access not in found
        ),
        substitutes=passed,
        parity=parity,
    )
