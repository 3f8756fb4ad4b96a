"""A card and its bytes in, a model under audit or its inspection out: the only place that asks for a model's kind."""

from algorithms.errors import Refused
from algorithms.oracle import Access, Model
from models.device import Device
from models.manifest import Inspection, ModelCard


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
        case "neighbors":
            from models.neighbors import upload
            from models.neighbors.classifier import NeighborClassifier

            neighbors, shape, _ = upload.read(data)
            return NeighborClassifier(neighbors, shape)
        case _:
            raise Refused(f"Models of kind {card.kind} cannot be opened yet.", code="not_available")


def inspect_model(card: ModelCard, data: bytes, *, device: Device) -> Inspection:
    """What the card will say, found out by trying. Raises Refused."""
    match card.kind:
        case "onnx":
            from models.onnx.inspection import inspect

            return inspect(data, preprocessing=card.preprocessing, device=device)
        case "neighbors":
            from models.neighbors import upload

            return upload.inspect(data)
        case _:
            raise Refused(f"Models of kind {card.kind} cannot be inspected yet.", code="not_available")


def load_libraries() -> None:
    """Import now what opening and inspecting will need."""
    import models.onnx.inspection  # noqa: F401
