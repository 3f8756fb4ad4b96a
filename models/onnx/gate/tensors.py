"""Every tensor of a model holds exactly what its type and dimensions say, and holds it in the file.

External data would make a runtime read files of ours; a tensor that claims more than it has makes it allocate or read
past the end. The arithmetic is in Python's integers, which do not overflow.
"""

from math import prod
from typing import NamedTuple

from onnx import ModelProto, TensorProto

from algorithms.errors import Refused
from models.onnx.gate.walk import bodies

MAX_RANK = 32  # more make the product itself dear
MAX_TENSOR_BYTES = 1 << 30
MAX_DENSE_ELEMENTS = 64 << 20  # of a sparse tensor written out

# Integers of a typed field take as little as one byte each in the file, so a small honest model may hold more than it.
SLACK_FACTOR = 1.1
SLACK_BYTES = 16 << 20


class FieldLayout(NamedTuple):
    bits: int  # of one element
    field: str  # where it stands unless in raw_data
    values: int = 1  # in that field, for one element


INT32, UINT64 = "int32_data", "uint64_data"
LAYOUTS: dict[int, FieldLayout] = {
    TensorProto.FLOAT: FieldLayout(32, "float_data"),
    TensorProto.DOUBLE: FieldLayout(64, "double_data"),
    TensorProto.COMPLEX64: FieldLayout(64, "float_data", 2),
    TensorProto.COMPLEX128: FieldLayout(128, "double_data", 2),
    TensorProto.INT64: FieldLayout(64, "int64_data"),
    TensorProto.UINT64: FieldLayout(64, UINT64),
    TensorProto.UINT32: FieldLayout(32, UINT64),
    TensorProto.INT32: FieldLayout(32, INT32),
    **dict.fromkeys(
        (TensorProto.INT16, TensorProto.UINT16, TensorProto.FLOAT16, TensorProto.BFLOAT16), FieldLayout(16, INT32)
    ),
    **dict.fromkeys((TensorProto.INT8, TensorProto.UINT8, TensorProto.BOOL), FieldLayout(8, INT32)),
    **dict.fromkeys((TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E4M3FNUZ), FieldLayout(8, INT32)),
    **dict.fromkeys((TensorProto.FLOAT8E5M2, TensorProto.FLOAT8E5M2FNUZ), FieldLayout(8, INT32)),
    TensorProto.FLOAT8E8M0: FieldLayout(8, INT32),
    **dict.fromkeys((TensorProto.INT4, TensorProto.UINT4, TensorProto.FLOAT4E2M1), FieldLayout(4, INT32)),
    **dict.fromkeys((TensorProto.INT2, TensorProto.UINT2), FieldLayout(2, INT32)),
}


def refuse_external_data(model: ModelProto) -> None:
    """Refuse tensors outside the file: Refused(external_data_forbidden)."""
    for body in bodies(model):
        for tensor in body.tensors():
            if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
                raise Refused(
                    "Weights lie in another file (external data); export with torch.onnx.export(...,"
                    " external_data=False), or save all in one file: onnx.save(onnx.load(path), new_path).",
                    code="external_data_forbidden",
                )


def refuse_tensor_sizes(model: ModelProto, upload_bytes: int) -> None:
    """Refuse sizes that lie: tensor_size_mismatch; shape_bomb for a sparse tensor that is too large written out."""
    total = 0
    for body in bodies(model):
        for tensor in body.tensors():
            total += _checked_bytes(tensor)
        for sparse in body.sparse_tensors():
            if len(sparse.dims) > MAX_RANK or prod(map(abs, sparse.dims)) > MAX_DENSE_ELEMENTS:
                raise Refused(
                    f"A sparse tensor has more than {MAX_DENSE_ELEMENTS} elements written out; export a smaller one.",
                    code="shape_bomb",
                )
    if total > SLACK_FACTOR * upload_bytes + SLACK_BYTES:
        raise Refused(
            f"The model's tensors claim {total} bytes, the file has {upload_bytes}; export it again.",
            code="tensor_size_mismatch",
        )


def _checked_bytes(tensor: TensorProto) -> int:
    """Bytes in memory, of a tensor that holds as much as it claims."""
    if len(tensor.dims) > MAX_RANK or min(tensor.dims, default=0) < 0:
        raise _mismatch(tensor, "has too many dimensions or a negative one")
    elements = prod(tensor.dims)
    claimed, held = _claimed_and_held(tensor, elements)
    if claimed != held or tensor.HasField("segment"):
        raise _mismatch(tensor, f"holds {'less' if held < claimed else 'more'} than its type and dimensions say")
    size = (elements * LAYOUTS[tensor.data_type].bits + 7) // 8 if tensor.data_type in LAYOUTS else held
    if size > MAX_TENSOR_BYTES:
        raise _mismatch(tensor, f"is larger than {MAX_TENSOR_BYTES >> 20} MiB")
    return size


def _claimed_and_held(tensor: TensorProto, elements: int) -> tuple[int, int]:
    """In bytes of raw_data, or in entries of the field for the tensor's type."""
    if tensor.data_type == TensorProto.STRING:
        return elements, len(tensor.string_data)
    if tensor.data_type not in LAYOUTS:
        raise _mismatch(tensor, "is of no type that can be read")
    bits, field, values = LAYOUTS[tensor.data_type]
    if tensor.HasField("raw_data"):
        return (elements * bits + 7) // 8, len(tensor.raw_data)
    packed = (elements * bits + 7) // 8 if bits < 8 else elements * values
    return packed, len(getattr(tensor, field))


def _mismatch(tensor: TensorProto, found: str) -> Refused:
    """Says which by its rank and type: its name is the model's own word."""
    known = TensorProto.DataType.values()
    kind = TensorProto.DataType.Name(tensor.data_type).lower() if tensor.data_type in known else "unknown type"
    return Refused(
        f"A tensor of {len(tensor.dims)} dimensions of {kind} {found}; export the model again.",
        code="tensor_size_mismatch",
    )
