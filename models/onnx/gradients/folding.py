"""What a graph knows of its rows by their number alone, made constant: gradients are taken of one number of rows.

Exports read their batch size (`x.view(x.shape[0], -1)`) and compute with it: targets of Reshapes, ranges, zeros to
start from. The converted graph would do so on the processor at every call, and on a card stumble over what lies there.
So it is computed once, by the same functions; and what an operator takes for Python's own numbers (a target, the axes
of a sum) is handed to it as such: read from a card, each would be waited for.
"""

from collections.abc import Sequence
from typing import Any

import onnx2fx
import torch
from onnx import ModelProto, NodeProto, numpy_helper
from torch import fx

from algorithms.seam.access import Rows
from models.onnx.gradients.numbers_of_rows import LISTS, SINGLE, known_by_number
from models.onnx.graph import ONNX, Editor, as_outputs, constants, prune
from models.onnx.stumbling import NAMED

Numbers = dict[str, Any]  # of initializers: lists of numbers, or single ones


def fold(model: ModelProto, rows: Rows) -> Numbers:
    """Make constants, in place, of what follows from so many rows (m, *shape); return those taken for plain numbers.

    `model` is a graph with one input, its nodes in order.
    """
    known = known_by_number(model)
    if known:
        _replace(model, known, _computed(model, known, rows))
    return _set_apart(model)


def _computed(model: ModelProto, names: Sequence[str], rows: Rows) -> Sequence[torch.Tensor]:
    counting = ModelProto()
    counting.CopyFrom(model)
    prune(counting, as_outputs(counting, names))
    with torch.no_grad():
        found = onnx2fx.convert(counting).eval()(torch.from_numpy(rows))
    return [found] if len(names) == 1 else list(found)


def _replace(model: ModelProto, names: Sequence[str], values: Sequence[torch.Tensor]) -> None:
    graph, folded = model.graph, set(names)
    for node in graph.node:
        node.output[:] = ["" if name in folded else name for name in node.output]
    held = [numpy_helper.from_array(value.numpy(), name) for name, value in zip(names, values, strict=True)]
    graph.initializer.extend(held)
    prune(model, list(graph.output))


def _set_apart(model: ModelProto) -> Numbers:
    """One constant may be an index here and an axis there: each that is taken for plain numbers is held once more."""
    known, editor = constants(model.graph), Editor(model)
    apart: dict[tuple[str, bool], str] = {}
    numbers: Numbers = {}
    for node in model.graph.node:
        for place, is_single in _plain(node):
            name = node.input[place]
            if name not in known or (is_single and known[name].size != 1):
                continue
            if (name, is_single) not in apart:
                made = apart[name, is_single] = editor.constant(known[name], "numbers")
                numbers[made] = known[name].item() if is_single else known[name].tolist()
            node.input[place] = apart[name, is_single]
    return numbers


def _plain(node: NodeProto) -> list[tuple[int, bool]]:
    """Which of its inputs are taken for plain numbers; True: for a single one."""
    if node.domain not in ONNX:
        return []
    places = [(place, False) for place in LISTS.get(node.op_type, ())]
    places += [(place, True) for place in SINGLE.get(node.op_type, ())]
    return [(place, is_single) for place, is_single in places if place < len(node.input)]


def hand_over(module: fx.GraphModule, numbers: Numbers) -> None:
    """Write plain numbers into the calls of a converted graph, in the places of the constants of these names."""
    constants_ = module.graph.find_nodes(op="get_attr")
    held = {at: numbers[at.meta[NAMED]] for at in constants_ if at.meta.get(NAMED) in numbers}

    def given(argument: fx.Node) -> Any:
        return held.get(argument, argument)

    for at in held:
        for user in list(at.users):
            user.args, user.kwargs = fx.map_arg(user.args, given), fx.map_arg(user.kwargs, given)
        module.graph.erase_node(at)
        delattr(module, str(at.target))
    module.recompile()
