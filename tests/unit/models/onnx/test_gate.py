"""Honest models pass the gate, and each kind of bomb is refused under its own code, with a sentence that helps."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from math import prod

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from algorithms.errors import Refused
from models.onnx.gate.check import check

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
GATE_CODES = {
    "model_unparseable",
    "external_data_forbidden",
    "custom_domain_forbidden",
    "op_not_supported",
    "model_too_complex",
    "tensor_size_mismatch",
    "shape_bomb",
    "unsupported_signature",
    "model_invalid",
}


def value(name: str, shape=("N", 4), dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def model(
    *nodes: NodeProto, inputs=None, outputs=None, tensors=(), functions=(), domains=(), opset=17, ir=8, **fields
) -> ModelProto:
    graph = helper.make_graph(list(nodes), "graph", inputs or [value("x")], outputs or [value("y")], list(tensors))
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir, functions=list(functions), **fields)


node = helper.make_node
MICROSOFT, NPZ = "com.microsoft", r"kind=neighbors: an .npz with x, y and k"
relu = partial(node, "Relu", ["x"], ["y"])


def dense(**fields) -> ModelProto:
    weights = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    return model(node("MatMul", ["x", "w"], ["y"]), tensors=[weights], **fields)


LONG = "n" * 900_000


def named(source="x", hidden="h", target="y", weights="w", step="", axis="N") -> ModelProto:
    """Two layers, of which everything that has a name can have this one."""
    layers = [node("MatMul", [source, weights], [hidden], name=step), node("Relu", [hidden], [target])]
    matrix = numpy_helper.from_array(np.ones((4, 4), np.float32), weights)
    return model(*layers, inputs=[value(source, (axis, 4))], outputs=[value(target)], tensors=[matrix])


def constant(name: str, *numbers: float, dtype=np.int64) -> TensorProto:
    return numpy_helper.from_array(np.array(numbers, dtype), name)


def function(name: str, *nodes: NodeProto, domain="own", attributes=()):
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_function(domain, name, ["x"], ["y"], list(nodes), imports, list(attributes))


def call(name: str, source="x", target="y") -> NodeProto:
    return node(name, [source], [target], domain="own")


def chain_of(length: int) -> ModelProto:
    steps = [function(f"f{i}", call(f"f{i + 1}")) for i in range(length - 1)]
    return model(call("f0"), functions=[*steps, function(f"f{length - 1}", relu())], domains=["own"])


def doubling(levels: int) -> ModelProto:
    steps = [function(f"f{i}", call(f"f{i + 1}", "x", "m"), call(f"f{i + 1}", "m", "y")) for i in range(levels - 1)]
    return model(call("f0"), functions=[*steps, function(f"f{levels - 1}", relu())], domains=["own"])


def external(name="w") -> TensorProto:
    tensor = TensorProto(name=name, data_type=FLOAT, dims=[4, 4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def external_in_name_only() -> TensorProto:
    tensor = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def subgraph(*nodes: NodeProto, tensors=()) -> GraphProto:
    return helper.make_graph(list(nodes), "inner", [], [value("z")], list(tensors))


def nested(depth: int) -> ModelProto:
    inner = subgraph(node("Identity", ["x"], ["z"]))
    for _ in range(depth - 1):
        inner = subgraph(node("Relu", ["x"], ["z"], body=inner))
    return model(node("Relu", ["x"], ["y"], body=inner))


def deeper_than_protobuf() -> bytes:
    """protobuf itself does not build this, so it is written by hand: model.graph.node.attribute.g.node.attribute..."""
    data = b""
    for tag in (b"\x0a", *(b"\x32", b"\x2a", b"\x0a") * 50, b"\x3a"):  # GraphProto.node = 1, g = 6, attribute = 5, ...
        data = framed(tag, data)
    return b"\x08\x08" + data


def loop() -> ModelProto:
    body = helper.make_graph(
        [node("Identity", ["c"], ["c2"]), node("Identity", ["v"], ["v2"])],
        "body",
        [value("i", (), INT64), value("c", (), TensorProto.BOOL), value("v")],
        [value("c2", (), TensorProto.BOOL), value("v2")],
    )
    forever = constant("forever", True, dtype=np.bool_)
    return model(node("Loop", ["", "forever", "x"], ["y"], body=body), tensors=[forever])


def branch() -> ModelProto:
    side = subgraph(node("Identity", ["x"], ["z"]))
    true = constant("true", True, dtype=np.bool_)
    return model(node("If", ["true"], ["y"], then_branch=side, else_branch=side), tensors=[true])


def tensor(dims, raw=b"", dtype=FLOAT, **fields) -> ModelProto:
    claimed = TensorProto(name="w", data_type=dtype, dims=dims, raw_data=raw, **fields)
    return model(relu(), tensors=[claimed])


def made_by(op: str, *inputs: TensorProto, first=(), **attributes) -> ModelProto:
    """y = Relu(x) beside an operator that makes something of constants."""
    names = [*first, *(tensor.name for tensor in inputs)]
    return model(relu(), node(op, names, ["big"], **attributes), tensors=inputs)


def with_attribute(**fields) -> ModelProto:
    """A node whose attribute holds something that its declared type does not name."""
    crooked = relu()
    crooked.attribute.append(AttributeProto(name="crooked", type=AttributeProto.INT, **fields))
    return model(crooked)


def trained(*nodes: NodeProto, tensors=()) -> ModelProto:
    built = dense()
    built.training_info.add().algorithm.CopyFrom(subgraph(*nodes, tensors=tensors))
    return built


def sparse(dims) -> TensorProto:
    values, indices = constant("s", 1.0, dtype=np.float32), constant("i", 0)
    return helper.make_sparse_tensor(values, indices, dims)


def with_sparse(dims, *, values: TensorProto | None = None) -> ModelProto:
    built = dense()
    built.graph.sparse_initializer.append(sparse(dims))
    if values is not None:
        built.graph.sparse_initializer[0].values.CopyFrom(values)
    return built


def with_default(default: AttributeProto) -> ModelProto:
    built = model(call("f"), functions=[function("f", relu())], domains=["own"], ir=9)
    built.functions[0].attribute_proto.append(default)
    return built


def of_shape(*shape, dtype=FLOAT, target=(10,)) -> ModelProto:
    return model(node("Foo", ["x"], ["y"]), inputs=[value("x", shape, dtype)], outputs=[value("y", ("N", *target))])


def answering(*outputs) -> ModelProto:
    return model(*(node("Identity", ["x"], [o.name]) for o in outputs), outputs=outputs)


def renamed(built: ModelProto, old: bytes, new: bytes) -> bytes:
    return built.SerializeToString().replace(old, new)


INT_MAX = 2**62
BOMB = constant("shape", 2**20, 2**20)

REFUSED: dict[str, tuple[str, Callable[[], ModelProto | bytes]]] = {
    # not a model at all
    "nothing": ("model_unparseable", lambda: b""),
    "text": ("model_unparseable", lambda: b"this is no ONNX model, whatever its name says"),
    "a zip": ("model_unparseable", lambda: b"PK\x03\x04" + bytes(60)),
    "a truncated file": ("model_unparseable", lambda: dense().SerializeToString()[:-9]),
    "no graph": ("model_unparseable", lambda: ModelProto(ir_version=8)),
    "nesting beyond protobuf": ("model_unparseable", lambda: deeper_than_protobuf()),
    "a future opset": ("model_unparseable", lambda: model(relu(), opset=99)),
    "opset 6": ("model_unparseable", lambda: model(relu(), opset=6)),
    "a future IR": ("model_unparseable", lambda: model(relu(), ir=99)),
    "a name that is not UTF-8": ("model_unparseable", lambda: renamed(dense(), b"MatMul", b"Mat\xff\xfel")),
    # external data, wherever a tensor can be
    "external initializer": ("external_data_forbidden", lambda: model(relu(), tensors=[external()])),
    "external data without the flag": (
        "external_data_forbidden",
        lambda: model(relu(), tensors=[external_in_name_only()]),
    ),
    "external Constant": (
        "external_data_forbidden",
        lambda: model(relu(), node("Constant", [], ["c"], value=external())),
    ),
    "external in a mistyped attribute": ("external_data_forbidden", lambda: with_attribute(t=external())),
    "external in a list of tensors": ("external_data_forbidden", lambda: with_attribute(tensors=[external()])),
    "external in a subgraph": ("external_data_forbidden", lambda: with_attribute(g=subgraph(tensors=[external()]))),
    "external in a list of graphs": (
        "external_data_forbidden",
        lambda: with_attribute(graphs=[subgraph(tensors=[external()])]),
    ),
    "external in a function": (
        "external_data_forbidden",
        lambda: model(
            call("f"), functions=[function("f", relu(), node("Constant", [], ["c"], value=external()))], domains=["own"]
        ),
    ),
    "external in a function's default": (
        "external_data_forbidden",
        lambda: with_default(helper.make_attribute("a", external())),
    ),
    "external in a sparse initializer": ("external_data_forbidden", lambda: with_sparse([4], values=external("s"))),
    "external in a sparse attribute": (
        "external_data_forbidden",
        lambda: with_attribute(sparse_tensor=helper.make_sparse_tensor(external("s"), constant("i", 0), [4])),
    ),
    "external in the training graph": ("external_data_forbidden", lambda: trained(tensors=[external()])),
    # operators
    "a foreign domain": ("custom_domain_forbidden", lambda: model(node("PyOp", ["x"], ["y"], domain="com.evil"))),
    "a runtime's domain": (
        "custom_domain_forbidden",
        lambda: model(node("Gelu", ["x"], ["y"], domain="com.microsoft")),
    ),
    "a foreign domain in a subgraph": (
        "custom_domain_forbidden",
        lambda: with_attribute(g=subgraph(node("PyOp", ["x"], ["z"], domain="com.evil"))),
    ),
    "a foreign domain in a function": (
        "custom_domain_forbidden",
        lambda: model(
            call("f"), functions=[function("f", node("PyOp", ["x"], ["y"], domain="com.evil"))], domains=["own"]
        ),
    ),
    "a foreign domain in the training graph": (
        "custom_domain_forbidden",
        lambda: trained(node("PyOp", ["x"], ["z"], domain="com.evil")),
    ),
    "a function that is not there": ("custom_domain_forbidden", lambda: model(call("f"), domains=["own"])),
    "an unknown operator": ("op_not_supported", lambda: model(node("Frobnicate", ["x"], ["y"]))),
    "an endless Loop": ("op_not_supported", loop),
    "a branch": ("op_not_supported", branch),
    "a Loop under the domain's other name": (
        "op_not_supported",
        lambda: model(node("Loop", ["", "", "x"], ["y"], domain="ai.onnx")),
    ),
    "a random operator": ("op_not_supported", lambda: model(relu(), node("RandomNormalLike", ["x"], ["r"]))),
    "a random operator in a function": (
        "op_not_supported",
        lambda: model(call("f"), functions=[function("f", node("Bernoulli", ["x"], ["y"]))], domains=["own"]),
    ),
    "dropout in training": (
        "op_not_supported",
        lambda: model(
            node("Dropout", ["x", "", "training"], ["y"]), tensors=[constant("training", True, dtype=np.bool_)]
        ),
    ),
    "batch normalization in training": (
        "op_not_supported",
        lambda: model(node("BatchNormalization", ["x"] * 5, ["y", "m", "v"], training_mode=1)),
    ),
    "a redefined operator": (
        "op_not_supported",
        lambda: model(relu(), functions=[function("Relu", node("Neg", ["x"], ["y"]), domain="ai.onnx")]),
    ),
    # too much of it
    "a chain of 3000 functions": ("model_too_complex", lambda: chain_of(3000)),
    "a chain of 60 functions": ("model_too_complex", lambda: chain_of(60)),
    "exponential functions": ("model_too_complex", lambda: doubling(22)),
    "very exponential functions": ("model_too_complex", lambda: doubling(900)),
    "a function that calls itself": (
        "model_too_complex",
        lambda: model(call("f"), functions=[function("f", call("f"))], domains=["own"]),
    ),
    "functions in a circle": (
        "model_too_complex",
        lambda: model(call("f"), functions=[function("f", call("g")), function("g", call("f"))], domains=["own"]),
    ),
    "graphs nested nine deep": ("model_too_complex", lambda: nested(9)),
    "100 001 nodes": ("model_too_complex", lambda: model(*[node("Neg", [], [])] * 100_000, relu())),
    "2 MiB of description": ("model_too_complex", lambda: dense(doc_string="x" * (2 << 20))),
    **{
        f"a long name of {what}": ("model_too_complex", partial(named, **{what: LONG}))
        for what in ("source", "hidden", "target", "weights", "step", "axis")
    },
    "two functions of one name": (
        "model_invalid",
        lambda: model(call("f"), functions=[function("f", relu())] * 2, domains=["own"]),
    ),
    # tensors that lie
    "too little data": ("tensor_size_mismatch", lambda: tensor([4, 4], b"1234")),
    "too much data": ("tensor_size_mismatch", lambda: tensor([1], b"12345678")),
    "no data": ("tensor_size_mismatch", lambda: tensor([2**20, 2**20])),
    "an overflowing size": ("tensor_size_mismatch", lambda: tensor([2**32, 2**32, 4])),
    "thirty large dimensions": ("tensor_size_mismatch", lambda: tensor([INT_MAX] * 30)),
    "a thousand dimensions": ("tensor_size_mismatch", lambda: tensor([INT_MAX] * 1000)),
    "a sparse tensor of a thousand dimensions": ("shape_bomb", lambda: with_sparse([INT_MAX] * 1000)),
    "a million empty tensors": ("model_too_complex", lambda: with_empty(b"\x2a\x00")),
    "a million empty outputs": ("model_too_complex", lambda: with_empty(b"\x62\x00")),
    "a million empty attributes": ("model_too_complex", lambda: with_empty_attributes(2_000_000)),
    "a negative dimension": ("tensor_size_mismatch", lambda: tensor([-4, -1], b"1234" * 4)),
    "two negative dimensions and no data": ("tensor_size_mismatch", lambda: tensor([-1, 0])),
    "a short typed field": (
        "tensor_size_mismatch",
        lambda: model(relu(), tensors=[TensorProto(name="w", data_type=FLOAT, dims=[5], float_data=[1.0])]),
    ),
    "data in another type's field": (
        "tensor_size_mismatch",
        lambda: model(relu(), tensors=[TensorProto(name="w", data_type=INT64, dims=[1], float_data=[1.0])]),
    ),
    "half a byte missing": ("tensor_size_mismatch", lambda: tensor([5], b"12", TensorProto.INT4)),
    "missing text": (
        "tensor_size_mismatch",
        lambda: model(relu(), tensors=[TensorProto(name="w", data_type=8, dims=[2])]),
    ),
    "no type": ("tensor_size_mismatch", lambda: tensor([1], b"1234", 0)),
    "an unknown type": ("tensor_size_mismatch", lambda: tensor([1], b"1234", 77)),
    "a segment": ("tensor_size_mismatch", lambda: tensor([1], b"1234", segment=TensorProto.Segment(begin=0, end=1))),
    "packed zeros": (
        "tensor_size_mismatch",
        lambda: model(
            relu(), tensors=[TensorProto(name="w", data_type=INT64, dims=[3 << 20], int64_data=[0] * (3 << 20))]
        ),
    ),
    # little that becomes much
    "ConstantOfShape": ("shape_bomb", lambda: made_by("ConstantOfShape", BOMB)),
    "Expand": ("shape_bomb", lambda: made_by("Expand", BOMB, first=["x"])),
    "Tile": ("shape_bomb", lambda: made_by("Tile", BOMB, first=["x"])),
    "Range": ("shape_bomb", lambda: made_by("Range", constant("a", 0), constant("b", 2**40), constant("c", 1))),
    "Range without a step": (
        "shape_bomb",
        lambda: made_by("Range", constant("a", 0), constant("b", 1), constant("c", 0)),
    ),
    "Resize to a size": ("shape_bomb", lambda: made_by("Resize", BOMB, first=["x", "", ""])),
    "Resize by a scale": (
        "shape_bomb",
        lambda: made_by("Resize", constant("scale", 1e5, 1e5, dtype=np.float32), first=["x", ""]),
    ),
    "Pad": ("shape_bomb", lambda: made_by("Pad", constant("pads", 0, 0, 2**20, 2**20), first=["x"])),
    "Pad by an attribute": (
        "shape_bomb",
        lambda: model(relu(), node("Pad", ["x"], ["b"], pads=[0, 0, 2**30, 0], opset=10)),
    ),
    "OneHot": ("shape_bomb", lambda: made_by("OneHot", constant("depth", 2**40), first=["x"])),
    "a window": ("shape_bomb", lambda: made_by("HannWindow", constant("size", 2**40))),
    "padding of a pool": ("shape_bomb", lambda: model(relu(), node("MaxPool", ["x"], ["b"], pads=[2**30, 0]))),
    "strides of a transposed convolution": (
        "shape_bomb",
        lambda: model(relu(), node("ConvTranspose", ["x", "x"], ["b"], strides=[2**20, 2**20])),
    ),
    "a shape beyond any integer": (
        "shape_bomb",
        lambda: made_by("ConstantOfShape", constant("shape", *[INT_MAX] * 20)),
    ),
    "infinity by nothing": (
        "shape_bomb",
        lambda: made_by("Resize", constant("scale", np.inf, 0, dtype=np.float32), first=["x", ""]),
    ),
    "a shape in a Constant node": (
        "shape_bomb",
        lambda: model(
            relu(), node("Constant", [], ["s"], value_ints=[2**20, 2**20]), node("ConstantOfShape", ["s"], ["b"])
        ),
    ),
    "a shape in a function": (
        "shape_bomb",
        lambda: model(
            call("f"),
            functions=[
                function("f", relu(), node("Constant", [], ["s"], value=BOMB), node("ConstantOfShape", ["s"], ["b"]))
            ],
            domains=["own"],
        ),
    ),
    "a sparse tensor": ("shape_bomb", lambda: with_sparse([2**40])),
    # not a classifier of rows
    "two inputs": ("unsupported_signature", lambda: model(relu(), inputs=[value("x"), value("x2")])),
    "no input": ("unsupported_signature", lambda: dense_without_input()),
    "an integer input": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", dtype=INT64)])),
    "a text input": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", dtype=TensorProto.STRING)])),
    "an input of unknown type": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", dtype=77)])),
    "no batch axis": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", (4,))])),
    "no shape": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", None)])),
    "an open row": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", ("N", "length"))])),
    "an empty row": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", ("N", 0))])),
    "six axes": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", ("N", 1, 1, 1, 1, 1))])),
    "a row of 16 million": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", ("N", 4096, 4096))])),
    "an empty batch": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", (0, 4))])),
    "a fixed batch of a billion": ("unsupported_signature", lambda: model(relu(), inputs=[value("x", (2**30, 4))])),
    "no output": ("unsupported_signature", lambda: without_outputs()),
    "several images come out": (
        "unsupported_signature",
        lambda: answering(*(value(name, (INT_MAX,) * 9) for name in "yz")),
    ),
    "an image comes out": ("unsupported_signature", lambda: answering(value("y", ("N", 3, 8, 8)))),
    "complex numbers come out": ("unsupported_signature", lambda: answering(value("y", ("N",), TensorProto.COMPLEX64))),
    "no class": ("unsupported_signature", lambda: answering(value("y", ("N", 0)))),
    "a million classes": ("unsupported_signature", lambda: answering(value("y", ("N", 10**6)))),
    # what only the checker sees
    "a value from nowhere": ("model_invalid", lambda: model(node("Relu", ["nowhere"], ["y"]))),
    "a wrong attribute": ("model_invalid", lambda: model(relu(alpha=1.0))),
    "a name made twice": ("model_invalid", lambda: model(relu(), relu())),
}


def dense_without_input() -> ModelProto:
    built = dense()
    del built.graph.input[:]
    return built


def without_outputs() -> ModelProto:
    built = dense()
    del built.graph.output[:]
    return built


def with_empty(field: bytes) -> bytes:
    """A graph with two million empty messages in one of its fields."""
    return dense().SerializeToString() + framed(b"\x3a", field * 2_000_000)


def with_empty_attributes(count: int) -> bytes:
    return dense().SerializeToString() + framed(b"\x3a", framed(b"\x0a", b"\x2a\x00" * count))


def framed(tag: bytes, data: bytes) -> bytes:
    """A protobuf field; given twice, a message's fields are merged."""
    size, left = bytearray(), len(data)
    while left > 127:
        size.append(left & 127 | 128)
        left >>= 7
    return tag + bytes(size) + bytes([left]) + data


