"""The gate: refuses, without running anything, what no runtime of ours should ever see.

Cheap and static (`refuse_*` in the `gate_*` files, one idea each), in an order where every check may rely on those
before it: sizes are bounded before anything is walked twice, names are text before two are compared, tensors hold what
they claim before one is read. It is the first of two layers: what it misses is held by the runner's limits.

Models from bytes only: `onnx.load` would go looking for external data beside a path.
"""

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto

from algorithms.errors import Refused
from models.onnx.gate.complexity import refuse_complexity
from models.onnx.gate.operators import refuse_operators
from models.onnx.gate.shapes import refuse_shape_bombs
from models.onnx.gate.signature import refuse_signature
from models.onnx.gate.tensors import refuse_external_data, refuse_tensor_sizes
from models.onnx.gate.texts import refuse_texts
from models.onnx.graph import opset

# What onnxruntime 1.31 loads; it promises nothing below opset 7.
IR_VERSIONS = range(3, 14)
OPSETS = range(7, 27)


def check(data: bytes, *, is_classifier: bool = True) -> ModelProto:
    """Parse a model that is safe to walk and to hand to a runtime under the runner's limits.

    `is_classifier`: its output has to be one's; a property may be about any numbers.

    Raises Refused with one of the gate's codes, naming what was found and what to do. Words of the model itself (names
    of tensors, functions, unknown operators) stand in no sentence: it quotes only what the standard or we have named.
    """
    model = _parse(data)
    refuse_complexity(model)
    refuse_texts(model)
    refuse_external_data(model)
    refuse_tensor_sizes(model, len(data))
    refuse_operators(model)
    refuse_shape_bombs(model)
    if is_classifier:
        refuse_signature(model.graph)
    _refuse_invalid(data)
    return model


def _parse(data: bytes) -> ModelProto:
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise _unparseable("The upload is no ONNX file, or not all of it; upload the .onnx file as it is.") from error
    if not model.HasField("graph"):
        raise _unparseable("The upload holds no ONNX graph; upload the .onnx file as it is.")
    if model.ir_version not in IR_VERSIONS:
        raise _out_of_range("IR version", model.ir_version, IR_VERSIONS)
    version = opset(model)
    if version not in OPSETS and (version or not model.opset_import):  # 0: operators of ai.onnx.ml alone
        raise _out_of_range("opset", version, OPSETS)
    return model


def _refuse_invalid(data: bytes) -> None:
    """The checker of ONNX itself. Never `full_check`: its shape inference expands functions, exponentially if asked."""
    try:
        onnx.checker.check_model(data)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        raise Refused(  # the checker's own words quote the model's
            "The ONNX checker finds the model invalid; onnx.checker.check_model says why. Mend it and export again.",
            code="model_invalid",
        ) from error


def _out_of_range(what: str, found: int, known: range) -> Refused:
    return _unparseable(f"The model has {what} {found}; export it with one from {known[0]} to {known[-1]}.")


def _unparseable(detail: str) -> Refused:
    return Refused(detail, code="model_unparseable")
