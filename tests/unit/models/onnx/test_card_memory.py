"""Gradients and bounds on a card that is short of memory. Here is none: torch says so on the processor."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from algorithms.errors import ModelFault
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.seam.questions.gradient_norms import Ball, Differences
from algorithms.seam.questions.margins import Region
from algorithms.threats.threat import Box, Threat
from models.device import Device
from models.onnx.batch import Batch
from models.onnx.bounds.bounder import bounder
from models.onnx.gradients.differentiator import Differentiator, differentiator
from models.onnx.network import Network, read
from tests.exports import torch_export

RNG = np.random.default_rng(0)


ARENA = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
LIBRARY = RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")


class Short(nn.Module):
    """A network that has room for so many rows."""

    def __init__(self, room: int, told: RuntimeError = ARENA) -> None:
        super().__init__()
        self.room, self.told = room, told
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.body = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 4)).requires_grad_(False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        if len(rows) > self.room:
            raise self.told
        found: torch.Tensor = self.body(rows)
        return found


def gradients_of(rows: int, room: int, told: RuntimeError = ARENA) -> tuple[Differentiator, list[int]]:
    """Gradients that begin with so many rows a call, and what sizes they were converted for anew."""
    made: list[int] = []

    def again(size: int) -> nn.Module:
        made.append(size)
        return Short(room, told)

    return Differentiator(Short(room, told), (), Batch(rows), "cpu", again), made


def some_loss(scores: Any, positions: Any) -> Any:
    return np.cos(np.arange(scores.size, dtype=np.float32)).reshape(scores.shape) + positions[:, None]


def by_rows(found: Differentiator) -> Any:
    return found.gradients(RNG_ROWS, some_loss)


def by_norms(found: Differentiator) -> Any:
    ball = Ball(RNG_ROWS[0], 0.5, Threat(Norm.L2, Box(0.0, 1.0)), "radial", 300, Stream(0, 0, "clever"), 1)
    return found.largest_gradient_norms([Differences(ball, 0, np.array([1, 2, 3]))])


def by_products(found: Differentiator) -> Any:
    zeros = np.zeros(len(RNG_ROWS), np.int64)
    return [found.hessian_products(RNG_ROWS, RNG_ROWS[::-1].copy(), zeros, zeros + 1)]


RNG_ROWS = RNG.random((150, 6), dtype=np.float32)
QUESTIONS = [by_rows, by_norms, by_products]


@pytest.mark.parametrize("told", [ARENA, LIBRARY], ids=["torch", "cuBLAS"])
@pytest.mark.parametrize("asked", QUESTIONS, ids=["rows", "norms", "products"])
def test_gradients_of_fewer_rows_a_call_are_those_of_that_size_from_the_start(
    asked: Callable[[Any], Any], told: RuntimeError
) -> None:
    short, made = gradients_of(128, room=40, told=told)
    right, _ = gradients_of(32, room=1000)
    for ours, theirs in zip(asked(short), asked(right), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (str(short.batch), made) == ("128/64/32", [64, 32])


@pytest.mark.parametrize("asked", QUESTIONS, ids=["rows", "norms", "products"])
def test_without_any_room_there_is_a_fault_and_no_gradient(asked: Callable[[Any], Any]) -> None:
    short, _ = gradients_of(128, room=0)
    with pytest.raises(ModelFault, match="no memory left for this model") as fault:
        asked(short)
    assert "GiB" not in fault.value.detail


@pytest.fixture(scope="module")
def network() -> Network:
    return read(onnx.load_from_string(torch_export("cnn", "classic", 13).data), None)


def room_for(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tensors of so many rows be made, and no larger ones."""
    made = torch.tensor

    def tensor(values: Any, **more: Any) -> torch.Tensor:
        if np.ndim(values) and len(values) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return made(values, **more)

    monkeypatch.setattr(torch, "tensor", tensor)


def test_bounds_come_in_smaller_groups_and_then_not_at_all(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = RNG.random((20, *network.input.shape), dtype=np.float32)
    labels = network.session().ask(rows, str(network.rebuilt.scores)).argmax(axis=1)
    rivals = (labels[:, None] + np.arange(1, 4)) % 4
    region = Region(rows, np.full(20, 0.05), Threat(Norm.LINF, Box(0.0, 1.0)))
    short = bounder(network, "cpu")
    whole = short.margins(region, labels, rivals, "crown")
    backwards = Region(rows[::-1], region.radii, region.threat)  # strides of another sign
    np.testing.assert_array_equal(
        short.margins(backwards, labels[::-1].copy(), rivals[::-1].copy(), "crown")[::-1], whole
    )
    room_for(6, monkeypatch)
    np.testing.assert_allclose(short.margins(region, labels, rivals, "crown"), whole, rtol=1e-12)
    assert str(short.batch) == "16/8/4"
    room_for(0, monkeypatch)
    with pytest.raises(ModelFault, match="no memory left for this model"):
        short.margins(region, labels, rivals, "crown")


@pytest.mark.parametrize(
    ("made", "places"),
    [
        (differentiator, [(nn.Module, "to")]),
        (bounder, [(torch.Tensor, "to"), (torch, "tensor"), (torch, "from_numpy")]),
    ],
    ids=["gradients", "bounds"],
)
def test_a_card_that_is_full_before_the_model_is_there_is_told_of(
    made: Callable[[Network, Device], object],
    places: list[tuple[Any, str]],
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    for owner, name in places:
        monkeypatch.setattr(owner, name, full)
    with pytest.raises(ModelFault, match="no memory left for this model"):
        made(network, "cpu")
