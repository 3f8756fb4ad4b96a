"""An ONNX upload, inspected and opened."""

from algorithms.errors import Refused
from algorithms.seam.access import Access
from models.cards import Inspection, ModelCard
from models.device import Device
from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.gradients.differentiator import differentiator, substitutes
from models.onnx.inspection import inspect
from models.onnx.network import read


def inspect_model(card: ModelCard, data: bytes, *, device: Device, **_: object) -> Inspection:
    """Find out by trying what the card will say. Raises Refused, as `inspect`."""
    return inspect(data, preprocessing=card.preprocessing, told=card.output_told, device=device)


def open_model(card: ModelCard, data: bytes, *, device: Device, **_: object) -> OnnxClassifier:
    """Read the file afresh, and rebuild what the card offers. Raises Refused."""
    network = read(check(data), card.preprocessing, card.output_told)
    if card.output is not None and network.output.kind != card.output.kind:
        raise Refused(
            f"An older version inspected this model and took its output for {card.output.kind}; it is read as"
            f" {network.reads.as_} now. Upload it again.",
            code="model_invalid",
        )
    gradients = differentiator(network, device) if Access.GRADIENTS in card.offers else None
    bounds = bounder(network, device) if Access.BOUNDS in card.offers else None
    by_substitutes = substitutes(network, device) if card.substitutes else None
    return OnnxClassifier(network, gradients, device, bounds, by_substitutes)
