"""Whether a graph's inputs and outputs can be those of a classifier of single rows, as far as the file says.

What the file leaves open (names of axes instead of sizes, which of several outputs, logits or probabilities) is settled
by asking the model, in `signature.py`.
"""

from math import prod

from onnx import GraphProto, TensorProto, ValueInfoProto

from models.onnx.graph import inputs_without_initializers
from models.onnx.signature import FLOATS, kind_of, read_entry, unsupported

MAX_RANK = 5  # batch axis included
MAX_ROW = 10_000_000  # elements
MAX_FIXED_BATCH = 64 << 20  # elements of all its rows
MAX_CLASSES = 100_000
LABELS = (TensorProto.INT32, TensorProto.INT64, TensorProto.STRING, TensorProto.BOOL)


def refuse_signature(graph: GraphProto) -> None:
    """Refuse other inputs and outputs, Refused(unsupported_signature), naming what was found and the fix."""
    _refuse_input(graph)
    if not any(_may_be_an_answer(value) for value in graph.output):
        found = ", ".join(_described(value) for value in graph.output[:3])[:90] or "none"
        raise unsupported(
            f"No output can be a classifier's: found {found}. Export the model with one float output [N, K],"
            f" 2 <= K <= {MAX_CLASSES}."
        )


def _refuse_input(graph: GraphProto) -> None:
    entry = read_entry(graph)
    batch = inputs_without_initializers(graph)[0].type.tensor_type.shape.dim[0]
    if len(entry.shape) + 1 > MAX_RANK:
        raise unsupported(f"The input has {len(entry.shape) + 1} axes; export it with at most {MAX_RANK}.")
    if prod(entry.shape) > MAX_ROW:
        raise unsupported(f"A row of the input has {prod(entry.shape)} numbers; at most {MAX_ROW} are taken.")
    if batch.HasField("dim_value") and not 1 <= batch.dim_value * prod(entry.shape) <= MAX_FIXED_BATCH:
        raise unsupported(f"The batch axis has the fixed size {batch.dim_value}; export it with a named, dynamic one.")


def _may_be_an_answer(value: ValueInfoProto) -> bool:
    """Scores, one number a row, labels, or the list of dictionaries that ZipMap makes of scores."""
    if value.type.WhichOneof("value") == "sequence_type":
        return bool(value.type.sequence_type.elem_type.HasField("map_type"))
    tensor = value.type.tensor_type
    if tensor.elem_type not in (*FLOATS, *LABELS):
        return False
    if not tensor.shape.dim:  # exporters also write "unknown" like this
        return True
    _, *rest = tensor.shape.dim
    return len(rest) < 2 and all(not axis.HasField("dim_value") or 1 <= axis.dim_value <= MAX_CLASSES for axis in rest)


def _described(value: ValueInfoProto) -> str:
    axes = (str(axis.dim_value) if axis.HasField("dim_value") else "N" for axis in value.type.tensor_type.shape.dim[:8])
    return f"{kind_of(value)} [{', '.join(axes)}]"