def as_bytes(built: ModelProto | bytes) -> bytes:
    return built if isinstance(built, bytes) else built.SerializeToString()


@pytest.mark.parametrize("case", REFUSED)
def test_each_kind_of_bomb_is_refused_under_its_code(case: str):
    code, build = REFUSED[case]
    with pytest.raises(Refused) as refusal:
        check(as_bytes(build()))
    assert refusal.value.code == code
    detail = refusal.value.detail
    assert len(detail) <= 200
    assert detail.isascii()
    assert detail.isprintable()
    assert detail.endswith(".")


def test_every_code_of_the_gate_has_a_case():
    assert {code for code, _ in REFUSED.values()} == GATE_CODES


WORD = "SendYourKeyToEvil"


@pytest.mark.parametrize(
    "built",
    [
        model(node(WORD, ["x"], ["y"])),
        model(node("Relu", ["x"], ["y"], domain=WORD)),
        model(node(WORD, ["x"], ["y"], domain="com.microsoft")),
        model(relu(), functions=[function(WORD, relu(), domain="")]),
        model(relu(), tensors=[external(WORD)]),
        model(relu(), tensors=[TensorProto(name=WORD, data_type=FLOAT, dims=[4])]),
        with_sparse([2**40], values=constant(WORD, 1.0, dtype=np.float32)),
        model(node("Relu", [WORD], ["y"], name=WORD)),
        model(relu(), inputs=[value(WORD), value("x")]),
        model(relu(), outputs=[value(WORD, ("N", 3, 8, 8))]),
    ],
    ids=["operator", "domain", "both", "function", "external", "short", "sparse", "checker", "input", "output"],
)
def test_no_word_of_a_model_stands_in_a_message(built: ModelProto):
    with pytest.raises(Refused) as refusal:
        check(built.SerializeToString())
    assert WORD not in refusal.value.detail


