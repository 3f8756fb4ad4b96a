"""What no exporter does: fields of any value, nodes in any order, bombs, and things where nobody looks."""

import random
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onnx import ModelProto, TensorProto, helper

from tests.fuzz.words import FLOATS, INTEGERS, OPERATORS, TEXTS, replace, some


def any_field(model: ModelProto, rng: random.Random) -> None:
    """Anything anywhere: a field of any message of the tree."""
    message = rng.choice(list(_messages(model)))
    field = rng.choice(message.DESCRIPTOR.fields)
    if field.is_repeated:
        _change_list(getattr(message, field.name), field, rng)
    elif field.message_type is not None:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _value(field, rng))


def change_operator(model: ModelProto, rng: random.Random) -> None:
    for node in some(list(model.graph.node), rng, 1):
        node.op_type = rng.choice(OPERATORS)


def rewire(model: ModelProto, rng: random.Random) -> None:
    """An input that comes from elsewhere, perhaps from ahead."""
    names = [name for n in model.graph.node for name in (*n.input, *n.output)]
    for node in some([n for n in model.graph.node if n.input], rng, 1):
        node.input[rng.randrange(len(node.input))] = rng.choice(names)


def drop_or_double(model: ModelProto, rng: random.Random) -> None:
    """A node less, or twice."""
    nodes = list(model.graph.node)
    if nodes:
        place = rng.randrange(len(nodes))
        replace(model.graph.node, nodes[:place] + nodes[place + 1 :] if rng.random() < 0.5 else [*nodes, nodes[place]])


def reshape(model: ModelProto, rng: random.Random) -> None:
    """A dimension of an input, an output or a tensor."""
    values = [v.type.tensor_type.shape.dim for v in (*model.graph.input, *model.graph.output)]
    tensors = [t for t in model.graph.initializer if t.dims]
    if tensors and rng.random() < 0.5:
        dims = rng.choice(tensors).dims
        dims[rng.randrange(len(dims))] = rng.choice(INTEGERS)
    elif dims := [dim for of in values for dim in of]:
        rng.choice(dims).dim_value = rng.choice(INTEGERS)


def retype(model: ModelProto, rng: random.Random) -> None:
    things = [v.type.tensor_type for v in (*model.graph.input, *model.graph.output)]
    kind = rng.choice(TensorProto.DataType.values())
    if model.graph.initializer and rng.random() < 0.5:
        rng.choice(list(model.graph.initializer)).data_type = kind
    elif things:
        rng.choice(things).elem_type = kind


def add_bomb(model: ModelProto, rng: random.Random) -> None:
    """Something large of something small, whose size only running may tell."""
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [2], [rng.choice((1, 1000, 2**20, 2**31)) for _ in range(2)])
    model.graph.initializer.append(sizes)
    made = rng.choice((
        helper.make_node("ConstantOfShape", ["sizes"], ["bomb"]),
        helper.make_node("Expand", [model.graph.input[0].name if model.graph.input else "x", "sizes"], ["bomb"]),
        helper.make_node("Loop", ["sizes", "", "x"], ["bomb"], body=model.graph),
    ))  # fmt: skip
    model.graph.node.append(made)


def hide_elsewhere(model: ModelProto, rng: random.Random) -> None:
    """The graph also as something to train with, or as a function, or a tensor outside the file."""
    match rng.randrange(3):
        case 0:
            model.training_info.add().algorithm.CopyFrom(model.graph)
        case 1:
            model.functions.add(name="f", domain="own", node=model.graph.node, input=["x"], output=["y"])
        case _:
            for tensor in some(list(model.graph.initializer), rng, 1):
                tensor.data_location = TensorProto.EXTERNAL
                tensor.external_data.add(key="location", value=rng.choice(("w.bin", "../w", "/etc/passwd")))


def _messages(message: Message) -> Iterator[Message]:
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                yield from _messages(inner)


def _change_list(values: Any, field: FieldDescriptor, rng: random.Random) -> None:
    if len(values) and rng.random() < 0.5:
        del values[rng.randrange(len(values))]
    elif field.message_type is None:
        values.append(_value(field, rng))
    elif len(values):
        values.add().CopyFrom(rng.choice(list(values)))
    else:
        values.add()


def _value(field: FieldDescriptor, rng: random.Random) -> Any:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            text = rng.choice(TEXTS)
            return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
        case FieldDescriptor.CPPTYPE_FLOAT | FieldDescriptor.CPPTYPE_DOUBLE:
            return rng.choice(FLOATS)
        case FieldDescriptor.CPPTYPE_ENUM:
            return rng.choice([value.number for value in field.enum_type.values])
        case FieldDescriptor.CPPTYPE_INT32 | FieldDescriptor.CPPTYPE_UINT32:
            return rng.choice([number for number in INTEGERS if abs(number) < 2**31])
        case FieldDescriptor.CPPTYPE_UINT64:
            return abs(rng.choice(INTEGERS))
        case _:
            return rng.choice(INTEGERS)


HARSH = (any_field, any_field, change_operator, rewire, drop_or_double, reshape, retype, add_bomb, hide_elsewhere)
