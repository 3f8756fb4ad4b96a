"""Graphs converted to torch: the only file that knows onnx2fx, which is young and pinned."""

import onnx2fx
import torch
from onnx import ModelProto, NodeProto

from algorithms.errors import Refused
from algorithms.seam.access import Rows
from models.onnx.gradients import gathering, sorting
from models.onnx.gradients.folding import fold, hand_over
from models.onnx.graph import ML, ONNX, producers
from models.onnx.stumbling import being_converted, fails

CONVERTIBLE_NODES = 10_000  # each becomes a node of torch, and a line of Python: 2 s

gathering.register()
sorting.register()


def withheld(reason: str) -> Refused:
    return Refused(reason, code="access_too_weak")


def convert(model: ModelProto, rows: Rows) -> torch.nn.Module:
    """Convert a graph to a torch module, differentiable by its input, to be called with so many rows (m, *shape).

    Raises Refused(access_too_weak), saying why. Changes the model.
    """
    if len(model.graph.node) > CONVERTIBLE_NODES:
        raise withheld(f"The graph has more than {CONVERTIBLE_NODES} operators, too many to rebuild for gradients.")
    foreign = sorted({_name(node) for node in model.graph.node if not onnx2fx.is_supported(node.op_type, node.domain)})
    if foreign:
        raise withheld(f"Gradients are not implemented for {', '.join(foreign)}.")
    try:
        numbers = fold(model, rows)
        module = onnx2fx.convert(model)
        hand_over(module, numbers)
    except onnx2fx.UnsupportedDTypeError as error:
        maker = producers(model.graph).get(error.tensor_name)
        raise withheld(fails("gradients", "" if maker is None else maker.op_type)) from error
    except Exception as error:  # a converter of other people's graphs may stumble in any way
        raise withheld(fails("gradients", being_converted(error))) from error
    return module.eval().requires_grad_(False)


def _name(node: NodeProto) -> str:
    """The gate lets in standard operators, and functions of the model, whose names are words of its author."""
    return node.op_type if node.domain in (*ONNX, ML) else "functions of its own"
