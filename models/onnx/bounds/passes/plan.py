"""A graph as bounds walk it: steps in order, each with its operator and the values it reads."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onnx import ModelProto, NodeProto

from models.device import Device
from models.onnx.batch import is_full
from models.onnx.bounds.graph.node import BETWEEN, Node, Unsupported
from models.onnx.bounds.graph.tracing import Shape, Trace, dependent, trace
from models.onnx.bounds.operators.lifting import is_lifted, lifted
from models.onnx.bounds.operators.operator import Affine, GraphStep
from models.onnx.bounds.rules.table import RULES
from models.onnx.graph import ONNX, opset


@dataclass(frozen=True)
class BoundPlan:
    input: str
    steps: tuple[GraphStep, ...]
    shapes: dict[str, Shape]  # of one row of every value
    affine: frozenset[str]  # values that are affine in the rows: no curve or product lies between
    output: str
    operators: dict[str, str]  # of the graph, by the value that each makes

    def operator_of(self, step: GraphStep) -> str:
        """Name the operator of the graph that a step belongs to."""
        return self.operators.get(step.name.partition(BETWEEN)[0], "")

    def back_from(self, name: str) -> Iterator[GraphStep]:
        """Yield the steps from the one that makes `name` back to the first."""
        reached = False
        for step in reversed(self.steps):
            reached = reached or step.name == name
            if reached:
                yield step

    def work(self, name: str) -> int:
        """Count the numbers that a backward pass from a value may have to visit for one objective."""
        return sum(math.prod(self.shapes[step.name]) for step in self.back_from(name))

    @property
    def products(self) -> int:
        """Count the multiplications of a backward pass from the output for one objective, if none goes by windows."""
        return sum(math.prod(self.shapes[step.name]) * _terms(step) for step in self.steps)

    @property
    def widest(self) -> int:
        """Count the numbers a row of the largest value."""
        return max(math.prod(shape) for shape in self.shapes.values())

    @property
    def total(self) -> int:
        """Count the numbers a row of all values."""
        return sum(math.prod(shape) for shape in self.shapes.values())


def _terms(step: GraphStep) -> int:
    return max(1, step.operator.terms) if isinstance(step.operator, Affine) else 1


def plan(model: ModelProto, shape: Shape, batch: int | None, device: Device) -> BoundPlan:
    """Plan how bounds walk a graph with one input, [N or batch, *shape], and one output.

    Raises:
        Unsupported: names the operators without a rule, or says what a rule does not cover.
        ModelFault: the model does not run on probe rows.
    """
    _check_operators(dependent(model))
    traced = trace(model, shape, batch)
    nodes = (Node(proto, traced, opset(model), device) for proto in traced.nodes)
    steps = _needed(model.graph.output[0].name, tuple(step for node in nodes for step in _steps(node)))
    _check_sources(traced, steps)
    affine = {traced.input}
    for step in steps:
        if isinstance(step.operator, Affine) and affine.issuperset(step.sources):
            affine.add(step.name)
    shapes = {traced.input: traced.shapes[traced.input]} | {step.name: step.shape for step in steps}
    operators = {node.output[0]: node.op_type for node in traced.nodes}
    return BoundPlan(traced.input, steps, shapes, frozenset(affine), model.graph.output[0].name, operators)


def _steps(node: Node) -> tuple[GraphStep, ...]:
    if not is_lifted(node):
        return _own_steps(node)
    seen = lifted(node)
    return (*seen.before, *_own_steps(seen.node), *seen.after)


def _own_steps(node: Node) -> tuple[GraphStep, ...]:
    try:
        made = RULES[node.proto.op_type](node)
    except Unsupported:
        raise
    except Exception as error:  # a rule may stumble over other people's attributes in any way
        if is_full(error):
            raise
        raise Unsupported(f"{node.proto.op_type} as it is used here") from error
    return made if isinstance(made, tuple) else (GraphStep(node.name, node.sources, made, node.out),)


def _needed(output: str, steps: tuple[GraphStep, ...]) -> tuple[GraphStep, ...]:
    """Keep the steps on the way to the output: a rule may read past the nodes that a curve was written in."""
    needed, kept = {output}, []
    for step in reversed(steps):
        if step.name in needed:
            needed.update(step.sources)
            kept.append(step)
    return tuple(reversed(kept))


def _check_sources(traced: Trace, steps: Iterable[GraphStep]) -> None:
    known = {traced.input}
    for step in steps:
        for source in step.sources:
            if source not in known:
                raise Unsupported(f"what becomes of {traced.makers[source].op_type}")
        known.add(step.name)


def _check_operators(nodes: Iterable[NodeProto]) -> None:
    foreign = {node.op_type for node in nodes if node.op_type not in RULES or node.domain not in ONNX}
    if foreign:
        raise Unsupported(", ".join(sorted(foreign)))
