"""A card and its bytes in, a model under audit out: the only `match` on a model's kind."""

from algorithms.errors import Refused
from algorithms.oracle import Access, Model
from models.device import Device
from models.manifest import ModelCard


def open_model(card: ModelCard, data: bytes, *, device: Device) -> Model:
    """The model as its card describes it. The file is understood afresh, by the same steps as at its inspection."""
    match card.kind:
        case "onnx":
            from models.onnx.classifier import OnnxClassifier
            from models.onnx.gate import check
            from models.onnx.gradients import differentiator
            from models.onnx.network import read

            network = read(check(data), card.preprocessing)
            gradients = differentiator(network, device) if Access.GRADIENTS in card.offers else None
            return OnnxClassifier(network, gradients, device)
        case _:
            raise Refused(f"Models of kind {card.kind} cannot be opened yet.", code="not_available")
