"""A registered endpoint, probed and opened: nothing of it is here but its description."""

from algorithms.errors import Refused
from models.cards import Endpoint, Inspection, ModelCard
from models.endpoints._classifier import RemoteClassifier
from models.endpoints._permit import Permit
from models.endpoints._probing import probe


def inspect_model(card: ModelCard, data: bytes, *, permit: Permit | None, **_: object) -> Inspection:
    """Ask the endpoint a handful of requests. Raises Refused, as `probe`."""
    del card
    return probe(Endpoint.model_validate_json(data), _present(permit))


def open_model(card: ModelCard, data: bytes, *, permit: Permit | None, **_: object) -> RemoteClassifier:
    """Speak to the endpoint in batches of the size that its probe found. Raises Refused."""
    assert card.probe is not None  # it was inspected
    return RemoteClassifier(Endpoint.model_validate_json(data), _present(permit), max_batch=card.probe.max_batch)


def _present(permit: Permit | None) -> Permit:
    if permit is None:
        raise Refused("Only a worker that may call endpoints opens one.", code="not_available")
    return permit
