"""LSTM, GRU and RNN, unrolled: each step of time takes steps of its own, so that long sequences have no bounds.

A value is (m, time, 1, features), the rows on its third axis, as `operators/lifting.py` has it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.operators.linear_maps import scaled, transposed, without_signs
from models.onnx.bounds.operators.operator import Affine, Curve, GraphStep
from models.onnx.bounds.relaxations.products import Product
from models.onnx.bounds.rules.curves.rectifiers import Rectifier
from models.onnx.bounds.rules.curves.sigmoids import sigmoid, tanh

LONGEST = 64  # steps of time, of all directions together
PLAIN = {"LSTM": [b"Sigmoid", b"Tanh", b"Tanh"], "GRU": [b"Sigmoid", b"Tanh"], "RNN": [b"Tanh"]}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@dataclass
class Unrolling:
    """An unrolling holds the steps of one direction, in order. A state is a name, or None while it is zero."""

    node: Node
    weights: Tensor  # (gates * hidden, features)
    recurrence: Tensor  # (gates * hidden, hidden)
    input_bias: Tensor  # (gates * hidden,)
    state_bias: Tensor
    direction: int
    steps: list[GraphStep] = field(default_factory=list)

    @property
    def hidden(self) -> int:
        return self.recurrence.shape[1]

    def add(self, sources: tuple[str, ...], operator: Affine | Curve | Product, size: int | None = None) -> str:
        name = self.node.inner(f"{self.direction}.{len(self.steps)}")
        self.steps.append(GraphStep(name, sources, operator, (size or self.hidden,)))
        return name

    def curve(self, source: str, curve: Curve) -> str:
        (size,) = self.steps[-1].shape
        return self.add((source,), curve, size)

    def line(self, time: int | None, state: str | None, gates: slice) -> str:
        """Weights x_t + recurrence h + biases of some gates; of the state alone where `time` is None."""
        part = slice(gates.start * self.hidden, gates.stop * self.hidden)
        inner, outer = self.recurrence[part], self.weights[part]
        bias = self.state_bias[part] + (self.input_bias[part] if time is not None else 0)
        shapes = [self.node.shape(0)] * (time is not None) + [(self.hidden,)] * (state is not None)

        def through(x: tuple[Tensor, ...], outer: Tensor, inner: Tensor) -> Tensor:
            found = x[-1] @ inner.T if state is not None else 0.0
            return found + x[0][:, time, 0] @ outer.T if time is not None else torch.as_tensor(found)

        def apply(*x: Tensor) -> Tensor:
            return through(x, outer, inner)

        terms = (outer.shape[1] if time is not None else 0) + inner.shape[1] + 2
        sources = (self.node.proto.input[0],) * (time is not None) + ((state,) if state is not None else ())
        operator = Affine(
            apply,
            lambda *x: through(x, outer.abs(), inner.abs()),
            transposed(apply, shapes),
            bias[None],
            (self.state_bias[part].abs() + self.input_bias[part].abs())[None],
            terms=terms,
        )
        return self.add(sources, operator, len(inner))

    def cut(self, source: str, which: int, count: int) -> str:
        start = which * self.hidden
        operator = without_signs(lambda x: x[:, start : start + self.hidden], (count * self.hidden,))
        return self.add((source,), operator)

    def product(self, one: str, other: str) -> str:
        return self.add((one, other), Product())

    def sum(self, one: str, other: str) -> str:
        return self.add((one, other), Affine(torch.add, torch.add, lambda s: (s, s), terms=1))

    def difference(self, one: str, other: str) -> str:
        shapes = [(self.hidden,)] * 2
        return self.add((one, other), Affine(torch.sub, torch.add, transposed(torch.sub, shapes), terms=1))


States = tuple[str | None, str | None]  # hidden, and the cell of an LSTM
Advance = Callable[[Unrolling, int, States], States]


def _lstm(net: Unrolling, time: int, states: States) -> States:
    """c' = f c + i g, h' = o tanh(c'); gates in the order i, o, f, g."""
    hidden, cell = states
    gates = net.curve(net.line(time, hidden, slice(0, 3)), sigmoid(net.node))
    news = net.curve(net.line(time, hidden, slice(3, 4)), tanh(net.node))
    made = net.product(net.cut(gates, 0, 3), news)
    if cell is not None:
        made = net.sum(made, net.product(net.cut(gates, 2, 3), cell))
    opened = net.cut(gates, 1, 3)
    return net.product(opened, net.add((made,), tanh(net.node))), made


def _gru(net: Unrolling, time: int, states: States) -> States:
    """h' = n + z (h - n), gates in the order z, r, n. The reset is of h, or (linear_before_reset) of its line."""
    hidden, _ = states
    gates = net.curve(net.line(time, hidden, slice(0, 2)), sigmoid(net.node))
    update, reset = net.cut(gates, 0, 2), net.cut(gates, 1, 2)
    if net.node.attribute("linear_before_reset", 0):
        of_state = _reset_line(net, reset, hidden)
        news = net.sum(_input_line(net, time), of_state)
    else:
        news = net.line(time, None if hidden is None else net.product(reset, hidden), slice(2, 3))
    news = net.add((news,), tanh(net.node))
    if hidden is None:
        return net.add((net.product(update, news), news), _less()), None
    return net.sum(news, net.product(update, net.difference(hidden, news))), None


def _less() -> Affine:
    return Affine(lambda a, b: b - a, torch.add, lambda s: (s.times(-torch.ones_like(s.numbers)), s), terms=1)


def _reset_line(net: Unrolling, reset: str, hidden: str | None) -> str:
    """r (recurrence h + bias)"""
    if hidden is not None:
        return net.product(reset, net.line(None, hidden, slice(2, 3)))
    return net.add((reset,), scaled(net.state_bias[2 * net.hidden :][None], (net.hidden,), (net.hidden,)))


def _input_line(net: Unrolling, time: int) -> str:
    part = slice(2 * net.hidden, 3 * net.hidden)
    weights, shape = net.weights[part], net.node.shape(0)

    def apply(x: Tensor) -> Tensor:
        return x[:, time, 0] @ weights.T

    adjoint = transposed(apply, [shape])
    magnitude = weights.abs().T
    bias = net.input_bias[part][None]
    return net.add(
        (net.node.proto.input[0],),
        Affine(apply, lambda x: x[:, time, 0] @ magnitude, adjoint, bias, terms=shape[-1] + 1),
    )


def _rnn(net: Unrolling, time: int, states: States) -> States:
    """h' = tanh or relu of the line."""
    (activation,) = net.node.attribute("activations", PLAIN["RNN"])[:1]
    curve: Curve = tanh(net.node) if activation == b"Tanh" else Rectifier()
    return net.add((net.line(time, states[0], slice(0, 1)),), curve), None


ADVANCES: dict[str, Advance] = {"LSTM": _lstm, "GRU": _gru, "RNN": _rnn}


def unroll(node: Node) -> tuple[GraphStep, ...]:
    """Lay out a recurrent layer, in one direction or both: outputs of all times, and the last states."""
    op, shape = node.proto.op_type, node.shape(0)
    _check(node)
    time, count = shape[0], node.required(1).shape[0]
    if time * count > LONGEST:
        raise node.unsupported(f"of more than {LONGEST} steps of time")
    backward = node.attribute("direction", b"forward") == b"reverse"
    nets, outputs, ends = [], [], []
    for direction in range(count):
        net = _direction(node, direction)
        order = range(time) if not backward and direction == 0 else range(time)[::-1]
        states: States = (None, None)
        found: dict[int, str] = {}
        for t in order:
            states = ADVANCES[op](net, t, states)
            found[t] = str(states[0])
        nets.append(net)
        outputs.append([found[t] for t in range(time)])
        ends.append(states)
    steps = [step for net in nets for step in net.steps]
    hidden = nets[0].hidden
    stacks = [
        [outputs[d][t] for t in range(time) for d in range(count)],
        [str(h) for h, _ in ends],
        [str(c) for _, c in ends],
    ]
    for name, parts in zip(node.proto.output, stacks, strict=False):
        if name:
            steps.append(
                GraphStep(
                    name, tuple(parts), _stacked(len(parts), hidden, node.trace.shapes[name]), node.trace.shapes[name]
                )
            )
    return tuple(steps)


def _stacked(parts: int, hidden: int, out: tuple[int, ...]) -> Affine:
    if parts == 1:
        return without_signs(lambda x: x.reshape(len(x), *out), (hidden,))

    def join(*x: Tensor) -> Tensor:
        return torch.stack(x, 1).reshape(len(x[0]), *out)

    return without_signs(join, *[(hidden,)] * parts)


def _direction(node: Node, direction: int) -> Unrolling:
    weights, recurrence = node.required(1)[direction], node.required(2)[direction]
    biases = node.tensor(3)
    both = (
        torch.zeros(2 * len(weights), dtype=torch.float64, device=node.device) if biases is None else biases[direction]
    )
    return Unrolling(node, weights, recurrence, both[: len(weights)], both[len(weights) :], direction)


def _check(node: Node) -> None:
    """What is not plain: other curves, clipping, peepholes, lengths of their own, states that do not begin at zero."""
    op, directions = node.proto.op_type, 2 if node.attribute("direction", b"forward") == b"bidirectional" else 1
    expected = [PLAIN[op] * directions] + ([[b"Relu"] * directions] if op == "RNN" else [])
    if node.attribute("activations", expected[0]) not in expected:
        raise node.unsupported("with other curves than its own")
    if node.attribute("clip", None) is not None or node.attribute("input_forget", 0) or node.attribute("layout", 0):
        raise node.unsupported("clipped, coupled, or with the rows first")
    if node.array(7) is not None:
        raise node.unsupported("with peepholes")
    lengths = node.array(4)
    if lengths is not None and not (lengths == node.shape(0)[0]).all():
        raise node.unsupported("with lengths of their own")
    for i in (5, 6):
        state = node.array(i)
        if state is not None and state.any():
            raise node.unsupported("that does not begin at zero")
