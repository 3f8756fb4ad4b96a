"""The words in a model: names have to be text, descriptions have to be short.

A model exported by torch carries a stack trace in the metadata of every node, so those are bounded by the upload only.
"""

from collections.abc import Iterator

from onnx import ModelProto

from algorithms.errors import Refused
from models.onnx.gate.walk import bodies

MAX_DESCRIPTION = 1 << 20


def refuse_texts(model: ModelProto) -> None:
    """Refuse names that are not UTF-8 (model_unparseable) and long descriptions (model_too_complex).

    protobuf hands out a broken name as bytes; whoever compares it would stumble.
    """
    if not all(isinstance(name, str) for name in _names(model)):
        raise Refused(
            "A name in the model is not UTF-8; the file is damaged, export it again.", code="model_unparseable"
        )
    if sum(map(len, _descriptions(model))) > MAX_DESCRIPTION:
        raise Refused("The model's description and metadata exceed 1 MiB; remove them.", code="model_too_complex")


def _names(model: ModelProto) -> Iterator[str]:
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        yield value.name
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
