"""What a label output says: how many classes it tells apart, and how the file calls them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from models.onnx.classes import ClassNames, label_maker, named_classes
from models.onnx.graph import attribute
from models.onnx.signature import unsupported

YES_OR_NO = ("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "Not", "And", "Or", "Xor")


@dataclass(frozen=True)
class ClassLabels:
    """Class labels are told apart into classes. `names`: as the file calls them, None where 0, 1, 2, ..."""

    classes: int
    names: ClassNames | None
    because: Literal["graph", "values"]  # `values`: counted on the rows that were tried


def chooser(model: ModelProto, output: str) -> str | None:
    """Name the value [N, K] whose largest, smallest or ranking an output is by the graph."""
    node = label_maker(model, output)
    while node is not None and node.op_type in ("ArrayFeatureExtractor", "Gather", "LabelEncoder"):
        node = label_maker(model, node.input[0 if node.op_type == "LabelEncoder" else 1])
    if node is None or node.op_type not in ("ArgMax", "ArgMin", "TopK"):
        return None
    chooses_in_row = attribute(node, "axis", -1 if node.op_type == "TopK" else 0) in (1, -1)
    return node.input[0] if chooses_in_row else None


def read_labels(
    model: ModelProto, output: str, columns: int | None, seen: NDArray[Any], more: Callable[[], NDArray[Any]]
) -> ClassLabels:
    """Read what labels mean. `columns`: of the value that they are chosen from, where there is one.

    `seen`: labels of ordinary rows; `more` answers those of others, for where the graph tells nothing. Raises
    Refused(unsupported_signature) where texts, or numbers below 0, are of no known list.
    """
    names = named_classes(model, output)
    if names is not None:
        return ClassLabels(len(names), None if names == tuple(range(len(names))) else names, "graph")
    if seen.dtype.kind in "OU":
        raise unsupported(
            "The labels are texts, and the graph lists no classes that they could be; export a model that numbers its"
            " classes from 0."
        )
    if columns is not None:
        return ClassLabels(columns, None, "graph")
    maker = label_maker(model, output)
    if seen.dtype.kind == "b" or (maker is not None and maker.op_type in YES_OR_NO):
        return ClassLabels(2, None, "graph")
    all_seen = np.concatenate([seen.reshape(-1), more().reshape(-1)])
    if set(np.unique(all_seen)) == {-1, 1}:
        return ClassLabels(2, (-1, 1), "values")
    if seen.min() < 0:
        raise unsupported("The labels are negative for some inputs; export a model that numbers its classes from 0.")
    return ClassLabels(max(2, int(all_seen.max()) + 1), None, "values")
