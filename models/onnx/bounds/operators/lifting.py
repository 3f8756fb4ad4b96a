"""Nodes that keep the rows on another axis than the first, as recurrent layers and attention do for a while.

Such a node is seen as it is for one row, whole: arrays with their axis of size 1 (or n, where n numbers of a row lie
beside each other on it) stand behind the axis of objectives, and every axis that an attribute counts is one further.
That holds where a node treats rows alike: it moves numbers, or acts on axes that do not hold the rows.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from models.onnx.bounds.graph.node import BETWEEN, Node, Unsupported
from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.operators.linear_maps import without_signs
from models.onnx.bounds.operators.operator import GraphStep
from models.onnx.graph import attribute

FREELY = frozenset(  # whatever the axis of the rows
    """
    Abs Add Cast Celu Clip Cos Div Dropout Elu Erf Exp Flatten Gelu HardSigmoid HardSwish Identity LeakyRelu Log
    Max Min Mish Mul Neg Pow Reciprocal Relu Reshape Selu Sigmoid Sin Softplus Softsign Sqrt Squeeze Sub Swish
    Tanh Unsqueeze
    """.split()  # noqa: SIM905
)
BROADCASTING = frozenset(("Add", "Div", "Max", "Min", "Mul", "Sub"))
BY_LAST_AXIS = frozenset(("Gemm", "MatMul"))
BY_AXIS = {"Concat": None, "Gather": 0, "LayerNormalization": -1, "RMSNormalization": -1, "Softmax": -1, "Split": 0}
BY_AXES = {"ReduceMax": 1, "ReduceMean": 1, "ReduceMin": 1, "ReduceSum": 1, "Slice": 3}  # where newer opsets have them
RECURRENT = frozenset(("GRU", "LSTM", "RNN"))  # they know where the rows are


@dataclass(frozen=True)
class Lifted:
    """A lifted node reads whole values, made of ordinary ones by `before`; `after` makes ordinary what it makes."""

    node: Node
    before: tuple[GraphStep, ...]
    after: tuple[GraphStep, ...]


def is_lifted(node: Node) -> bool:
    """Tell whether a node touches a value whose rows lie elsewhere."""
    return not node.trace.displaced.isdisjoint((*node.proto.input, *node.proto.output))


def lifted(node: Node) -> Lifted:
    """See a node as it is for one row. Raises Unsupported where it may act on the axis of the rows."""
    traced, proto = node.trace, NodeProto()
    if not traced.alone.keys() >= {*node.sources, *filter(None, node.proto.output)}:
        raise Unsupported(f"{node.proto.op_type} across the batch axis")
    proto.CopyFrom(node.proto)
    made = [name for name in node.proto.output if name]
    rank = len(traced.alone[made[0]]) if proto.op_type in BROADCASTING else 0
    shapes = {name: (1,) * (rank - len(traced.alone[name])) + traced.alone[name] for name in (*node.sources, *made)}
    other = [name for name, shape in shapes.items() if name not in traced.displaced or shape != traced.alone[name]]
    names = {name: f"{name}{BETWEEN}whole of {node.name}" for name in other}
    for field in (proto.input, proto.output):
        field[:] = [names.get(name, name) for name in field]
    constants = traced.constants | _shift(node, proto)
    seen = {names.get(name, name): shape for name, shape in shapes.items()}
    return Lifted(
        Node(proto, replace(traced, shapes=seen, constants=constants, displaced=frozenset()), node.opset, node.device),
        tuple(_reshaped(names[name], name, traced.shapes[name], shapes[name]) for name in other if name not in made),
        tuple(_reshaped(name, names[name], shapes[name], traced.shapes[name]) for name in other if name in made),
    )


def _reshaped(name: str, source: str, before: Shape, after: Shape) -> GraphStep:
    return GraphStep(name, (source,), without_signs(lambda x: x.reshape(len(x), *after), before), after)


def _shift(node: Node, proto: NodeProto) -> dict[str, NDArray[Any]]:
    """Count every axis that the node acts on one further -> constants that the lifted node reads instead of its own."""
    op, rank = proto.op_type, len(node.trace.alone[node.sources[0]])
    if op in FREELY:
        return _without_rows(node, proto)
    if op in RECURRENT:
        return {}
    if op == "Transpose":
        order = attribute(proto, "perm", list(range(rank))[::-1])
        _set(proto, "perm", [0, *(axis + 1 for axis in order)])
    elif op in BY_LAST_AXIS and len(node.sources) == 1 and node.depends(0):
        _check(node, [rank - 1])
    elif op in BY_AXIS:
        axis = attribute(proto, "axis", BY_AXIS[op]) % rank
        _check(node, range(axis, rank) if op.endswith("Normalization") else [axis])
        _set(proto, "axis", axis + 1)
    elif op in BY_AXES:
        return _shift_axes(node, proto, rank)
    else:
        raise node.unsupported("across the batch axis")
    return {}


def _without_rows(node: Node, proto: NodeProto) -> dict[str, NDArray[Any]]:
    """Constants that are written out for every row, alike for all of them, as they are for one."""
    made, found = node.proto.output[0], {}
    together, alone = node.trace.together[made], node.trace.alone[made]
    for i, name in enumerate(node.proto.input):
        constant = np.asarray(node.trace.constants[name]) if name and not node.depends(i) else np.zeros(())
        for axis in range(max(-constant.ndim, -len(together)), 0):
            if constant.shape[axis] == together[axis] != alone[axis] == 1:
                first = constant.take([0], axis)
                if not (constant == first).all():
                    raise node.unsupported("with a constant that differs from row to row")
                constant = first
                proto.input[i] = f"{node.name}{BETWEEN}constant {i}"
                found[proto.input[i]] = constant
    return found


def _shift_axes(node: Node, proto: NodeProto, rank: int) -> dict[str, NDArray[Any]]:
    """Axes are an attribute or an input. A Slice without them counts from the first."""
    place = BY_AXES[proto.op_type]
    given = node.array(place)
    found = attribute(proto, "axes", None) if given is None else given.ravel().tolist()
    if found is None and proto.op_type == "Slice":
        starts = node.array(1)
        found = list(range(len(attribute(proto, "starts", []) if starts is None else starts)))
    if not found:
        raise node.unsupported("across the batch axis")
    axes = [axis % rank for axis in found]
    _check(node, axes)
    shifted = [axis + 1 for axis in axes]
    if node.array(1) is None or (proto.op_type.startswith("Reduce") and given is None):
        _set(proto, "axes", shifted)
        return {}
    name = f"{node.name}{BETWEEN}axes"
    proto.input.extend([""] * (place + 1 - len(proto.input)))
    proto.input[place] = name
    return {name: np.array(shifted, np.int64)}


def _check(node: Node, axes: Any) -> None:
    """The axes that are acted on must not grow with the number of rows."""
    for name in node.sources:
        alone, together = node.trace.alone[name], node.trace.together[name]
        if any(alone[axis] != together[axis] for axis in axes):
            raise node.unsupported("across the batch axis")


def _set(proto: NodeProto, name: str, value: Any) -> None:
    kept = [a for a in proto.attribute if a.name != name]
    del proto.attribute[:]
    proto.attribute.extend([*kept, helper.make_attribute(name, value)])
