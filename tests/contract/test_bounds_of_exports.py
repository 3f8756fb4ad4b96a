"""Small networks as torch's exporters write them today have gradients and bounds, and no point is below its bounds."""

import functools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Access
from algorithms.threats.threat import Threat
from models.onnx.inspection import inspect
from tests.bounded import Bounded, points
from tests.devices import DEVICE
from tests.exports import classic, dynamo

BOX = Threat().box
RADIUS = 0.01


class Transformer(nn.Module):
    """Patches, a class token, positions, one block of attention and a dense one, and a layer normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 4, 4)
        self.position, self.token = nn.Parameter(0.1 * torch.randn(1, 5, 8)), nn.Parameter(torch.zeros(1, 1, 8))
        self.block = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        return self.head(self.norm(self.block(x))[:, 0])


class Attention(nn.Module):
    """Attention written out, with a root-mean-square normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        shares = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 2, -1)
        x = x + shares @ self.v(x)
        return self.head((x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5)).mean(1))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.norm, self.other, self.head = nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.gelu(self.norm(self.first(x)))
        x = x + nn.functional.gelu(self.other(self.second(x)), approximate="tanh")
        return self.head(x.mean((2, 3)))


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], **options) -> None:
        super().__init__()
        self.layer = kind(3, 4, batch_first=True, **options)
        self.head = nn.Linear(8 if options.get("bidirectional") else 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x)[0][:, -1])


def dense() -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 8), nn.SiLU(), nn.LayerNorm(8), nn.Linear(8, 8), nn.Hardswish(), nn.Linear(8, 8), nn.Softplus(),
        nn.Linear(8, 3),
    )  # fmt: skip


def enlarging() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ELU(), nn.PixelShuffle(2), nn.ConvTranspose2d(1, 2, 3, 2),
        nn.InstanceNorm2d(2, affine=True), nn.Upsample(scale_factor=2), nn.LeakyReLU(), nn.AvgPool2d(11), nn.Flatten(),
        nn.Linear(18, 3),
    )  # fmt: skip


NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "transformer": (Transformer, (1, 8, 8)),
    "attention": (Attention, (3, 4)),
    "residual": (Residual, (1, 6, 6)),
    "dense": (dense, (6,)),
    "enlarging": (enlarging, (1, 4, 4)),
    "lstm": (lambda: Recurrent(nn.LSTM), (5, 3)),
    "lstm both ways": (lambda: Recurrent(nn.LSTM, bidirectional=True), (4, 3)),
    "gru": (lambda: Recurrent(nn.GRU), (5, 3)),
    "rnn": (lambda: Recurrent(nn.RNN), (5, 3)),
}
CASES = {
    **{f"{name}, {exporter}": (name, exporter, None) for name in NETS for exporter in ("classic", "dynamo")},
    "transformer, a batch of 1": ("transformer", "dynamo", 1),
    "transformer, a batch of 3": ("transformer", "dynamo", 3),
    "gru, a batch of 2": ("gru", "classic", 2),
}


BY_DYNAMO = ("transformer", "attention", "residual", "dense", "lstm", "gru")  # all operators of the others are in these
TRIED = [
    pytest.param(case, marks=pytest.mark.every if exporter == "dynamo" and name not in BY_DYNAMO else ())
    for case, (name, exporter, _) in CASES.items()
]


@functools.cache
def exported(name: str, exporter: str, batch: int | None) -> bytes:
    build, shape = NETS[name]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = build()
        net.train()(torch.rand(16, *shape))
        example = torch.rand(batch or 2, *shape)
    opset = 17 if exporter == "classic" else 20
    return (dynamo if exporter == "dynamo" else classic)(net.eval(), example, opset, batch is None)


@pytest.mark.parametrize("case", TRIED)
def test_an_export_has_bounds_that_hold(case: str) -> None:
    net = Bounded.of(exported(*CASES[case]))
    rng = np.random.default_rng(3)
    rows = rng.random((2, *net.network.input.shape), dtype=np.float32)
    for norm, factor in ((Norm.LINF, 1.0), (Norm.L2, 4.0)):
        bounds, labels, rivals = net.margins(rows, factor * RADIUS, norm, BOX, "crown")
        assert (gaps(net, rows, labels, rivals) - bounds < 1.0).all()
        for i, row in enumerate(rows):
            near = points(rng, row, factor * RADIUS, norm, BOX)
            own, others = np.repeat(labels[i], len(near)), np.repeat(rivals[i][None], len(near), axis=0)
            assert (gaps(net, near, own, others).min(axis=0) >= bounds[i]).all()


@pytest.mark.parametrize("case", TRIED)
def test_a_card_offers_bounds_and_gradients_of_an_export(case: str) -> None:
    found = inspect(exported(*CASES[case]), preprocessing=None, device=DEVICE)
    assert {Access.GRADIENTS, Access.BOUNDS} <= set(found.offers), found.withheld


def gaps(net: Bounded, rows: np.ndarray, labels: np.ndarray, rivals: np.ndarray) -> np.ndarray:
    """f_label - f_rival of the float32 model, (m, r)."""
    scores = net.scores(rows)
    return scores[np.arange(len(rows)), labels][:, None] - np.take_along_axis(scores, rivals, axis=1)
