"""The words in a model: names have to be text, and they and descriptions have to be short.

A model exported by torch carries a stack trace in the metadata of every node, so those are bounded by the upload only.
"""

from collections.abc import Iterator

from onnx import ModelProto

from algorithms.errors import Refused
from models.onnx.gate.walk import bodies

MAX_DESCRIPTION = 1 << 20
MAX_NAME = 4096  # characters; those of inputs and outputs stand on the card, which is sent and kept as a whole
MAX_NAMES = 16 << 20  # characters of all together: 100,000 nodes with the longest names that exporters write


def refuse_texts(model: ModelProto) -> None:
    """Refuse names that are not UTF-8 (model_unparseable), long names and long descriptions (model_too_complex).

    protobuf hands out a broken name as bytes; whoever compares it would stumble.
    """
    together = 0
    for name in _names(model):
        if not isinstance(name, str):
            raise Refused(
                "A name in the model is not UTF-8; the file is damaged, export it again.", code="model_unparseable"
            )
        together += len(name)
        if len(name) > MAX_NAME:
            raise _too_long(f"A name in the model has {len(name)} characters (at most {MAX_NAME})")
    if together > MAX_NAMES:
        raise _too_long(f"The names in the model have {together} characters (at most {MAX_NAMES})")
    if sum(map(len, _descriptions(model))) > MAX_DESCRIPTION:
        raise Refused("The model's description and metadata exceed 1 MiB; remove them.", code="model_too_complex")


def _too_long(found: str) -> Refused:
    return Refused(f"{found}; give its tensors and nodes shorter names and upload it again.", code="model_too_complex")


def _names(model: ModelProto) -> Iterator[str]:
    yield model.graph.name
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        yield value.name
        yield from (dimension.dim_param for dimension in value.type.tensor_type.shape.dim)
    yield from (imported.domain for imported in model.opset_import)
    for function in model.functions:
        yield from (function.domain, function.name, function.overload, *function.input, *function.output)
        yield from function.attribute
    for body in bodies(model):
        yield from (tensor.name for tensor in body.tensors())
        for node in body.nodes:
            yield from (node.domain, node.op_type, node.overload, node.name, *node.input, *node.output)
        for attribute in body.attributes():
            yield from (attribute.name, attribute.ref_attr_name)


def _descriptions(model: ModelProto) -> Iterator[str]:
    yield from (model.producer_name, model.producer_version, model.domain, model.doc_string, model.graph.doc_string)
    for entry in (*model.metadata_props, *model.graph.metadata_props):
        yield from (entry.key, entry.value)
