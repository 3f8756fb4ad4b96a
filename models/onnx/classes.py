"""Which classes an output is about, of labels or of scores, read from the node of the graph that makes it.

scikit-learn, XGBoost and LightGBM write the names into the operator (`classlabels_*`), or look them up by an ArgMax:

    scores -> ArgMax -> ArrayFeatureExtractor(["no", "yes"], .) -> label
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from models.onnx.graph import ML, attribute, constants, producers

LINKS = ("Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Normalizer")
CLASS_LISTS = ("classlabels_ints", "classlabels_int64s", "classlabels_strings")

ClassNames = tuple[int, ...] | tuple[str, ...]


def named_classes(model: ModelProto, output: str) -> ClassNames | None:
    """List the names that a label output can take, in the order of its scores' columns; None where none are written.

    Class 0 is the first of the list. It works on any graph that has the output, before or after it is cut.
    """
    node = label_maker(model, output)
    if node is None:
        return None
    if node.domain == ML:
        for field in CLASS_LISTS:
            if listed := attribute(node, field, []):
                return _names(listed)
        if node.op_type == "LabelEncoder":
            return _encoded(model, node)
    if node.op_type in ("ArrayFeatureExtractor", "Gather") and attribute(node, "axis", 0) == 0:
        known = constants(model.graph).get(node.input[0])
        chooser = label_maker(model, node.input[1])
        if known is not None and chooser is not None and chooser.op_type in ("ArgMax", "ArgMin"):
            return _names(known.ravel().tolist())
    return None


def label_maker(model: ModelProto, output: str) -> NodeProto | None:
    """Find the node that makes a value, behind whatever only reshapes or casts it."""
    makers = producers(model.graph)
    node = makers.get(output)
    while node is not None and node.op_type in LINKS:
        node = makers.get(node.input[0])
    return node


def _names(listed: Any) -> ClassNames | None:
    """Texts in ONNX are bytes; a class that stands twice tells nothing of an order."""
    names = [each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in listed]
    if not names or len(set(names)) != len(names):
        return None
    are_whole = not any(isinstance(each, str) for each in names) and all(float(each).is_integer() for each in names)
    return tuple(map(int, names)) if are_whole else tuple(map(str, names))


def _encoded(model: ModelProto, node: NodeProto) -> ClassNames | None:
    """Of names that a LabelEncoder gives to other names, or to the numbers of an ArgMax."""
    if old := attribute(node, "classes_strings", []):  # opset 1 of ai.onnx.ml: of the numbers from 0
        return _names(old)
    keys: NDArray[Any] = np.asarray(attribute(node, "keys_int64s", []) or attribute(node, "keys_strings", []))
    values = attribute(node, "values_strings", []) or attribute(node, "values_int64s", [])
    before = named_classes(model, node.input[0]) or range(len(keys))
    table = dict(zip(_names(keys.tolist()) or (), values, strict=False))
    if not table or len(values) != len(keys) or not table.keys() >= set(before):
        return None
    return _names([table[name] for name in before])
