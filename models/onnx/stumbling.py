"""Where a graph rebuilt in torch stumbles: the operator, so that the reason for a withheld offer can name it.

Names are words of the standard: the gate lets no other operators in, and functions of the model are written out.
"""

from collections.abc import Callable, Mapping
from traceback import walk_tb
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from onnx import NodeProto
from torch import Tensor

MADE_BY = "onnx_op_type"  # where onnx2fx keeps the operator, on the last of the steps that it turns a node into
NAMED, PLACE = "onnx_name", "onnx_output_index"  # and the name of the node, which lists what it makes
NO_OPERATORS = ("Input", "Initializer")

Local = TypeVar("Local")


def at(operator: str) -> str:
    """Say where, within a sentence: nothing where that is not known."""
    return f" at the operator {operator}" if operator else ""


def fails(offer: str, operator: str) -> str:
    """Say that what was rebuilt for an offer fails, and at which operator where that is known."""
    return f"The graph rebuilt for {offer} fails{at(operator)}; methods that need no {offer} can still be run."


def last_local(error: BaseException, name: str, kind: type[Local]) -> Local | None:
    """Find what a variable of this name and kind held in the innermost function that an error was raised through."""
    held = [frame.f_locals.get(name) for frame, _ in walk_tb(error.__traceback__)]
    return next((value for value in reversed(held) if isinstance(value, kind)), None)


def being_converted(error: BaseException) -> str:
    """Name the operator that onnx2fx was converting when this was raised, or ""."""
    node = last_local(error, "node", NodeProto)
    return "" if node is None else node.op_type


def being_run(module: torch.nn.Module, points: Tensor) -> str:
    """Name the operator that a converted graph fails at on these points (m, *shape), or "" where it runs."""
    if not isinstance(module, torch.fx.GraphModule):
        return ""
    walk = _Walk(module)
    try:
        walk.run(points)
    except Exception:  # that it fails is known: where is what is asked
        return _operator(walk.at)
    return ""


def first_to_differ(
    module: torch.nn.Module, points: Tensor, answers: Mapping[str, NDArray[Any]], are_close: Callable[[Any, Any], bool]
) -> str:
    """Name the first operator of which a value on these points is not what onnxruntime `answers`, or ""."""
    if not isinstance(module, torch.fx.GraphModule):
        return ""
    walk = _Walk(module)
    walk.run(points)
    for step, value in walk.values.items():
        made = str(step.meta.get(NAMED)).split(",")[step.meta.get(PLACE, 0)]
        expected = answers.get(made)
        if expected is not None and not are_close(value.detach().cpu().numpy(), expected):
            return _operator(step)
    return ""


class _Walk(torch.fx.Interpreter):
    """Takes one step after the other, and knows where it is and what was made."""

    at: torch.fx.Node

    def __init__(self, module: torch.fx.GraphModule) -> None:
        super().__init__(module)
        self.values: dict[torch.fx.Node, Tensor] = {}

    def run_node(self, n: torch.fx.Node) -> object:
        self.at = n
        made = super().run_node(n)
        if isinstance(made, Tensor):  # of several values each is taken out by a step of its own
            self.values[n] = made
        return made


def _operator(step: torch.fx.Node) -> str:
    """The steps of an operator stand together, and the last of them is marked."""
    while MADE_BY not in step.meta and step.op != "output":
        step = step.next
    name = str(step.meta.get(MADE_BY, ""))
    return "" if name in NO_OPERATORS else name
