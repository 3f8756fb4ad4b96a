"""What every value of a graph is: so many numbers a row, or a constant. Found by running it once on probe rows.

A value that depends on the rows by their number alone, as the targets of many Reshapes do, counts as constant.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from models.onnx import probes
from models.onnx.graph import ONNX, constants
from models.onnx.session import padded, run_all

PROBED = 5  # rows, where the model takes any number of them: few other axes have this size
KNOWN_BY_SHAPE = ("Shape", "Size")

Shape = tuple[int, ...]  # of one row, without the batch axis


@dataclass(frozen=True)
class Trace:
    """Every value of a graph is in `shapes` if it depends on the content of the rows, else in `constants`."""

    input: str
    nodes: tuple[NodeProto, ...]  # those that depend on the rows, in order
    shapes: dict[str, Shape]
    constants: dict[str, NDArray[Any]]
    displaced: frozenset[str]  # values whose first axis is not that of the rows
    rows: int  # it was traced with

    @cached_property
    def makers(self) -> dict[str, NodeProto]:
        """Map each value that depends on the rows, but for the input, to the node that makes it."""
        return {name: node for node in self.nodes for name in node.output if name}


def trace(model: ModelProto, shape: Shape, batch: int | None) -> Trace:
    """Trace a graph with one input, [N or batch, *shape]. Raises ModelFault where it does not run."""
    entry = model.graph.input[0].name
    rows = padded(probes.rows(shape)[: batch or PROBED], batch or PROBED)
    nodes = dependent(model)
    answers = run_all(model, rows)
    names = {entry, *(name for node in nodes for name in node.output if name)}
    answers[entry] = rows
    return Trace(
        input=entry,
        nodes=tuple(nodes),
        shapes={name: tuple(answers[name].shape[1:]) for name in names},
        constants={name: value for name, value in answers.items() if name not in names} | constants(model.graph),
        displaced=frozenset(name for name in names if answers[name].shape[:1] != (len(rows),)),
        rows=len(rows),
    )


def dependent(model: ModelProto) -> list[NodeProto]:
    """List the nodes that depend on the content of the rows, in order."""
    reached, found = {model.graph.input[0].name}, []
    for node in model.graph.node:  # sorted by `prune`
        is_standard = node.domain in ONNX
        if reached.intersection(node.input) and not (is_standard and node.op_type in KNOWN_BY_SHAPE):
            reached.update(name for name in node.output if name)
            found.append(node)
    return found
