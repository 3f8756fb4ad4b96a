"""What every value of a graph is: so many numbers a row, or a constant. Found by running it once on probe rows.

A value that depends on the rows by their number alone, as the targets of many Reshapes do, counts as constant.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from algorithms.errors import ModelFault
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
    together: dict[str, Shape]  # of each value that depends on the rows, as it is for all of them
    alone: dict[str, Shape]  # the same for one row; none where the graph takes no single one

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
    together = {name: _shape(answers[name]) for name in names}
    displaced = {name for name in names if together[name][:1] != (len(rows),)}
    parted = _parted(model, rows, answers, together) if displaced and batch else {}  # a run for each row
    alone = parted if batch else _alone(model, rows[:1])
    displaced |= {name for name in names & set(alone) if alone[name][:1] != (1,)}
    return Trace(
        input=entry,
        nodes=tuple(nodes),
        shapes={name: alone[name] if name in displaced & set(alone) else together[name][1:] for name in names},
        constants={name: value for name, value in answers.items() if name not in names} | constants(model.graph),
        displaced=frozenset(displaced),
        rows=len(rows),
        together=together,
        alone=alone,
    )


def _shape(value: Any) -> Shape:
    return tuple(int(size) for size in value.shape)


def _alone(model: ModelProto, row: NDArray[Any]) -> dict[str, Shape]:
    """Shapes of a single row's values; none where the graph takes no single one."""
    try:
        return {name: _shape(value) for name, value in run_all(model, row).items()} | {
            model.graph.input[0].name: _shape(row)
        }
    except ModelFault:
        return {}


def _parted(
    model: ModelProto, rows: NDArray[Any], answers: dict[str, Any], together: dict[str, Shape]
) -> dict[str, Shape]:
    """Shapes of one row's part of each value where the number of rows is fixed: on the axis where rows lie apart.

    Found by changing one row after the other. A value on which no such axis is seen is left out.
    """
    count = len(rows)
    if count == 1:
        return together
    places = {name: [np.zeros((count, size), bool) for size in shape] for name, shape in together.items()}
    for row in range(count):
        moved = rows.copy()
        moved[row] = 0.5 * moved[row] + 0.25 * np.roll(moved[row].ravel(), 1).reshape(moved[row].shape)
        found = run_all(model, moved) | {model.graph.input[0].name: moved}
        for name, axes in places.items():
            changed = found[name] != answers[name]
            for axis, seen in enumerate(axes):
                seen[row] = changed.any(tuple(other for other in range(changed.ndim) if other != axis))
    parted = {}
    for name, axes in places.items():
        own = [axis for axis, seen in enumerate(axes) if (seen.sum(0) == 1).all() and len(set(seen.sum(1))) == 1]
        if own:
            shape = list(together[name])
            shape[own[0]] //= count
            parted[name] = tuple(shape)
    return parted


def dependent(model: ModelProto) -> list[NodeProto]:
    """List the nodes that depend on the content of the rows, in order."""
    reached, found = {model.graph.input[0].name}, []
    for node in model.graph.node:  # sorted by `prune`
        is_standard = node.domain in ONNX
        if reached.intersection(node.input) and not (is_standard and node.op_type in KNOWN_BY_SHAPE):
            reached.update(name for name in node.output if name)
            found.append(node)
    return found
