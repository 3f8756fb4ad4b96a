"""One number a row as two classes: a logit z is read as the logits [0, z], a probability p as [1 - p, p].

So class 1 is predicted where z > 0 or p > 1/2, and the margin of the two classes is z itself.
"""

from typing import Literal

import numpy as np
from onnx import TensorProto

from models.onnx.graph import Editor, opset

Precision = Literal["float32", "float64"]  # what scores are held in: float64 where the file gives out that
NUMBERS: dict[Precision, int] = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}


def column(editor: Editor, value: str) -> str:
    """Make [N, 1] of [N] or [N, 1]."""
    return editor.node("Reshape", [value, editor.constant(np.array([-1, 1], np.int64), "shape")])


def pad_zero_column(editor: Editor, z: str) -> str:
    """Make [N, 2] of [N, 1]. Padding, not a product with zero: that would make NaN of an infinite logit."""
    if opset(editor.model) < 11:
        return editor.node("Pad", [z], mode="constant", pads=[0, 1, 0, 0], value=0.0)
    return editor.node("Pad", [z, editor.constant(np.array([0, 1, 0, 0], np.int64), "pads")], mode="constant")


def both_probabilities(editor: Editor, p: str, number: Precision) -> str:
    """Make [1 - p, p], [N, 2], of p, [N, 1]."""
    rest = editor.node("Sub", [editor.constant(np.ones((1, 1), number), "one"), p])
    return editor.node("Concat", [rest, p], axis=1)


def held(editor: Editor, value: str, number: Precision) -> str:
    return editor.node("Cast", [value], to=NUMBERS[number])


def as_rounded(editor: Editor, half: str, shape: tuple[int, ...]) -> str:
    """Keep float16 as rounded as it is, by a Reshape to the shape that it has.

    With a Cast right behind it, onnxruntime would hand on the float32 numbers that it computed instead.
    """
    return editor.node("Reshape", [half, editor.constant(np.array(shape, np.int64), "shape")])