@pytest.mark.parametrize(
    ("built", "named"),
    [
        (model(node("FusedMatMul", ["x", "x"], ["y"], domain="com.microsoft")), "com.microsoft"),
        (loop(), "Loop"),
        (model(node("RandomNormalLike", ["x"], ["y"])), "RandomNormalLike"),
        (made_by("ConstantOfShape", BOMB), "ConstantOfShape"),
        (model(relu(), functions=[function("Neg", relu(), domain="")]), "Neg"),
        (model(relu(), tensors=[TensorProto(name="w", data_type=FLOAT, dims=[4])]), "1 dimensions of float"),
    ],
    ids=["domain", "control flow", "random", "bomb", "function", "tensor"],
)
def test_what_the_standard_or_a_runtime_has_named_is_named(built: ModelProto, named: str):
    with pytest.raises(Refused) as refusal:
        check(built.SerializeToString())
    assert named in refusal.value.detail


def zip_map() -> ModelProto:
    entries = helper.make_map_type_proto(INT64, helper.make_tensor_type_proto(FLOAT, ()))
    listed = helper.make_value_info("p", helper.make_sequence_type_proto(entries))
    labels = value("label", ("N",), INT64)
    return model(
        node("ArgMax", ["x"], ["label"], axis=1, keepdims=0),
        node("ZipMap", ["x"], ["p"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3]),
        outputs=[labels, listed],
        domains=["ai.onnx.ml"],
    )


