"""The way in: rows in the caller's units, float32, are preprocessed and cast within the graph.

So labels, scores, gradients and bounds all see the same preprocessing, and gradients come out by the caller's units.
"""

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from algorithms.errors import Refused
from algorithms.mathematics.windows import Canvas
from models.cards import Preprocessing
from models.onnx.graph import Editor
from models.onnx.rebuilding.widening import as_rounded
from models.onnx.signature import FLOATS, Entry

INPUT = "brinell_rows"


def per_channel(values: float | list[float], shape: tuple[int, ...], field: str) -> NDArray[np.float32]:
    """Make a number, or one a channel, broadcast over rows (m, *shape). Raises Refused(shape_mismatch).

    Channels are the first axis, or of an image that is seen by its shape to have them last, (H, W, C), that one.
    """
    array = np.asarray(values, np.float32)
    if array.ndim == 0:
        return array.reshape((1,) * (1 + len(shape)))
    if Canvas.of(shape).channels_last and len(array) == shape[-1]:
        return array.reshape((*[1] * len(shape), -1))
    if len(array) != shape[0]:
        raise Refused(
            f"preprocessing.{field} has {len(array)} numbers, and rows have the shape {list(shape)}: a list has one for"
            f" each of the {shape[0]} entries of the first axis, or for each channel of an image (H, W, C) with at most"
            " 4. Give that, or a single number; other axes can be scaled within the model.",
            code="shape_mismatch",
            pointer=f"/preprocessing/{field}",
        )
    return array.reshape((1, -1, *[1] * (len(shape) - 1)))


def preprocess(
    rows: NDArray[np.float32], shape: tuple[int, ...], preprocessing: Preprocessing | None
) -> NDArray[np.float32]:
    """Preprocess rows in numpy, for checking that the graph does it."""
    if preprocessing is None:
        return rows
    with np.errstate(all="ignore"):
        shifted = rows - per_channel(preprocessing.subtract, shape, "subtract")
        return np.asarray(shifted / per_channel(preprocessing.divide, shape, "divide"), np.float32)


def restore(
    rows: NDArray[np.float32], shape: tuple[int, ...], preprocessing: Preprocessing | None
) -> NDArray[np.float32]:
    """Take rows in the file's units back to the caller's: what `preprocess` makes them of, up to rounding."""
    if preprocessing is None:
        return rows
    with np.errstate(all="ignore"):
        spread = rows * per_channel(preprocessing.divide, shape, "divide")
        return np.asarray(spread + per_channel(preprocessing.subtract, shape, "subtract"), np.float32)


def postprocess(
    wanted: NDArray[np.float32], rows: NDArray[np.float32], preprocessing: Preprocessing | None
) -> NDArray[np.float32]:
    """Find rows that preprocessing turns into those wanted: changed from `rows` only where that is needed."""
    if preprocessing is None:
        return wanted
    shape = rows.shape[1:]
    divide, subtract = (per_channel(getattr(preprocessing, field), shape, field) for field in ("divide", "subtract"))
    with np.errstate(all="ignore"):
        back = np.asarray(wanted * divide + subtract, np.float32)
    return np.where(wanted == preprocess(rows, shape, preprocessing), rows, back)


def lead_in(editor: Editor, entry: Entry, preprocessing: Preprocessing | None) -> None:
    """Replace the graph's input by `brinell_rows`, float32 [batch, *shape], and make the old one from it."""
    value = INPUT
    if preprocessing is not None:
        for op, field in (("Sub", "subtract"), ("Div", "divide")):
            numbers = per_channel(getattr(preprocessing, field), entry.shape, field)
            value = editor.node(op, [value, editor.constant(numbers, field)])
    wanted = next(number for number, dtype in FLOATS.items() if dtype == entry.dtype)
    if wanted == TensorProto.FLOAT16:
        value = as_rounded(editor, editor.node("Cast", [value], to=wanted), (0, *entry.shape))
    editor.graph.node.append(helper.make_node("Cast", [value], [entry.name], to=wanted))
    editor.graph.ClearField("input")
    batch = "N" if entry.batch is None else entry.batch
    editor.graph.input.append(helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [batch, *entry.shape]))
