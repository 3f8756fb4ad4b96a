"""Small networks, trained here, with adversarial points that no gradient leads to.

A trunk is trained against attacks in the ball around each sample. Beside it stands a trap for each sample: a narrow
spike at one point of the ball that gives it to another class, and is flat, to the last bit, everywhere else. Attacks
find nothing; a bound that is true of the whole ball has to know.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import classic

SAMPLES, SIDE, CLASSES = 10, 4, 3
REACH = 0.06  # of the hidden points, in linf, at the most
ROUNDS, STEPS = 120, 4  # of training, and of the attack in each of them
NARROW = 0.1  # the radius of a trap, in l1: a sample is some 0.7 away
STEEP = 400.0  # of a sigmoid: float32 knows nothing of it a third of the way to the sample


@dataclass(frozen=True)
class Hidden:
    """A network, its samples (n, 1, SIDE, SIDE), and the point beside each that is answered otherwise."""

    model: OnnxClassifier
    data: bytes
    x: NDArray[np.float32]
    points: NDArray[np.float32]


class Attention(nn.Module):
    """Rows of the image look at each other once."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.values, self.queries, self.keys = nn.Linear(SIDE, 8), *(nn.Linear(8, 8) for _ in range(3))
        self.last = nn.Linear(8 * SIDE, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.enter(x.flatten(1, 2))
        shares = (self.queries(tokens) @ self.keys(tokens).transpose(1, 2) / 4).softmax(-1)
        return self.last((tokens + shares @ self.values(tokens)).relu().flatten(1))


class Trapped(nn.Module):
    """A trunk, and traps (n, d) that shut with some force around points of other classes."""

    def __init__(self, trunk: nn.Module, points: Tensor, answers: Tensor, *, is_smooth: bool) -> None:
        super().__init__()
        self.trunk, self.is_smooth = trunk, is_smooth
        self.points = nn.Parameter(points.flatten(1).T.reshape(1, -1), requires_grad=False)  # (1, d n)
        spread = torch.eye(points[0].numel()).repeat_interleave(len(points), 1)  # (d, d n)
        self.spread = nn.Parameter(spread, requires_grad=False)
        self.gather = nn.Parameter(torch.eye(len(points)).repeat(points[0].numel(), 1), requires_grad=False)
        with torch.no_grad():
            scores = trunk(points)
            force = 4 * (scores.amax(1) - scores.amin(1)) + 1
        self.force = nn.Parameter(torch.diag(force) @ torch.eye(CLASSES)[answers], requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        off = x.flatten(1) @ self.spread - self.points
        away = off.abs() if self.is_smooth else off.relu() + (-off).relu()
        inside = NARROW - away @ self.gather
        shut = (STEEP * inside).sigmoid() if self.is_smooth else (inside / NARROW).relu()
        return self.trunk(x) + shut @ self.force


def _dense(curve: Callable[[], nn.Module]) -> nn.Module:
    inner = [nn.Linear(SIDE**2, 16), curve(), nn.Linear(16, 16), curve()]
    return nn.Sequential(nn.Flatten(), *inner, nn.Linear(16, CLASSES))


def _convolutional(*pool: nn.Module, size: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), *pool, nn.Flatten(), nn.Linear(size, 16), nn.ReLU(), nn.Linear(16, 3)
    )


NETS: dict[str, Callable[[], nn.Module]] = {
    "mlp": lambda: _dense(nn.ReLU),
    "leaky": lambda: _dense(functools.partial(nn.LeakyReLU, 0.2)),
    "cnn": lambda: _convolutional(size=64),
    "strided": lambda: _convolutional(nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.ReLU(), size=32),
    "max pool": lambda: _convolutional(nn.MaxPool2d(2), size=16),
    "average pool": lambda: _convolutional(nn.AvgPool2d(2), size=16),
    "tanh": lambda: _dense(nn.Tanh),
    "sigmoid": lambda: _dense(nn.Sigmoid),
    "gelu": lambda: _dense(nn.GELU),
    "transformer": Attention,
}
SMOOTH = ("tanh", "sigmoid", "gelu", "transformer")


@functools.cache
def hidden(name: str) -> Hidden:
    """Train a trunk and set its traps."""
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(sum(map(ord, name)))
        trunk = NETS[name]()
        x = 0.2 + 0.6 * torch.rand(SAMPLES, 1, SIDE, SIDE)
        points = x + REACH * (1 - 0.6 * torch.rand_like(x)) * (2 * torch.rand_like(x) - 1).sign()
        labels = torch.arange(SAMPLES) % CLASSES
        _train(trunk, x, labels)
        net = Trapped(trunk, points, (labels + 1) % CLASSES, is_smooth=name in SMOOTH).eval()
        data = classic(net, x[:1], 17, True)
    network = read(onnx.load_from_string(data), None)
    model = OnnxClassifier(network, differentiator(network, DEVICE), DEVICE, bounder(network, DEVICE))
    return Hidden(model, data, x.numpy(), points.numpy())


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other take longer than such small sums."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _train(net: nn.Module, x: Tensor, labels: Tensor) -> None:
    adam, loss = torch.optim.Adam(net.parameters(), 0.03), nn.CrossEntropyLoss()
    for _ in range(ROUNDS):
        met = _attacked(net, x, labels)
        adam.zero_grad()
        loss(net(torch.cat([x, met])), labels.repeat(2)).backward()
        adam.step()


def _attacked(net: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """Take a few signed steps up the loss, in a ball that holds the points (Madry et al. 2018)."""
    met = x + REACH * (2 * torch.rand_like(x) - 1)
    for _ in range(STEPS):
        met = met.detach().requires_grad_()
        (up,) = torch.autograd.grad(nn.functional.cross_entropy(net(met), labels), met)
        met = x + (met + REACH / 2 * up.sign() - x).clamp(-REACH, REACH)
    return met.detach()
