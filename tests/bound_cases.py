"""Small graphs around one operator each: curves, products, normalizations and what moves numbers about."""

from collections.abc import Callable

import numpy as np
from onnx import NodeProto, helper

from tests.bounded import between

IMAGE, TABLE = (2, 4, 4), (6,)


def node(op: str, inputs: str, outputs: str = "y", **attributes) -> NodeProto:
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def constant(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def spread_out(op: str, slope: float = 4.0, offset: float = -2.0, *, opset: int = 13, more: str = "", **rest) -> bytes:
    """`op` of slope x + offset."""
    nodes = [node("Mul", "x slope", "m"), node("Add", "m offset", "s"), node(op, f"s {more}", **rest)]
    return between(
        nodes, IMAGE, {"slope": np.float32(slope), "offset": np.float32(offset)} | NUMBERS, size=32, opset=opset
    )


NUMBERS = {
    name: np.float32(value)
    for name, value in {
        "half": 0.5, "one": 1, "two": 2, "three": 3, "six": 6, "root": 1.4142135, "cube": 0.044715, "minus": -1.0,
        "pi": 0.7978846, "tiny": 1e-5, "rate": 1.702, "twenty": 20, "least": 0.0, "most": 6.0, "sixth": 1 / 6,
    }.items()
}  # fmt: skip


def written_out(*nodes: NodeProto, opset: int = 13) -> bytes:
    """Of x / 3 - 1 / 3 ... times six: s, between -2 and 4."""
    first = [node("Mul", "x six", "m"), node("Sub", "m two", "s")]
    return between([*first, *nodes], IMAGE, NUMBERS, size=32, opset=opset)


def layers(*nodes: NodeProto, shape=TABLE, size: int = 5, opset: int = 17, **constants) -> bytes:
    """Of h, five numbers made of x by a dense layer."""
    made = node("MatMul", "x w", "h")
    known = {"w": constant(shape[-1], 5), "g": constant(5, seed=1), "c": constant(5, seed=2), "last": whole(-1)}
    return between([made, *nodes], shape, NUMBERS | known | constants, size=size, opset=opset)


def attended() -> bytes:
    """Three tokens look at each other: queries, keys and values by dense layers."""
    nodes = [
        *(node("MatMul", f"x {name}", f"{name}o") for name in "qkv"),
        node("Transpose", "ko", "kt", perm=[0, 2, 1]),
        node("MatMul", "qo kt", "scores"),
        node("Softmax", "scores", "shares", axis=-1),
        node("MatMul", "shares vo", "y"),
    ]
    return between(nodes, (3, 4), {name: constant(4, 2, seed=i) for i, name in enumerate("qkv")}, size=6)


def of_image(op: str, size: int, *, more: str = "", opset: int = 13, shape=IMAGE, constants=None, **rest) -> bytes:
    return between([node(op, f"x {more}", **rest)], shape, NUMBERS | (constants or {}), size=size, opset=opset)


RESIZED = {"none": np.zeros(0, np.float32)}

GATES: dict[str, Callable[[], bytes]] = {
    "Mul, a SiLU": lambda: written_out(node("Sigmoid", "s", "a"), node("Mul", "s a")),
    "Mul, a quick Gelu": lambda: written_out(node("Mul", "s rate", "r"), node("Sigmoid", "r", "a"), node("Mul", "a s")),
    "Mul, a Gelu by Erf": lambda: written_out(
        node("Div", "s root", "r"), node("Erf", "r", "e"), node("Add", "e one", "p"), node("Mul", "s p", "q"),
        node("Mul", "q half"),
    ),
    "Mul, a Gelu by half of x": lambda: written_out(
        node("Mul", "s half", "h"), node("Div", "s root", "r"), node("Erf", "r", "e"), node("Add", "one e", "p"),
        node("Mul", "h p"),
    ),
    "Mul, a Gelu by tanh": lambda: written_out(
        node("Pow", "s three", "t"), node("Mul", "t cube", "u"), node("Add", "s u", "v"), node("Mul", "v pi", "k"),
        node("Tanh", "k", "e"), node("Add", "e one", "p"), node("Mul", "s half", "h"), node("Mul", "h p"),
    ),
    "Mul, a Gelu by tanh of products": lambda: written_out(
        node("Mul", "s s", "zs"), node("Mul", "zs s", "t"), node("Mul", "t cube", "u"), node("Add", "s u", "v"),
        node("Mul", "v pi", "k"), node("Tanh", "k", "e"), node("Add", "e one", "p"), node("Mul", "s half", "h"),
        node("Mul", "h p"),
    ),
    "Mul, a Mish": lambda: written_out(node("Softplus", "s", "a"), node("Tanh", "a", "t"), node("Mul", "s t")),
    "Mul, a HardSwish by Clip": lambda: written_out(
        node("Add", "s three", "a"), node("Clip", "a least most", "bs"), node("Div", "bs six", "d"), node("Mul", "s d")
    ),
    "Mul, a HardSwish by HardSigmoid": lambda: written_out(
        node("HardSigmoid", "s", "a", alpha=1 / 6, beta=0.5), node("Mul", "s a")
    ),
    "Div, a Softsign": lambda: written_out(node("Abs", "s", "a"), node("Add", "a one", "bs"), node("Div", "s bs")),
    "Div, a SiLU": lambda: written_out(
        node("Neg", "s", "n"), node("Exp", "n", "e"), node("Add", "e one", "bs"), node("Div", "s bs")
    ),
}  # fmt: skip

MORE: dict[str, Callable[[], bytes]] = {
    **GATES,
    "Exp": lambda: spread_out("Exp", 2.0, -1.0),
    "Log": lambda: spread_out("Log", 3.0, 0.5),
    "Sqrt": lambda: spread_out("Sqrt", 3.0, 0.2),
    "Reciprocal": lambda: spread_out("Reciprocal", 2.0, 0.5),
    "Reciprocal of what is negative": lambda: spread_out("Reciprocal", -2.0, -0.5),
    "Sin": lambda: spread_out("Sin", 9.0),
    "Cos": lambda: spread_out("Cos", 9.0),
    "Softplus": lambda: spread_out("Softplus", 8.0, -4.0),
    "Softsign": lambda: spread_out("Softsign"),
    "Elu": lambda: spread_out("Elu", alpha=1.7),
    "Selu": lambda: spread_out("Selu"),
    "Celu": lambda: spread_out("Celu", alpha=0.5),
    "Mish": lambda: spread_out("Mish", 8.0, -5.0, opset=18),
    "Swish": lambda: spread_out("Swish", 8.0, -5.0, opset=24, alpha=1.3),
    "Gelu, by tanh": lambda: spread_out("Gelu", 8.0, -4.0, opset=20, approximate="tanh"),
    "Pow": lambda: spread_out("Pow", more="three"),
    "Pow, a square": lambda: spread_out("Pow", more="two"),
    "Pow, a root": lambda: spread_out("Pow", 3.0, 0.2, more="rate"),
    "Div of two": lambda: written_out(node("Exp", "x", "e"), node("Div", "s e")),
    "Div of a constant": lambda: written_out(node("Exp", "x", "e"), node("Div", "two e")),
    "MatMul of two": attended,
    "Max": lambda: written_out(node("Tanh", "s", "t"), node("Max", "s t half")),
    "Min": lambda: written_out(node("Tanh", "s", "t"), node("Min", "half s t")),
    "Softmax": lambda: layers(node("Softmax", "h", axis=-1)),
    "Softmax over an axis within": lambda: between([node("Softmax", "x", axis=2)], IMAGE, {}, size=32),
    "LogSoftmax": lambda: layers(node("LogSoftmax", "h", axis=-1)),
    "LayerNormalization": lambda: layers(node("LayerNormalization", "h g c")),
    "LayerNormalization, no shift": lambda: layers(node("LayerNormalization", "h g", epsilon=0.01)),
    "LayerNormalization over two axes": lambda: layers(
        node("LayerNormalization", "h G C", axis=1), shape=(3, 4), size=15, G=constant(3, 5), C=constant(3, 5)
    ),
    "ReduceMean, a layer normalization": lambda: layers(
        node("ReduceMean", "h", "m", axes=[-1]), node("Sub", "h m", "d"), node("Pow", "d two", "q"),
        node("ReduceMean", "q", "v", axes=[-1]), node("Add", "v tiny", "e"), node("Sqrt", "e", "r"),
        node("Div", "d r", "zs"), node("Mul", "zs g", "a"), node("Add", "a c"),
    ),
    "Pow, a root-mean-square normalization": lambda: layers(
        node("Pow", "h two", "q"), node("ReduceMean", "q", "v", axes=[-1]), node("Add", "v tiny", "e"),
        node("Sqrt", "e", "r"), node("Reciprocal", "r", "i"), node("Mul", "h i", "zs"), node("Mul", "zs g"),
    ),
    "RMSNormalization": lambda: layers(node("RMSNormalization", "h g"), opset=23),
    "InstanceNormalization": lambda: of_image(
        "InstanceNormalization", 32, more="g c", constants={"g": constant(2), "c": constant(2)}
    ),
    "GroupNormalization": lambda: of_image(
        "GroupNormalization", 64, shape=(4, 4, 4), more="g c", opset=21, num_groups=2,
        constants={"g": constant(4), "c": constant(4)},
    ),
    "ReduceMax": lambda: of_image("ReduceMax", 4, axes=[3, 1], keepdims=0),
    "ReduceMin": lambda: of_image("ReduceMin", 8, axes=[-1]),
    "ReduceL1": lambda: layers(node("ReduceL1", "h", "l", axes=[-1]), node("Mul", "h l")),
    "ReduceL2": lambda: layers(node("ReduceL2", "h", "l", axes=[-1]), node("Mul", "h l")),
    "ReduceSumSquare": lambda: layers(node("ReduceSumSquare", "h", "l", axes=[-1]), node("Mul", "h l")),
    "Where": lambda: between(
        [node("Where", "mask x half")], IMAGE, NUMBERS | {"mask": constant(4, 4) > 0}, size=32
    ),
    "Where of two": lambda: between(
        [node("Tanh", "x", "t"), node("Where", "mask x t")], IMAGE, {"mask": constant(2, 1, 4) > 0}, size=32
    ),
    "Greater, around a Softplus": lambda: written_out(
        node("Softplus", "s", "a"), node("Greater", "s twenty", "bs"), node("Where", "bs s a")
    ),
    "Split": lambda: between(
        [node("Split", "x", "a bs", axis=2), node("Tanh", "bs", "t"), node("Mul", "a t")], IMAGE, {}, size=16
    ),
    "Expand": lambda: of_image("Expand", 64, shape=(1, 4, 4), more="to", constants={"to": whole(1, 4, 4, 4)}),
    "Tile": lambda: of_image("Tile", 64, more="times", constants={"times": whole(1, 1, 2, 1)}),
    "DepthToSpace": lambda: of_image("DepthToSpace", 64, shape=(4, 4, 4), blocksize=2),
    "SpaceToDepth": lambda: of_image("SpaceToDepth", 32, blocksize=2),
    "GatherND": lambda: between(
        [node("Shape", "x", "s"), node("Slice", "s zero one1", "n"), node("Concat", "n two2", "to", axis=0),
         node("Expand", "at to", "i"), node("GatherND", "x i", batch_dims=1)],
        IMAGE, {"zero": whole(0), "one1": whole(1), "two2": whole(2, 2), "at": whole([[0, 1], [1, 3]])}, size=8,
    ),
    "GatherElements": lambda: between(
        [node("Shape", "x", "s"), node("Slice", "s zero one1", "n"), node("Concat", "n rest", "to", axis=0),
         node("Expand", "at to", "i"), node("GatherElements", "x i", axis=3)],
        IMAGE, {"zero": whole(0), "one1": whole(1), "rest": whole(2, 4, 2), "at": whole([3, 1])}, size=16,
    ),
    "Resize, nearest": lambda: of_image(
        "Resize", 128, more="none scales", constants=RESIZED | {"scales": np.float32([1, 1, 2, 2])},
        coordinate_transformation_mode="asymmetric", nearest_mode="floor",
    ),
    "Resize, linear": lambda: of_image(
        "Resize", 2 * 42, more="none scales", constants=RESIZED | {"scales": np.float32([1, 1, 1.7, 1.8])},
        mode="linear",
    ),
    "Resize, cubic to a size": lambda: between(
        [node("Shape", "x", "s"), node("Slice", "s zero two2", "n"), node("Concat", "n rest", "to", axis=0),
         helper.make_node("Resize", ["x", "", "", "to"], ["y"], mode="cubic")],
        IMAGE, {"zero": whole(0), "two2": whole(2), "rest": whole(7, 5)}, size=70,
    ),
    "Upsample": lambda: of_image(
        "Upsample", 128, opset=9, more="scales", constants={"scales": np.float32([1, 1, 2, 2])}, mode="linear"
    ),
    "ConvTranspose": lambda: of_image(
        "ConvTranspose", 3 * 81, more="w b", constants={"w": constant(2, 3, 3, 3), "b": constant(3)}, strides=[2, 2]
    ),
    "ConvTranspose, all of it": lambda: of_image(
        "ConvTranspose", 4 * 80, more="w", constants={"w": constant(2, 2, 3, 2)}, strides=[2, 2], group=2,
        dilations=[2, 1], pads=[1, 0, 1, 1], output_padding=[1, 1],
    ),
    "ReverseSequence": lambda: between(
        [node("Shape", "x", "s"), node("Slice", "s zero one1", "n"), node("Expand", "three3 n", "lengths"),
         node("ReverseSequence", "x lengths", batch_axis=0, time_axis=1)],
        (4, 3), {"zero": whole(0), "one1": whole(1), "three3": whole(3)}, size=12,
    ),
    **{
        f"{op}": lambda op=op, gates=gates: between(
            [node("Transpose", "x", "t", perm=[1, 0, 2]), node(op, "t wx wh bx", "o", hidden_size=2),
             node("Squeeze", "o second", "q"), node("Transpose", "q", perm=[1, 0, 2])],
            (3, 4),
            {"wx": constant(1, 2 * gates, 4), "wh": constant(1, 2 * gates, 2, seed=1),
             "bx": constant(1, 4 * gates, seed=2), "second": whole(1)}, size=6,
        )
        for op, gates in {"LSTM": 4, "GRU": 3, "RNN": 1}.items()
    },
    "GRU, the reset of a line, from the end": lambda: between(
        [node("Transpose", "x", "t", perm=[1, 0, 2]),
         node("GRU", "t wx wh bx", "o", hidden_size=2, linear_before_reset=1, direction="reverse"),
         node("Squeeze", "o second", "q"), node("Transpose", "q", perm=[1, 0, 2])],
        (3, 4),
        {"wx": constant(1, 6, 4), "wh": constant(1, 6, 2, seed=1), "bx": constant(1, 12, seed=2), "second": whole(1)},
        size=6,
    ),
    "Softmax, the rows on the second axis": lambda: between(
        [node("Transpose", "x", "t", perm=[1, 0, 2]), node("Softmax", "t", "u", axis=-1),
         node("ReduceMax", "u", "v", axes=[0]), node("Slice", "v one1 four second2", "w2"),
         node("Squeeze", "w2 first")],
        (3, 5), {"one1": whole(1), "four": whole(4), "second2": whole(2), "first": whole(0)}, size=3,
    ),
}  # fmt: skip
