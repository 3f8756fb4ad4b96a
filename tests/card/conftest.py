"""A CUDA card under test: `make card` where there is one. Elsewhere each of these tests is skipped, with the reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pytest
import torch

from models.cards import ModelCard
from models.device import Device
from models.opening import OpenedModel, inspect_model, open_model
from tests.devices import DEVICE
from tests.e2e.machine import DIGITS
from tests.exports import torch_export

Open = Callable[[str, Device], OpenedModel]


@pytest.fixture(autouse=True, scope="session")
def card() -> str:
    """The card's name."""
    if DEVICE != "cuda":
        pytest.skip("not asked for: `make card` sets BRINELL_DEVICE=cuda")
    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA card here")
    return torch.cuda.get_device_name()


@pytest.fixture(scope="session")
def opened() -> Open:
    """Opens a small network on a device as a runner does: inspected there, then opened by what its card says."""

    @cache
    def opened(net: str, device: Device) -> OpenedModel:
        data = (DIGITS / "model.onnx").read_bytes() if net == "digits" else torch_export(net, "classic", 13).data
        card = ModelCard(
            id=net,
            kind="onnx",
            name=net,
            state="inspecting",
            sha256="",
            size_bytes=len(data),
            created_at=datetime.now(UTC),
        )
        found = card.inspected(inspect_model(card, data, device=device))
        return open_model(found, data, device=device)

    return opened
