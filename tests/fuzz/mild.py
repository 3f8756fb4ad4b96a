"""What training, exporters and owners of a model might have done to it: most of what comes out still opens."""

import random

from onnx import ModelProto, TensorProto, helper, numpy_helper

from tests.fuzz.words import FLOATS, OPERATORS, TEXTS, raw, replace, some

UNARY = OPERATORS[:12]


def shuffle_weights(model: ModelProto, rng: random.Random) -> None:
    """Bits of weights, which stay numbers of the same type."""
    for tensor in some(raw(model), rng, 3):
        data = bytearray(tensor.raw_data)
        for _ in range(rng.randrange(1, 9)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        tensor.raw_data = bytes(data)


def set_weight(model: ModelProto, rng: random.Random) -> None:
    """One weight that is no ordinary number."""
    for tensor in some([t for t in raw(model) if t.data_type == TensorProto.FLOAT], rng, 1):
        array = numpy_helper.to_array(tensor).copy()
        array.flat[rng.randrange(array.size)] = rng.choice(FLOATS)
        tensor.raw_data = array.tobytes()


def swap_unary(model: ModelProto, rng: random.Random) -> None:
    """Another operator of one input."""
    for node in some([n for n in model.graph.node if len(n.input) == 1 and not n.attribute], rng, 1):
        node.op_type = rng.choice(UNARY)


def insert_unary(model: ModelProto, rng: random.Random) -> None:
    """An operator before a node's first input."""
    for node in some([n for n in model.graph.node if n.input], rng, 1):
        made = helper.make_node(rng.choice(UNARY), [node.input[0]], [f"made{rng.randrange(10**6)}"])
        node.input[0] = made.output[0]
        place = next(n for n, other in enumerate(model.graph.node) if other is node or other == node)
        nodes = [*model.graph.node[:place], made, *model.graph.node[place:]]
        replace(model.graph.node, nodes)


def turn_attribute(model: ModelProto, rng: random.Random) -> None:
    """A number of an attribute, by a little."""
    for attribute in some([a for n in model.graph.node for a in n.attribute], rng, 1):
        if attribute.ints:
            attribute.ints[rng.randrange(len(attribute.ints))] += rng.choice((-1, 1))
        elif attribute.HasField("i"):
            attribute.i += rng.choice((-1, 1))
        elif attribute.HasField("f"):
            attribute.f *= rng.choice((-1.0, 0.5, 2.0))


def describe(model: ModelProto, rng: random.Random) -> None:
    """Words that mean nothing, or something to us."""
    key = rng.choice(("classes", "names", "class_names", "labels", "author", ""))
    model.metadata_props.add(key=key, value=rng.choice((*TEXTS, '["a", "b", "c"]', "{0: 'a', 1: 'b'}", "{" * 3000)))
    model.producer_name = rng.choice(TEXTS)
    model.graph.doc_string = rng.choice(TEXTS)


def renumber(model: ModelProto, rng: random.Random) -> None:
    """The opset or the IR, by a few."""
    if model.opset_import and rng.random() < 0.7:
        model.opset_import[0].version = max(0, model.opset_import[0].version + rng.choice((-3, -1, 1, 2)))
    else:
        model.ir_version = max(0, model.ir_version + rng.choice((-1, 1, 5)))


def rename(model: ModelProto, rng: random.Random) -> None:
    """A value, everywhere in the graph."""
    for old in some(sorted({name for n in model.graph.node for name in (*n.input, *n.output) if name}), rng, 1):
        new = rng.choice(("z", "\u00e9" * 9, "a b\tc", "n" * 3000, "x.1"))
        for node in model.graph.node:
            for names in (node.input, node.output):
                for place, name in enumerate(names):
                    names[place] = new if name == old else name
        for thing in (*model.graph.input, *model.graph.output, *model.graph.initializer):
            thing.name = new if thing.name == old else thing.name


MILD = (shuffle_weights, set_weight, swap_unary, insert_unary, turn_attribute, describe, renumber, rename)
