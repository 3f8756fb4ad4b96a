"""A nearest-neighbor upload, inspected and opened."""

from models.cards import Inspection, ModelCard
from models.neighbors.classifier import NeighborClassifier
from models.neighbors.upload import inspect, read


def inspect_model(card: ModelCard, data: bytes, **_: object) -> Inspection:
    """Find out what the card will say. Raises Refused, as `read`."""
    del card
    return inspect(data)


def open_model(card: ModelCard, data: bytes, **_: object) -> NeighborClassifier:
    """Read the arrays afresh. Raises Refused, as `read`."""
    del card
    neighbors, shape, _dtype = read(data)
    return NeighborClassifier(neighbors, shape)
