"""Numbers for each class of which the smallest is the best, as the graph shows: distances, losses, rests of shares.

Nothing but the graph's last operators tells them from scores, and the largest of them is the class that the file speaks
against most.
"""

from onnx import ModelProto, NodeProto

from models.onnx.classes import label_maker
from models.onnx.graph import ONNX, constants
from models.onnx.reading.ranges import UNKNOWN, Range
from models.onnx.reading.walking import ranges

LENGTHS = ("ReduceL1", "ReduceL2", "ReduceSumSquare")


def are_penalties(model: ModelProto, output: str) -> bool:
    """Tell whether an output [N, K] is a length, the square root of a number without end, -log p or 1 - p of shares."""
    maker = label_maker(model, output)
    if maker is None or maker.domain not in ONNX:
        return False
    if maker.op_type in LENGTHS:
        return True
    found = ranges(model)
    if maker.op_type == "Sqrt":
        return found.get(maker.input[0], UNKNOWN).high == Range().high
    if maker.op_type == "Neg":
        return _is_log_of_share(label_maker(model, maker.input[0]), found)
    if maker.op_type == "Sub":
        first = constants(model.graph).get(maker.input[0])
        is_one = first is not None and bool((first == 1).all())
        return is_one and found.get(maker.input[1], UNKNOWN).shares_of is not None
    return False


def _is_log_of_share(node: NodeProto | None, found: dict[str, Range]) -> bool:
    if node is None or node.domain not in ONNX:
        return False
    is_log = node.op_type == "Log" and found.get(node.input[0], UNKNOWN).shares_of is not None
    return node.op_type == "LogSoftmax" or is_log
