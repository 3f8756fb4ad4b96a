"""A card and its bytes in, a model under audit or its inspection out: the only place that asks for a model's kind."""

from typing import TYPE_CHECKING

from algorithms.errors import Refused
from algorithms.seam.access import Access, Model
from models.cards import Endpoint, Inspection, ModelCard
from models.device import Device

if TYPE_CHECKING:
    from models.endpoints._permit import Permit


def open_model(card: ModelCard, data: bytes, *, device: Device, permit: "Permit | None" = None) -> Model:
    """The model as its card describes it. The file is understood afresh, by the same steps as at its inspection.

    `permit`: for an endpoint.
    """
    match card.kind:
        case "onnx":
            from models.onnx.bounds.bounder import bounder
            from models.onnx.classifier import OnnxClassifier
            from models.onnx.gate.check import check
            from models.onnx.gradients.differentiator import differentiator
            from models.onnx.network import read

            network = read(check(data), card.preprocessing)
            gradients = differentiator(network, device) if Access.GRADIENTS in card.offers else None
            bounds = bounder(network, device) if Access.BOUNDS in card.offers else None
            return OnnxClassifier(network, gradients, device, bounds)
        case "neighbors":
            from models.neighbors import upload
            from models.neighbors.classifier import NeighborClassifier

            neighbors, shape, _ = upload.read(data)
            return NeighborClassifier(neighbors, shape)
        case "endpoint":
            from models.endpoints._classifier import RemoteClassifier

            assert card.probe is not None  # it was inspected
            return RemoteClassifier(_endpoint(data), _present(permit), max_batch=card.probe.max_batch)


def inspect_model(card: ModelCard, data: bytes, *, device: Device, permit: "Permit | None" = None) -> Inspection:
    """What the card will say, found out by trying. Raises Refused."""
    match card.kind:
        case "onnx":
            from models.onnx.inspection import inspect

            return inspect(data, preprocessing=card.preprocessing, device=device)
        case "neighbors":
            from models.neighbors import upload

            return upload.inspect(data)
        case "endpoint":
            from models.endpoints._probing import probe

            return probe(_endpoint(data), _present(permit))


def load_libraries(*, remote: bool) -> None:
    """Import now what opening and inspecting uploaded models, or else remote ones, will need."""
    if remote:
        import models.endpoints._probing
    else:
        import models.onnx.inspection  # noqa: F401


def _endpoint(data: bytes) -> Endpoint:
    return Endpoint.model_validate_json(data)


def _present(permit: "Permit | None") -> "Permit":
    if permit is None:
        raise Refused("Only a worker that may call endpoints opens one.", code="not_available")
    return permit