def initializers_among_inputs() -> ModelProto:
    built = dense(ir=3)
    built.graph.input.append(value("w", (4, 4)))
    return built


def of_ml_operators_alone() -> ModelProto:
    built = model(node("Normalizer", ["x"], ["y"], domain="ai.onnx.ml", norm="L1"), domains=["ai.onnx.ml"])
    del built.opset_import[0]
    return built


def quantized() -> ModelProto:
    weights = numpy_helper.from_array(np.ones((4, 4), np.int8), "w")
    scale = numpy_helper.from_array(np.float32(0.1), "s")
    return model(
        node("DequantizeLinear", ["w", "s"], ["d"]), node("MatMul", ["x", "d"], ["y"]), tensors=[weights, scale]
    )


ACCEPTED: dict[str, Callable[[], ModelProto]] = {
    "a dense layer": dense,
    "float16": lambda: model(
        relu(), inputs=[value("x", dtype=TensorProto.FLOAT16)], outputs=[value("y", dtype=TensorProto.FLOAT16)]
    ),
    "float64": lambda: model(
        relu(), inputs=[value("x", dtype=TensorProto.DOUBLE)], outputs=[value("y", dtype=TensorProto.DOUBLE)]
    ),
    "a fixed batch": lambda: model(relu(), inputs=[value("x", (1, 4))], outputs=[value("y", (1, 4))]),
    "one logit": lambda: model(relu(), inputs=[value("x", ("N", 1))], outputs=[value("y", ("N", 1))]),
    "an output of unknown shape": lambda: answering(value("y", ())),
    "labels and a ZipMap": zip_map,
    "initializers among the inputs": initializers_among_inputs,
    "operators of ai.onnx.ml alone": of_ml_operators_alone,
    "int8 weights": quantized,
    "functions": lambda: chain_of(40),
    "functions that fan out": lambda: doubling(12),
    "dropout at rest": lambda: model(
        node("Dropout", ["x", "", "training"], ["y"]), tensors=[constant("training", False, dtype=np.bool_)]
    ),
    "a constant of honest size": lambda: made_by("ConstantOfShape", constant("shape", 32, 32)),
    "integers packed small": lambda: model(
        relu(), tensors=[TensorProto(name="w", data_type=INT64, dims=[5000], int64_data=[1] * 5000)]
    ),
    "the domain imported twice": lambda: with_second_import(),
    "an import that nothing uses": lambda: dense(domains=["com.microsoft"]),
    "a stack trace at every node": lambda: model(relu(doc_string="at line 1\n" * 200_000)),
}


