"""Whether the graph itself makes a label of the scores beside it: only then is a proof about the scores one about it.

Two outputs that agree on every row tried may still part on the next one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from onnx import ModelProto, NodeProto

from models.onnx.classes import label_maker
from models.onnx.graph import ML, ONNX, attribute, constants, producers
from models.onnx.rebuilding import linear_classifiers
from models.onnx.rebuilding.odds import SHOWN
from models.onnx.rebuilding.rebuild import Rebuilt

BY_ELEMENT = ("Identity", "Dropout", "Cast", "Sigmoid", "Log")
SHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")
BY_ROW = ("Softmax", "LogSoftmax")


@dataclass(frozen=True)
class Settled:
    """Settled is a label that the graph makes of scores. `slack`: as in `Rebuilt`, for the label."""

    slack: float | None


def settle(model: ModelProto, label: str, scores: str, rebuilt: Rebuilt) -> Settled | None:
    """Tell how the graph makes a label of scores; None where it does not.

    It makes it where the label is the first of the largest of `scores`, or of what they are made of by a soft-max or
    sigmoids: of two scores that differ in float32 the larger is that of the larger z. Where the label is the largest of
    a soft-max of the scores, two that are nearly equal may be rounded to a tie.
    """
    node = label_maker(model, label)
    behind = list(_behind(model, scores))
    if node is not None and node.domain == ML and node.op_type == "LinearClassifier":
        made = node in behind and linear_classifiers.is_linear(node, node.output[1])
        return Settled(rebuilt.slack) if made else None
    if node is not None and node.op_type == "Greater" and node.domain in ONNX:
        return _settled_by_cut(model, node, behind, rebuilt)
    while node is not None and node.op_type in ("ArrayFeatureExtractor", "Gather", "LabelEncoder"):
        node = label_maker(model, node.input[0 if node.op_type == "LabelEncoder" else 1])
    if node is None or node.op_type != "ArgMax" or not _takes_first_of_row(node):
        return None
    deciders = list(_behind(model, node.input[0]))
    if not deciders or not behind:
        return None
    if _core(deciders) in behind:
        return Settled(rebuilt.slack)
    squashes = [each.op_type for each in deciders[: deciders.index(behind[0])]] if behind[0] in deciders else None
    is_softmax = squashes is not None and [op for op in squashes if op not in ("Identity", "Dropout")] == ["Softmax"]
    return Settled(SHOWN) if is_softmax and rebuilt.slack == 0 else None


def _settled_by_cut(model: ModelProto, node: NodeProto, behind: list[NodeProto], rebuilt: Rebuilt) -> Settled | None:
    """One number a row above the cut that it is read by: a logit above 0, a probability above 1/2."""
    limit = constants(model.graph).get(node.input[1])
    cut = {"logit": 0.0, "decision": 0.0, "probability": 0.5}.get(rebuilt.reads.as_)
    compared = list(_behind(model, node.input[0]))
    is_cut = limit is not None and limit.size == 1 and float(limit.reshape(())) == cut
    is_number = bool(compared and behind) and _core(compared) == _core(behind)
    return Settled(rebuilt.slack) if is_cut and is_number else None


def _takes_first_of_row(node: NodeProto) -> bool:
    return attribute(node, "axis", 0) in (1, -1) and not attribute(node, "select_last_index", 0)


def _core(nodes: list[NodeProto]) -> NodeProto:
    """The first that does more than to hand on or to reshape."""
    return next((node for node in nodes if node.op_type not in ("Identity", "Dropout", *SHAPES)), nodes[-1])


def _behind(model: ModelProto, value: str) -> Iterator[NodeProto]:
    """Yield the nodes from the one that makes a value [N, K] back through what keeps the order of a row."""
    makers = producers(model.graph)
    node = makers.get(value)
    is_flat = True  # as it stands in the value
    while node is not None:
        yield node
        if node.op_type in SHAPES:
            is_flat = False
        elif not _keeps_order(node, is_flat):
            return
        node = makers.get(node.input[0])


def _keeps_order(node: NodeProto, is_flat: bool) -> bool:
    if node.domain == ML:
        return is_flat and node.op_type == "Normalizer" and attribute(node, "norm", b"MAX") in (b"L1", b"L2")
    if node.domain not in ONNX:
        return False
    is_row_wise = is_flat and node.op_type in BY_ROW and attribute(node, "axis", -1) in (1, -1)
    return node.op_type in BY_ELEMENT or is_row_wise
