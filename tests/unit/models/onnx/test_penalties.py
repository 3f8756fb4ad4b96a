"""Numbers of which the smallest is the best are not read as scores, unless they are told to be."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from algorithms.errors import Refused
from models.onnx.inspection import inspect
from tests.exports import classic, graph, linear

W, b = linear()
SCORES = [("y", TensorProto.FLOAT, ["N", 4])]
SOFTMAX = helper.make_node("Softmax", ["z"], ["p"], axis=1)


def exported(*nodes: onnx.NodeProto) -> bytes:
    first = helper.make_node("Gemm", ["x", "W", "b"], ["z"])
    return graph([first, *nodes], ["N", 6], SCORES, {"W": W, "b": b, "one": np.float32(1), "two": np.float32(2)})


PENALTIES = {
    "distance": [helper.make_node("Pow", ["z", "two"], ["s"]), helper.make_node("Sqrt", ["s"], ["y"])],
    "loss": [helper.make_node("LogSoftmax", ["z"], ["l"], axis=1), helper.make_node("Neg", ["l"], ["y"])],
    "loss in two": [
        SOFTMAX,
        helper.make_node("Log", ["p"], ["l"]),
        helper.make_node("Neg", ["l"], ["m"]),
        helper.make_node("Identity", ["m"], ["y"]),
    ],
    "rest": [SOFTMAX, helper.make_node("Sub", ["one", "p"], ["y"])],
}
SCORED = {
    "negative distance": [*PENALTIES["distance"][:1], helper.make_node("Neg", ["s"], ["y"])],
    "log of a share": [helper.make_node("LogSoftmax", ["z"], ["y"], axis=1)],
    "root of a share": [SOFTMAX, helper.make_node("Sqrt", ["p"], ["y"])],
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


class Prototypes(torch.nn.Module):
    """Distances to a point of each class."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.sign, self.points = sign, torch.nn.Parameter(torch.from_numpy(W.T.copy()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        away = torch.linalg.vector_norm(x[:, None] - self.points[None], dim=2)
        return away if self.sign > 0 else -away


def test_distances_to_prototypes_are_scores_once_their_sign_is_changed() -> None:
    with pytest.raises(Refused, match="Export them with the sign changed"):
        inspect(classic(Prototypes(1), torch.zeros(1, 6), 17, True), preprocessing=None, device="cpu")
    found = inspect(classic(Prototypes(-1), torch.zeros(1, 6), 17, True), preprocessing=None, device="cpu")
    assert found.output.classes == 4
