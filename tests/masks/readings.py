"""Files that are easily misread: one number a row, a label beside scores, columns in another order."""

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from algorithms.mathematics.norms import NORMS
from tests.masks.hidden import (
    FEATURES,
    B,
    Hidden,
    W,
    linear_radii,
    linear_samples,
    on_ridge,
    ridge_radii,
    within_the_box,
)
from tests.masks.net import Net
from tests.masks.ridges import START, ridge

Number = Callable[[Net, str], str]  # t -> the one number, [N, 1] or [N]


def one_number(number: Number, *, cut: float = 0.0) -> Hidden:
    """Class 1 where t > `cut`."""
    net = Net(FEATURES)
    x = on_ridge(START)
    data = net.data(number(net, ridge(net)))
    return Hidden(data, x, np.ones(len(x), np.int64), within_the_box(x, ridge_radii(START - cut)))


def column(net: Net, t: str) -> str:
    """P(class 1), cut out of a soft-max."""
    p = net.op("Softmax", net.op("Mul", net.op("Concat", net.op("Neg", t), t, axis=1), 40.0), axis=1)
    return net.op("Gather", p, np.array(1), axis=1)


def part(net: Net, t: str) -> str:
    p = net.op("Softmax", net.op("Concat", net.op("Mul", t, -9.0), net.op("Mul", t, 9.0), axis=1), axis=1)
    return net.op("Slice", p, np.array([1]), np.array([2]), np.array([1]))


def squared(net: Net, t: str) -> str:
    """sigmoid(20 t)^2 > 1/2 where 20 t > log(1 / (sqrt(2) - 1))."""
    p = net.op("Sigmoid", net.op("Mul", t, 20.0))
    return net.op("Mul", p, p)


def affine_tanh(net: Net, t: str) -> str:
    return net.op("Add", net.op("Mul", net.op("Tanh", net.op("Mul", t, 200.0)), 0.5), 0.5)


def threshold(net: Net, t: str) -> str:
    return net.op("Cast", net.op("Greater", t, 0.0), to=TensorProto.FLOAT)


def two_columns() -> Hidden:
    net = Net(FEATURES)
    p = net.op("Sigmoid", net.op("Mul", ridge(net), 1e4))
    x = on_ridge(START)
    data = net.data(net.op("Concat", net.op("Sub", 1.0, p), p, axis=1))
    return Hidden(data, x, np.ones(len(x), np.int64), within_the_box(x, ridge_radii(START)))


def other_threshold() -> Hidden:
    """The label is 1 from t = 0.05 on; the scores beside it change places at t = 0."""
    net = Net(FEATURES)
    t = ridge(net)
    label = net.op("Cast", net.op("Squeeze", net.op("Greater", t, 0.05), np.array([1])), to=TensorProto.INT64)
    scores = net.op("Concat", net.op("Neg", t), t, axis=1)
    x = on_ridge(START)
    data = net.data(label, scores)
    return Hidden(data, x, np.ones(len(x), np.int64), within_the_box(x, ridge_radii(START - 0.05)))


def columns_in_another_order() -> Hidden:
    """The label is right, and the columns of the scores beside it are those of classes 2, 0, 1."""
    net = Net(FEATURES)
    z = net.op("Gemm", "x", W.T, B)
    label = net.op("ArgMax", z, axis=1, keepdims=0)
    x, y = linear_samples()
    data = net.data(label, net.op("Gather", z, np.array([2, 0, 1]), axis=1))
    return Hidden(data, x, y, within_the_box(x, linear_radii(x, y)))


def permuted_logits() -> Hidden:
    """Scores of classes 2, 0, 1 and no label: every sample is misread, and r* is 0."""
    net = Net(FEATURES)
    x, y = linear_samples()
    data = net.data(net.op("Gather", net.op("Gemm", "x", W.T, B), np.array([2, 0, 1]), axis=1))
    return Hidden(data, x, y, {norm: np.zeros(len(x)) for norm in NORMS})


MASKS: dict[str, Callable[[], Hidden]] = {
    "one number: column of a soft-max": lambda: one_number(column),
    "one number: part of a soft-max": lambda: one_number(part),
    "one number: product of probabilities": lambda: one_number(squared, cut=np.log(1 / (np.sqrt(2) - 1)) / 20),
    "one number: affine image of tanh": lambda: one_number(affine_tanh),
    "one number: threshold": lambda: one_number(threshold),
    "one number: sigmoid of a huge logit": lambda: one_number(lambda net, t: net.op("Sigmoid", net.op("Mul", t, 1e4))),
    "one number: hard sigmoid": lambda: one_number(lambda net, t: net.op("HardSigmoid", net.op("Mul", t, 300.0))),
    "one number: logit": lambda: one_number(lambda net, t: net.op("Mul", t, 1e5)),
    "sigmoid of a huge logit, both sides": two_columns,
    "label of another threshold": other_threshold,
    "label of another order": columns_in_another_order,
    "logits permuted": permuted_logits,
}
