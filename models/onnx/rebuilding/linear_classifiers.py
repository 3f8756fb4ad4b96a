"""The logits behind scikit-learn's LinearClassifier, in standard operators.

Labels stay those of the file's own operator; beside it stands a Gemm, of which gradients and bounds can be had. Only
the plain case is taken: one row of coefficients and one intercept a class. What is made is tried, as every tail is.
"""

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto

from models.onnx.graph import ML, Editor, attribute

Weights = NDArray[np.float32]

KINDS = {b"NONE": "logits", b"SOFTMAX": "probabilities", b"LOGISTIC": "probabilities"}


def is_linear(node: NodeProto | None, output: str) -> bool:
    """Tell whether `output` holds such an operator's scores, whose transforms all keep the order of the classes."""
    if node is None or (node.domain, node.op_type) != (ML, "LinearClassifier") or list(node.output[1:]) != [output]:
        return False
    classes = len(attribute(node, "intercepts", []))
    labels = attribute(node, "classlabels_ints", []) or attribute(node, "classlabels_strings", [])
    is_plain = classes >= 2 and len(labels) == classes and len(attribute(node, "coefficients", [])) % classes == 0
    return is_plain and attribute(node, "post_transform", b"NONE") in KINDS


def gives(node: NodeProto) -> str:
    """Say what the file's own output is: logits or probabilities."""
    return KINDS[attribute(node, "post_transform", b"NONE")]


def sums_to_one(node: NodeProto) -> bool:
    """Tell whether a row sums to one: a soft-max, or the sigmoids of -z and z."""
    transform = attribute(node, "post_transform", b"NONE")
    return transform == b"SOFTMAX" or (transform == b"LOGISTIC" and _is_symmetric(*_parts(node)))


def logits(editor: Editor, node: NodeProto) -> str:
    """Add logits [N, classes]. Of the sigmoids of -z and z they are [0, z], as everywhere."""
    weights, intercepts = _parts(node)
    if attribute(node, "post_transform", b"NONE") == b"LOGISTIC" and _is_symmetric(weights, intercepts):
        weights[0], intercepts[0] = 0, 0
    rows = editor.node("Cast", [node.input[0]], to=TensorProto.FLOAT)
    constants = [editor.constant(weights, "coefficients"), editor.constant(intercepts, "intercepts")]
    return editor.node("Gemm", [rows, *constants], transB=1)


def _parts(node: NodeProto) -> tuple[Weights, Weights]:
    """Coefficients (K, d), intercepts (K,)."""
    intercepts = np.asarray(attribute(node, "intercepts", []), np.float32)
    return np.asarray(attribute(node, "coefficients", []), np.float32).reshape(len(intercepts), -1), intercepts


def _is_symmetric(weights: Weights, intercepts: Weights) -> bool:
    return len(weights) == 2 and bool((weights[0] == -weights[1]).all() and intercepts[0] == -intercepts[1])
