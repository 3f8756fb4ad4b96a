"""Numbers of which the smallest is the best are not read as scores, unless they are told to be."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from algorithms.errors import Refused
from models.onnx.inspection import inspect
from tests.exports import classic, graph, linear

Answer = Callable[[torch.Tensor], torch.Tensor]
W, b = linear()
SCORES = [("y", TensorProto.FLOAT, ["N", 4])]
SOFTMAX = helper.make_node("Softmax", ["z"], ["p"], axis=1)


def exported(*nodes: onnx.NodeProto) -> bytes:
    first = helper.make_node("Gemm", ["x", "W", "b"], ["z"])
    numbers = {"one": 1, "two": 2, "minus": -0.5, "little": 1e-9}
    known = {name: np.float32(value) for name, value in numbers.items()}
    return graph([first, *nodes], ["N", 6], SCORES, {"W": W, "b": b, **known})


PENALTIES = {
    "distance": [helper.make_node("Pow", ["z", "two"], ["s"]), helper.make_node("Sqrt", ["s"], ["y"])],
    "loss": [helper.make_node("LogSoftmax", ["z"], ["l"], axis=1), helper.make_node("Neg", ["l"], ["y"])],
    "loss in two": [
        SOFTMAX,
        helper.make_node("Log", ["p"], ["l"]),
        helper.make_node("Neg", ["l"], ["m"]),
        helper.make_node("Identity", ["m"], ["y"]),
    ],
    "loss of half": [
        helper.make_node("LogSoftmax", ["z"], ["l"], axis=1),
        helper.make_node("Mul", ["l", "minus"], ["y"]),
    ],
    "loss without zero": [
        SOFTMAX,
        helper.make_node("Add", ["p", "little"], ["q"]),
        helper.make_node("Log", ["q"], ["l"]),
        helper.make_node("Neg", ["l"], ["y"]),
    ],
    "loss of each": [
        helper.make_node("Sigmoid", ["z"], ["p"]),
        helper.make_node("Log", ["p"], ["l"]),
        helper.make_node("Neg", ["l"], ["y"]),
    ],
    "rest": [SOFTMAX, helper.make_node("Sub", ["one", "p"], ["y"])],
}
SCORED = {
    "evidence": [helper.make_node("Softplus", ["z"], ["y"])],
    "what a layer leaves": [helper.make_node("Relu", ["z"], ["y"])],
    "negative distance": [*PENALTIES["distance"][:1], helper.make_node("Neg", ["s"], ["y"])],
    "log of a share": [helper.make_node("LogSoftmax", ["z"], ["y"], axis=1)],
    "root of a share": [SOFTMAX, helper.make_node("Sqrt", ["p"], ["y"])],
    "root of what a layer leaves": [helper.make_node("Relu", ["z"], ["s"]), helper.make_node("Sqrt", ["s"], ["y"])],
    "rest of each": [helper.make_node("Sigmoid", ["z"], ["p"]), helper.make_node("Sub", ["one", "p"], ["y"])],
    "negative share": [SOFTMAX, helper.make_node("Mul", ["p", "minus"], ["y"])],
    "negative logits": [helper.make_node("Neg", ["z"], ["y"])],
}


@pytest.mark.parametrize("name", PENALTIES)
def test_what_is_smallest_for_the_best_class_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(Refused, match="of which the smallest is the best") as refused:
        inspect(exported(*PENALTIES[name]), preprocessing=None, device="cpu")
    assert refused.value.code == "unsupported_signature"
    assert inspect(exported(*PENALTIES[name]), preprocessing=None, told="logit", device="cpu").reads.because == "told"


@pytest.mark.parametrize("name", SCORED)
def test_other_functions_of_scores_are_scores(name: str) -> None:
    assert inspect(exported(*SCORED[name]), preprocessing=None, device="cpu").output.classes == 4


POINTS = torch.from_numpy(W.T.copy())  # one of each class


def between(x: torch.Tensor) -> torch.Tensor:
    return x[:, None] - POINTS[None]


def length(x: torch.Tensor) -> torch.Tensor:
    return torch.linalg.vector_norm(between(x), dim=2)


def product(x: torch.Tensor) -> torch.Tensor:
    """|a|^2 - 2ab + |b|^2."""
    return (x * x).sum(1, keepdim=True) - 2 * x @ POINTS.T + (POINTS * POINTS).sum(1)[None]


def cosine(x: torch.Tensor) -> torch.Tensor:
    return nn.functional.normalize(x, dim=1) @ nn.functional.normalize(POINTS, dim=1).T


def capsules(x: torch.Tensor) -> torch.Tensor:
    """Lengths in [0, 1) of one vector a class, as capsule networks answer."""
    vectors = (x @ torch.cat([POINTS.T] * 3, 1)).view(-1, 4, 3)
    square = (vectors * vectors).sum(2, keepdim=True)
    return torch.linalg.vector_norm(square / (1 + square) / torch.sqrt(square + 1e-8) * vectors, dim=2)


DISTANCES: dict[str, Answer] = {
    "length": length,
    "tenfold": lambda x: length(x) / 0.1,
    "square": lambda x: (between(x) ** 2).sum(2),
    "mean square": lambda x: between(x).square().mean(2),
    "sum of absolutes": lambda x: between(x).abs().sum(2),
    "largest absolute": lambda x: between(x).abs().amax(2),
    "by products": product,
    "root of products": lambda x: product(x).clamp(min=1e-9).sqrt(),
    "cdist": lambda x: torch.cdist(x, POINTS),
    "cosine distance": lambda x: 1 - cosine(x),
    "nearest of two": lambda x: torch.stack([length(x)[:, :2].amin(1), length(x)[:, 2:].amin(1)], 1),
}
NEARNESS: dict[str, Answer] = {
    **{f"minus {name}": lambda x, far=far: -far(x) for name, far in DISTANCES.items()},
    "what is left": lambda x: 1 - length(x),
    "inverse": lambda x: 1 / (1 + length(x)),
    "kernel": lambda x: torch.exp(-(length(x) ** 2) / 2),
    "soft-min": lambda x: torch.softmax(-length(x), 1),
    "cosine": lambda x: 64 * cosine(x),
    "capsules": capsules,
    "mean of shares": lambda x: (torch.softmax(-length(x), 1) + torch.softmax(cosine(x), 1)) / 2,
}


class Served(nn.Module):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answer(x)


def served(answer: Answer) -> bytes:
    return classic(Served(answer), torch.zeros(1, 6), 17, True)


PAIRS = torch.eye(4)
ROOTS = torch.from_numpy(np.random.default_rng(4).normal(size=(4, 6, 6)).astype(np.float32))
SPREADS = ROOTS @ ROOTS.transpose(1, 2) + torch.eye(6)  # positive definite, one of each class


def logits(x: torch.Tensor) -> torch.Tensor:
    return x @ POINTS.T


def against(x: torch.Tensor) -> torch.Tensor:
    """1 + z_j - z_k at (k, j)."""
    z = logits(x)
    return 1 + z[:, None, :] - z[:, :, None]


def by_products(d: torch.Tensor) -> torch.Tensor:
    return ((d[:, :, None] @ SPREADS)[:, :, 0] * d).sum(2)


def form(d: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    return torch.einsum("nki,kij,nkj->nk", d, matrices, d)


DISTANCES |= {
    "soft hinge": lambda x: torch.nn.functional.softplus(-logits(x)),
    "soft hinge by hand": lambda x: torch.log(1 + torch.exp(-logits(x))),
    "hinge of each": lambda x: torch.relu(1 - logits(x)),
    "hinge of each, clamped": lambda x: (1 - logits(x)).clamp(min=0),
    "hinge of each, doubled": lambda x: 2 * torch.relu(1 + logits(x) * -1),
    "hinge against the others": lambda x: torch.relu(against(x)).sum(2) - 1,
    "hinge against the others, masked": lambda x: (torch.relu(against(x)) * (1 - PAIRS)).sum(2),
    "squared hinge": lambda x: torch.relu(against(x)).square().mean(2),
    "soft hinge against the others": lambda x: torch.nn.functional.softplus(against(x)).sum(2),
    "square in one Einsum": lambda x: (lambda d: torch.einsum("nki,nki->nk", d, d))(between(x)),
    "form in one Einsum": lambda x: form(between(x), SPREADS),
    "form by products": lambda x: by_products(between(x)),
    "one form for all": lambda x: (lambda d: ((d @ SPREADS[0]) * d).sum(2).sqrt())(between(x)),
}
NEARNESS |= {
    "wins against the others": lambda x: torch.relu(-against(x)).sum(2),
    "wins, the other way round": lambda x: torch.relu(against(x)).sum(1),
    "log-density": lambda x: form(between(x), -SPREADS),
    "form of none": lambda x: form(between(x), ROOTS),
    "bilinear": lambda x: torch.einsum("ni,kij,nj->nk", x, ROOTS, x),
    "linear Einsum": lambda x: torch.einsum("ni,ki->nk", x, POINTS),
}


@pytest.mark.parametrize("name", DISTANCES)
def test_distances_to_prototypes_are_refused(name: str) -> None:
    with pytest.raises(Refused, match="Export them with the sign changed"):
        inspect(served(DISTANCES[name]), preprocessing=None, device="cpu")


@pytest.mark.parametrize("name", NEARNESS)
def test_what_is_largest_for_the_nearest_prototype_is_a_score(name: str) -> None:
    found = inspect(served(NEARNESS[name]), preprocessing=None, device="cpu")
    assert found.output.classes == (2 if "two" in name else 4) and "scores" in found.offers


def test_the_nearest_prototype_is_one_of_as_many_classes_as_there_are() -> None:
    found = inspect(served(lambda x: length(x + 100 * POINTS[0]).argmin(1)), preprocessing=None, device="cpu")
    assert (found.output.classes, found.reads.as_, found.reads.because) == (4, "label", "graph")


@pytest.mark.parametrize("choose", ["ArgMax", "ArgMin"])
def test_classes_chosen_down_a_column_are_counted_by_the_labels(choose: str) -> None:
    nodes = [
        helper.make_node("Gemm", ["x", "W", "b"], ["z"]),
        helper.make_node("Transpose", ["z"], ["t"], perm=[1, 0]),
        helper.make_node(choose, ["t"], ["y"], axis=0, keepdims=0),
    ]
    found = inspect(
        graph(nodes, ["N", 6], [("y", TensorProto.INT64, ["N"])], {"W": W, "b": b}), preprocessing=None, device="cpu"
    )
    assert (found.output.classes, found.reads.because) == (4, "values")
