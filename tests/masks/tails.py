"""Masks behind a linear model of three classes: they change its scores, not its decision, so r* is the linear one."""

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from tests.masks.hidden import FEATURES, B, Hidden, W, linear_radii, linear_samples, within_the_box
from tests.masks.net import Net

Tail = Callable[[Net, str], str]


def behind(tail: Tail, *, slack: float = 1e-4) -> Hidden:
    net = Net(FEATURES)
    return hidden(net.data(tail(net, net.op("Gemm", "x", W.T, B))), slack=slack)


def hidden(data: bytes, *, slack: float = 1e-4) -> Hidden:
    x, y = linear_samples()
    return Hidden(data, x, y, within_the_box(x, linear_radii(x, y)), slack)


def saturated_softmax(net: Net, z: str) -> str:
    return net.op("Softmax", net.op("Mul", z, 1e4), axis=1)


def softmax_twice(net: Net, z: str) -> str:
    return net.op("Softmax", net.op("Mul", net.op("Softmax", net.op("Mul", z, 1e3), axis=1), 30.0), axis=1)


def soft_vote(net: Net, z: str) -> str:
    first, second = (net.op("Softmax", net.op("Mul", z, scale), axis=1) for scale in (300.0, 500.0))
    return net.op("Mul", net.op("Add", first, second), 0.5)


def powered(net: Net, z: str) -> str:
    powers = net.op("Pow", net.op("Softmax", z, axis=1), 60.0)
    return net.op("Div", powers, net.op("ReduceSum", powers, np.array([1]), keepdims=1))


def flattened(net: Net, z: str) -> str:
    """p^(1/300), all of them nearly 1."""
    return net.op("Pow", net.op("Softmax", z, axis=1), 1 / 300)


def normalized(net: Net, z: str) -> str:
    """z / max |z|: no gradient along the largest, whatever the size of z."""
    return net.op("Div", z, net.op("ReduceMax", net.op("Abs", z), axes=[1], keepdims=1))


def one_hot(net: Net, z: str) -> str:
    top = net.op("ReduceMax", z, axes=[1], keepdims=1)
    return net.op("Cast", net.op("GreaterOrEqual", z, top), to=TensorProto.FLOAT)


def ranks(net: Net, z: str) -> str:
    """How many classes each class beats: scores 0, 1, 2."""
    pairs = net.op("Greater", net.op("Unsqueeze", z, np.array([2])), net.op("Unsqueeze", z, np.array([1])))
    return net.op("ReduceSum", net.op("Cast", pairs, to=TensorProto.FLOAT), np.array([2]), keepdims=0)


def chain(factor: float, length: int) -> Tail:
    def tail(net: Net, z: str) -> str:
        for _ in range(length):
            z = net.op("MatMul", z, factor * np.eye(3))
        return z

    return tail


def scaled(factor: float) -> Tail:
    return lambda net, z: net.op("Mul", z, factor)


def with_a_class_never_predicted(net: Net, z: str) -> str:
    never = net.op("Sub", net.op("ReduceMin", z, axes=[1], keepdims=1), 1e9)
    return net.op("Concat", z, never, axis=1)


def by_a_look_at_the_very_sample(net: Net, z: str) -> str:
    """Scores of 1e6 where any feature has just a sample's value: gone as soon as all have moved, however little."""
    x, _ = linear_samples()
    met = [net.op("Cast", net.op("Equal", "x", row[None]), to=TensorProto.FLOAT) for row in x]
    any_met = net.op("ReduceMax", net.op("Concat", *met, axis=1), axes=[1], keepdims=1)
    return net.op("Where", net.op("Greater", any_met, 0.0), net.op("Mul", one_hot(net, z), 1e6), z)


def half() -> Hidden:
    net = Net(FEATURES)
    inside = net.op("Cast", "x", to=TensorProto.FLOAT16)
    z = net.op("Gemm", inside, W.T.astype(np.float16), B.astype(np.float16))
    return hidden(net.data(net.op("Cast", z, to=TensorProto.FLOAT)), slack=0.03)


def labels_only() -> Hidden:
    net = Net(FEATURES)
    z = net.op("Gemm", "x", W.T, B)
    return hidden(net.data(net.op("ArgMax", z, axis=1, keepdims=0)))


def dead_features() -> Hidden:
    """As many features again, cut off by a constant mask as a dropout layer frozen in training would leave them."""
    net = Net(2 * FEATURES)
    kept = net.op("Mul", "x", np.repeat([2.0, 0.0], FEATURES)[None])
    x, y = linear_samples()
    wide = np.concatenate([x, np.full_like(x, 0.5)], axis=1)
    data = net.data(net.op("Gemm", kept, np.concatenate([W / 2, 1e3 * W], axis=1).T, B))
    return Hidden(data, wide, y, within_the_box(x, linear_radii(x, y)))


MASKS: dict[str, Callable[[], Hidden]] = {
    "soft-max, saturated": lambda: behind(saturated_softmax),
    "soft-max, twice": lambda: behind(softmax_twice),
    "sum of soft-maxes": lambda: behind(soft_vote),
    "powers of probabilities": lambda: behind(powered),
    "roots of probabilities": lambda: behind(flattened, slack=2e-3),
    "log of probabilities that underflow": lambda: behind(
        lambda net, z: net.op("Log", net.op("Softmax", net.op("Mul", z, 60.0), axis=1))
    ),
    "temperature": lambda: behind(lambda net, z: net.op("Softmax", net.op("Mul", z, 1e-3), axis=1), slack=1e-3),
    "logits times 1e6": lambda: behind(scaled(1e6)),
    "logits times 1e-6": lambda: behind(scaled(1e-6)),
    "factors that vanish": lambda: behind(chain(1e-2, 9)),
    "factors that explode": lambda: behind(chain(1e3, 8)),
    "bias that drowns the rest": lambda: behind(lambda net, z: net.op("Add", z, 1e3), slack=2e-3),
    "logits normalized": lambda: behind(normalized),
    "one-hot scores": lambda: behind(one_hot),
    "ranks for scores": lambda: behind(ranks),
    "a class never predicted": lambda: behind(with_a_class_never_predicted),
    "a look at the very sample": lambda: behind(by_a_look_at_the_very_sample),
    "float16 inside": half,
    "labels only": labels_only,
    "features cut off": dead_features,
}