def with_second_import() -> ModelProto:
    built = dense()
    built.opset_import.append(helper.make_opsetid("", 17))
    return built


@pytest.mark.parametrize("case", ACCEPTED)
def test_an_honest_model_passes_and_comes_back_parsed(case: str):
    built = ACCEPTED[case]()
    assert check(built.SerializeToString()) == built


@pytest.mark.parametrize("opset", range(8, 22))
def test_every_opset_from_8_to_21_passes(opset: int):
    assert check(dense(opset=opset).SerializeToString()).opset_import[0].version == opset


@pytest.mark.parametrize("dtype", [t for t in TensorProto.DataType.values() if t not in (0, 27, 28)])
@pytest.mark.parametrize("raw", [True, False])
def test_tensors_as_onnx_itself_writes_them_are_of_the_right_size(dtype: int, raw: bool):
    numbers = np.ones(10, object) if dtype == TensorProto.STRING else np.ones(10)
    if dtype == TensorProto.STRING:
        written = helper.make_tensor("w", dtype, [2, 5], [b"a"] * 10)
    elif raw:
        written = numpy_helper.from_array(numbers.astype(helper.tensor_dtype_to_np_dtype(dtype)).reshape(2, 5), "w")
    else:
        written = helper.make_tensor("w", dtype, [2, 5], numbers)
    assert prod(check(model(relu(), tensors=[written]).SerializeToString()).graph.initializer[0].dims) == 10


