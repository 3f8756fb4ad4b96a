"""Which values of a graph follow from the number of rows alone, whatever is in them.

The shape of a value is known without its numbers, unless some operator on the way makes as much as its numbers say:
what lies behind the first is known by the number of rows, what lies behind the second is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from onnx import ModelProto, NodeProto

from models.onnx.graph import ONNX, constants, consumed

KNOWN_BY_SHAPE = ("Shape", "Size")
REDUCTIONS = ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")

# Inputs that an operator takes for lists of numbers, or for a single one: they mostly say how large the output is.
LISTS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys([f"Reduce{name}" for name in REDUCTIONS], (1,)),
    **dict.fromkeys(("CenterCropPad", "Expand", "Reshape", "Split", "Squeeze", "Tile", "Unsqueeze", "Upsample"), (1,)),
    "Col2Im": (1, 2),
    "Pad": (1, 3),
    "Resize": (1, 2, 3),
    "Slice": (1, 2, 3, 4),
}
SINGLE: dict[str, tuple[int, ...]] = {"CumSum": (1,), "OneHot": (1,), "Pad": (2,), "TopK": (1,), "Trilu": (1,)}

# How much these make may follow from any of the numbers that they read.
UNSIZED = frozenset(
    {"AffineGrid", "BlackmanWindow", "Compress", "ConstantOfShape", "DFT", "HammingWindow", "HannWindow", "If", "Loop"}
    | {"MaxUnpool", "NonMaxSuppression", "NonZero", "Range", "STFT", "Scan", "StringSplit", "Unique"}
)
CHANCE = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
)


def known_by_number(model: ModelProto) -> list[str]:
    """Name the values that follow from the number of rows, with no weight in them, and are read by what does not.

    The nodes of the graph are in order.
    """
    kinds = _Kinds(model)
    for node in model.graph.node:
        kinds.meet(node)
    return list(dict.fromkeys(kinds.read()))


@dataclass
class _Kinds:
    """Each value is of one kind or none: `content` of the rows, `weights`; `made` by a node of neither."""

    model: ModelProto
    content: set[str] = field(default_factory=set)
    unsized: set[str] = field(default_factory=set)  # of the content: what has a size that is not known by number
    weights: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        graph = self.model.graph
        self.content = {value.name for value in graph.input} - {tensor.name for tensor in graph.initializer}
        held = constants(graph)
        self.weights = {name for name, value in held.items() if value.dtype.kind == "f" and value.size > 1}
        self.weights |= {tensor.values.name for tensor in graph.sparse_initializer}

    def meet(self, node: NodeProto) -> None:
        read, made = set(consumed(node)), {name for name in node.output if name}
        is_standard = node.domain in ONNX
        if is_standard and node.op_type in KNOWN_BY_SHAPE and not read & self.unsized:
            self.made |= made
        elif read & self.content or node.op_type in CHANCE:
            self.content |= made
            if read & self.unsized or not is_standard or self._sizing(node) & self.content:
                self.unsized |= made
        elif read & self.weights:
            self.weights |= made
        elif node.op_type != "Constant":
            self.made |= made

    def _sizing(self, node: NodeProto) -> set[str]:
        if node.op_type in UNSIZED:
            return set(consumed(node))
        places = LISTS.get(node.op_type, ()) + SINGLE.get(node.op_type, ())
        return {name for place, name in enumerate(node.input) if place in places}

    def read(self) -> Iterator[str]:
        """Yield what is made of neither and read by one of the others."""
        others = self.content | self.weights
        for node in self.model.graph.node:
            if others.intersection(node.output):
                yield from (name for name in consumed(node) if name in self.made)
