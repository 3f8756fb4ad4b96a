"""Operators that make something large out of something small: a file of 150 bytes can ask for gigabytes.

Judged where the size stands in the file, as a constant input or an attribute. `EyeLike` makes nothing larger than its
input. Sizes that are computed on the way, or come with the rows, are held by the limits of the session and the runner.
"""

from collections.abc import Iterable
from math import inf, prod

from onnx import ModelProto, NodeProto

from algorithms.errors import Refused
from models.onnx.gate.constants import Constants, small_constants
from models.onnx.gate.walk import bodies, domain_of

MAX_ELEMENTS = 64 << 20

# Operator -> the inputs whose numbers, multiplied, are how many elements come out (or come out of each one).
SIZES: dict[str, tuple[int, ...]] = {
    "AffineGrid": (1,),
    "BlackmanWindow": (0,),
    "CenterCropPad": (1,),
    "Col2Im": (1,),
    "ConstantOfShape": (0,),
    "DFT": (1,),
    "Expand": (1,),
    "HammingWindow": (0,),
    "HannWindow": (0,),
    "MaxUnpool": (2,),
    "MelWeightMatrix": (0, 1),
    "OneHot": (1,),
    "Resize": (1, 2, 3),  # scales (opset 10), scales, sizes
    "Tile": (1,),
    "Upsample": (1,),
}
FACTORS = ("dilations", "kernel_shape", "output_padding", "output_shape", "pooled_shape", "scales", "strides")


def refuse_shape_bombs(model: ModelProto) -> None:
    """Refuse what makes much out of little: Refused(shape_bomb)."""
    for body in bodies(model):
        constants = small_constants(body)
        for node in body.nodes:
            # not <=: a product of zero and infinity is NaN
            if not domain_of(node) and not max(_growth(node, constants), default=0) <= MAX_ELEMENTS:
                raise Refused(
                    f"{node.op_type} makes a tensor of more than {MAX_ELEMENTS} elements; export a smaller model.",
                    code="shape_bomb",
                )


def _growth(node: NodeProto, constants: Constants) -> Iterable[float]:
    """Lower bounds of how many elements come out, as far as constants tell."""
    given = {i: constants[name] for i, name in enumerate(node.input) if name in constants}
    for index in SIZES.get(node.op_type, ()):
        if index in given:
            yield _product(given[index].ravel().tolist())
    if node.op_type == "Range" and len(given) == 3:
        start, limit, delta = (float(given[i].ravel()[0]) if given[i].size else inf for i in range(3))
        yield abs((limit - start) / delta) if delta else inf
    if node.op_type == "Pad" and 1 in given:
        yield _padded(given[1].ravel().tolist())
    for attribute in node.attribute:
        if attribute.name == "pads":
            yield _padded(attribute.ints)
        elif attribute.name in FACTORS:
            yield _product([*attribute.ints, *attribute.floats])


def _product(numbers: Iterable[float]) -> float:
    return abs(prod(float(number) for number in numbers))


def _padded(pads: Iterable[float]) -> float:
    """Elements around a single one, from [begin..., end...]."""
    numbers = [max(float(number), 0.0) for number in pads]
    half = len(numbers) // 2
    return prod(1 + begin + end for begin, end in zip(numbers[:half], numbers[half:], strict=False))