SEEDS = [dense(), zip_map(), doubling(3), with_sparse([4]), loop(), chain_of(2), quantized()]


@st.composite
def mutated(draw) -> Iterator[bytes]:
    data = bytearray(draw(st.sampled_from(SEEDS)).SerializeToString())
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["set", "cut", "copy"])):
            case "set":
                data[place] = draw(st.integers(0, 255))
            case "cut":
                del data[place : place + draw(st.integers(1, 9))]
            case "copy":
                data[place:place] = data[place : place + draw(st.integers(1, 40))]
        data = data or bytearray(1)
    return bytes(data)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(data=mutated())
def test_a_mutated_model_is_parsed_or_refused_and_nothing_else(data: bytes):
    try:
        found = type(check(data))
    except Refused as refusal:
        found = refusal.code
    assert found in GATE_CODES | {onnx.ModelProto}


FIXES = {
    "external data": (lambda: model(relu(), tensors=[external()]), "external_data=False"),
    "a scan over all points": (lambda: model(node("Scan", ["x"], ["y"], body=subgraph(), num_scan_inputs=1)), NPZ),
    "distances by a runtime's own operator": (lambda: model(node("CDist", ["x", "x"], ["y"], domain=MICROSOFT)), NPZ),
}


@pytest.mark.parametrize(("built", "fix"), FIXES.values(), ids=FIXES)
def test_a_refusal_names_the_way_out_that_removes_its_reason(built, fix):
    with pytest.raises(Refused, match=fix):
        check(built().SerializeToString())


def test_control_flow_other_than_a_scan_says_nothing_of_neighbors():
    with pytest.raises(Refused) as refused:
        check(model(node("Loop", ["", "", "x"], ["y"], body=subgraph())).SerializeToString())
    assert "neighbors" not in refused.value.detail


def test_a_name_that_is_too_long_is_told_by_its_length_and_never_quoted():
    with pytest.raises(Refused) as refusal:
        check(as_bytes(named(hidden=LONG)))
    assert "900000 characters (at most 4096)" in refusal.value.detail and "nnn" not in refusal.value.detail
    assert check(as_bytes(named(**dict.fromkeys(("source", "axis", "step"), "n" * 4096))))


def test_names_may_be_many_or_long_and_not_both():
    steps = [f"{number:04}" + "n" * 4092 for number in range(2100)]
    chain = [node("Relu", [before], [after]) for before, after in pairwise(["x", *steps, "y"])]
    with pytest.raises(Refused, match=r"have \d+ characters \(at most 16777216\)") as refusal:
        check(as_bytes(model(*chain)))
    assert refusal.value.code == "model_too_complex"
