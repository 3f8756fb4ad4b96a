"""From a card and its bytes to a model under audit, or to what its card will say. For runners alone: see `kinds.py`."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from algorithms.seam.access import Model
from models.cards import Inspection, ModelCard
from models.device import Device
from models.kinds import KINDS

if TYPE_CHECKING:  # what it imports is for runners that call endpoints
    from models.endpoints._permit import Permit


class OpenedModel(Model, Protocol):
    """A model at hand also says what its answers depend on beside itself."""

    def computed_with(self) -> Mapping[str, str]:
        """Name the card, the versions of its libraries and how many rows it is asked at a time; {} without a card."""
        ...


class Opener(Protocol):
    """The module of a kind has these two functions. Each takes the keyword that it needs, and the rest as `**_`."""

    def inspect_model(self, card: ModelCard, data: bytes, *, device: Device, permit: "Permit | None") -> Inspection:
        """Find out by trying what the card will say. Raises Refused."""
        ...

    def open_model(self, card: ModelCard, data: bytes, *, device: Device, permit: "Permit | None") -> OpenedModel:
        """Make the model that an inspected card describes, by the same steps as at its inspection."""
        ...


def inspect_model(card: ModelCard, data: bytes, *, device: Device, permit: "Permit | None" = None) -> Inspection:
    """Find out by trying what the card will say. `permit`: for a remote model. Raises Refused."""
    return _opener(KINDS[card.kind].module).inspect_model(card, data, device=device, permit=permit)


def open_model(card: ModelCard, data: bytes, *, device: Device, permit: "Permit | None" = None) -> OpenedModel:
    """Make the model that an inspected card describes. `permit`: for a remote model. Raises Refused."""
    return _opener(KINDS[card.kind].module).open_model(card, data, device=device, permit=permit)


def load_libraries(*, remote: bool) -> None:
    """Import now what inspecting and opening remote models will need, or else uploaded ones."""
    for kind in KINDS.values():
        if kind.is_remote == remote:
            _opener(kind.module)


def _opener(module: str) -> Opener:
    return cast(Opener, import_module(module))
