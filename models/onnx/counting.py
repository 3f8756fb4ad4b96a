"""How many classes a model has that answers with bare labels."""

from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import ModelProto

from models.onnx.classes import label_maker, named_classes
from models.onnx.signature import unsupported


def count_labels(model: ModelProto, name: str, seen: NDArray[Any]) -> int:
    """Count the classes named in the graph or scored before an ArgMax; else one more than the largest label `seen`.

    Raises Refused(unsupported_signature) for negative labels.
    """
    if seen.min() < 0:
        raise unsupported("The labels are negative for some inputs; export a model that numbers its classes from 0.")
    return max(2, int(seen.max()) + 1, _named_classes(model, name))


def _named_classes(model: ModelProto, name: str) -> int:
    node = label_maker(model, name)
    if node is not None and node.op_type == "ArgMax":
        return _last_size(model, node.input[0])
    names = named_classes(model, name) or ()
    return 1 + max((each for each in names if isinstance(each, int)), default=-1)


def _last_size(model: ModelProto, name: str) -> int:
    for value in onnx.shape_inference.infer_shapes(model).graph.value_info:
        dims = value.type.tensor_type.shape.dim
        if value.name == name and len(dims) == 2:
            return int(dims[1].dim_value)
    return 0
