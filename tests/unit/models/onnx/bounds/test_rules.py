"""Every operator with a rule: at radius 0 the bounds are the margins, and within a region they hold."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from algorithms.mathematics.norms import NORMS, Norm
from algorithms.threats.threat import Threat
from models.onnx.bounds.graph.spans import Span
from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.operators.operator import Affine
from models.onnx.bounds.passes.plan import plan
from models.onnx.bounds.rules.sums.convolution import _backward
from models.onnx.bounds.rules.table import RULES
from models.onnx.network import read
from tests.bound_cases import MORE
from tests.bounded import Bounded, between, points
from tests.devices import DEVICE

IMAGE, BIG = (2, 5, 6), (2, 7, 7)
RNG = np.random.default_rng(0)
START = RNG.bit_generator.state
BOX = Threat().box


@pytest.fixture(autouse=True)
def same_constants_whatever_ran_before() -> None:
    RNG.bit_generator.state = START


def constant(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def one(op: str, *, size: int, shape: tuple[int, ...] = IMAGE, opset: int = 13, constants=None, **attributes) -> bytes:
    """One node `op` of x and the constants, in their order."""
    named = constants or {}
    return between([helper.make_node(op, ["x", *named], ["y"], **attributes)], shape, named, size=size, opset=opset)


def curve(op: str, constants=None, *, opset: int = 13, **attributes) -> bytes:
    """Of 4 x - 2, so that zero lies within."""
    nodes = [
        helper.make_node("Mul", ["x", "four"], ["m"]),
        helper.make_node("Sub", ["m", "two"], ["s"]),
        helper.make_node(op, ["s", *(constants or {})], ["y"], **attributes),
    ]
    scale = {"four": np.float32(4), "two": np.float32(2)}
    return between(nodes, IMAGE, scale | (constants or {}), size=60, opset=opset)


def behind_convolution(op: str, **attributes) -> bytes:
    """Convolution, pool, Relu, convolution, Relu: neurons whose windows pass through the pool."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node(op, ["c"], ["p"], **attributes),
        helper.make_node("Relu", ["p"], ["r"]),
        helper.make_node("Conv", ["r", "v"], ["d"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["d"], ["y"]),
    ]
    return between(nodes, (1, 16, 16), {"w": constant(2, 1, 3, 3), "v": constant(2, 2, 3, 3)}, size=128)


def convolved(*, out: int, groups: int = 1, kernel: tuple[int, ...] = (3, 3), size: int, shape=IMAGE, **rest) -> bytes:
    weights = {"w": constant(out, shape[0] // groups, *kernel), "c": constant(out)}
    return one("Conv", size=size, shape=shape, constants=weights, group=groups, **rest)


def pooled(op: str, **rest) -> bytes:
    return one(op, shape=BIG, **rest)


def residual(op: str) -> bytes:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Conv", ["r", "v"], ["d"], pads=[1, 1, 1, 1]),
        helper.make_node(op, ["x", "d"], ["y"]),
    ]
    return between(nodes, IMAGE, {"w": constant(3, 2, 3, 3), "v": constant(2, 3, 3, 3)}, size=60)


def gated(*, gate_first: bool = False) -> bytes:
    """Each channel times a number that is made of all of it, as squeeze-and-excitation has it."""
    factors = ["g", "x"] if gate_first else ["x", "g"]
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["p"]),
        helper.make_node("Conv", ["p", "w"], ["c"]),
        helper.make_node("Sigmoid", ["c"], ["g"]),
        helper.make_node("Mul", factors, ["y"]),
    ]
    return between(nodes, IMAGE, {"w": constant(2, 2, 1, 1)}, size=60)


def from_shape() -> bytes:
    """x.view(len(x), -1) as the classic exporter writes it."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "first"], ["row"]),
        helper.make_node("Concat", ["row", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["y"]),
    ]
    return between(nodes, IMAGE, {"zero": np.int64(0), "first": whole(0), "rest": whole(-1)}, size=60)


def reversed_operands(op: str) -> bytes:
    return between([helper.make_node(op, ["k", "x"], ["y"])], IMAGE, {"k": constant(1, 2, 1, 1)}, size=60)


def both(op: str) -> bytes:
    nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node(op, ["r", "x"], ["y"], axis=1)]
    return between(nodes, IMAGE, {}, size=120)


def one_number(*nodes: onnx.NodeProto, **constants: np.ndarray) -> bytes:
    """Of six numbers a row `nodes` make y, [N]: one number a row, on no axis of its own."""
    return between(list(nodes), (6,), constants, size=1)


def squeezed(op: str, *more: str, **constants: np.ndarray) -> bytes:
    """Dense, squeezed to [N], and then `op`."""
    nodes = [
        helper.make_node("Gemm", ["x", "w", "c"], ["g"]),
        helper.make_node("Squeeze", ["g", "last"], ["s"]),
        helper.make_node(op, ["s", *more], ["y"]),
    ]
    return one_number(*nodes, w=constant(6, 1), c=constant(1), last=whole(1), **constants)


CASES: dict[str, Callable[[], bytes]] = {
    "Gemm": lambda: one("Gemm", shape=(6,), size=4, constants={"w": constant(6, 4), "c": constant(4)}),
    "Gemm, transposed and scaled": lambda: one(
        "Gemm", shape=(6,), size=4, constants={"w": constant(4, 6), "c": constant(4)}, transB=1, alpha=0.5, beta=2.0
    ),
    "MatMul": lambda: one("MatMul", size=40, constants={"w": constant(6, 4)}),
    "MatMul by a stack of matrices": lambda: one("MatMul", size=40, constants={"w": constant(1, 2, 6, 4)}),
    "MatMul from the left": lambda: between(
        [helper.make_node("MatMul", ["w", "x"], ["y"])], IMAGE, {"w": constant(4, 5)}, size=48
    ),
    "Conv": lambda: convolved(out=3, size=36),
    "Conv, strides and uneven pads": lambda: convolved(out=3, size=18, strides=[2, 2], pads=[1, 0, 0, 1]),
    "Conv, leaving a remainder": lambda: convolved(out=3, size=18, strides=[3, 2], pads=[0, 1, 1, 0]),
    "Conv, dilations": lambda: convolved(out=3, size=60, dilations=[2, 2], pads=[2, 2, 1, 1]),
    "Conv, groups": lambda: convolved(out=4, groups=2, size=48),
    "Conv, same size": lambda: convolved(out=2, kernel=(2, 3), size=60, auto_pad="SAME_UPPER"),
    "Conv, same size, lower": lambda: convolved(out=2, kernel=(2, 3), size=60, auto_pad="SAME_LOWER"),
    "Conv, one axis": lambda: convolved(out=3, kernel=(3,), shape=(2, 9), size=21),
    "Conv, three axes": lambda: convolved(out=2, kernel=(2, 2, 2), shape=(1, 3, 4, 3), size=24),
    "BatchNormalization": lambda: one(
        "BatchNormalization",
        size=60,
        constants={"g": constant(2), "s": constant(2), "m": constant(2), "v": np.array([0.5, 2.0], np.float32)},
    ),
    "Add": lambda: one("Add", size=60, constants={"k": constant(2, 1, 1)}),
    "Add to a wider one": lambda: one("Add", shape=(1, 4), size=12, constants={"k": constant(1, 3, 1)}),
    "Add, constant first": lambda: reversed_operands("Add"),
    "Add of branches": lambda: residual("Add"),
    "Sub": lambda: one("Sub", size=60, constants={"k": constant(6)}),
    "Sub, constant first": lambda: reversed_operands("Sub"),
    "Sub of branches": lambda: residual("Sub"),
    "Mul": lambda: one("Mul", size=60, constants={"k": constant(2, 1, 1)}),
    "Mul by a wider one": lambda: one("Mul", shape=(1, 4), size=12, constants={"k": constant(1, 3, 1)}),
    "Mul, constant first": lambda: reversed_operands("Mul"),
    "Div": lambda: one("Div", size=60, constants={"k": np.float32(0.3)}),
    "Neg": lambda: one("Neg", size=60),
    "Relu": lambda: curve("Relu"),
    "LeakyRelu": lambda: curve("LeakyRelu", alpha=0.2),
    "Sigmoid": lambda: curve("Sigmoid"),
    "Tanh": lambda: curve("Tanh"),
    "Clip": lambda: curve("Clip", {"lo": np.float32(-0.4), "hi": np.float32(0.9)}),
    "Clip from below": lambda: curve("Clip", {"lo": np.float32(-0.4)}),
    "Clip by attributes": lambda: curve("Clip", opset=10, min=-0.4, max=0.9),
    "Erf": lambda: curve("Erf"),
    "Abs": lambda: curve("Abs"),
    "HardSigmoid": lambda: curve("HardSigmoid", alpha=0.4, beta=0.3),
    "HardSwish": lambda: curve("HardSwish", opset=14),
    "Gelu": lambda: curve("Gelu", opset=20),
    "Mul of branches": lambda: residual("Mul"),
    "Mul, a number a channel from a branch": lambda: gated(),
    "Mul, a number a channel first": lambda: gated(gate_first=True),
    "Mul by its own sigmoid": lambda: between(
        [helper.make_node("Sigmoid", ["x"], ["s"]), helper.make_node("Mul", ["x", "s"], ["y"])], IMAGE, {}, size=60
    ),
    "Mul by itself": lambda: between(
        [helper.make_node("Sub", ["x", "half"], ["s"]), helper.make_node("Mul", ["s", "s"], ["y"])],
        IMAGE,
        {"half": np.float32(0.5)},
        size=60,
    ),
    "Mul of branches of [N]": lambda: one_number(
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Tanh", ["m"], ["t"]),
        helper.make_node("Mul", ["m", "t"], ["y"]),
        w=constant(6),
    ),
    "MaxPool": lambda: pooled("MaxPool", size=18, kernel_shape=[2, 2], strides=[2, 2]),
    "MaxPool, overlapping and padded": lambda: pooled(
        "MaxPool", size=32, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
    ),
    "MaxPool, rounded up": lambda: pooled("MaxPool", size=32, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    "MaxPool, dilations": lambda: pooled("MaxPool", size=50, kernel_shape=[2, 2], dilations=[2, 2]),
    "MaxPool, one axis": lambda: one("MaxPool", shape=(2, 9), size=8, kernel_shape=[3], strides=[2]),
    "MaxPool behind a convolution": lambda: behind_convolution("MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
    "AveragePool": lambda: pooled("AveragePool", size=18, kernel_shape=[2, 2], strides=[2, 2]),
    "AveragePool, padding left out": lambda: pooled(
        "AveragePool", size=32, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
    ),
    "AveragePool, padding counted": lambda: pooled(
        "AveragePool", size=32, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1
    ),
    "AveragePool behind a convolution": lambda: behind_convolution("AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
    "GlobalAveragePool": lambda: one("GlobalAveragePool", size=2),
    "ReduceMean": lambda: one("ReduceMean", size=2, axes=[2, 3], keepdims=0),
    "ReduceMean, axes as input": lambda: one("ReduceMean", size=2, opset=18, constants={"a": whole(-1, 2)}),
    "ReduceSum": lambda: one("ReduceSum", size=12, constants={"a": whole(2)}),
    "Flatten": lambda: one("Flatten", size=60),
    "Reshape": lambda: one("Reshape", size=60, constants={"s": whole(0, 6, 10)}),
    "Reshape to a computed shape": from_shape,
    "Squeeze": lambda: one("Squeeze", shape=(1, 6), size=6, constants={"a": whole(1)}),
    "Unsqueeze": lambda: one("Unsqueeze", size=60, constants={"a": whole(1)}),
    "Transpose": lambda: one("Transpose", size=60, perm=[0, 3, 1, 2]),
    "Concat": lambda: both("Concat"),
    "Concat with a constant": lambda: between(
        [
            helper.make_node("Flatten", ["x"], ["f"]),
            helper.make_node("Shape", ["f"], ["s"]),
            helper.make_node("Slice", ["s", "zero", "one"], ["n"]),
            helper.make_node("Concat", ["n", "one"], ["target"], axis=0),
            helper.make_node("Expand", ["half", "target"], ["k"]),
            helper.make_node("Concat", ["k", "f"], ["y"], axis=1),
        ],
        IMAGE,
        {"zero": whole(0), "one": whole(1), "half": np.full((1, 1), 0.5, np.float32)},
        size=61,
    ),
    "Slice": lambda: one(
        "Slice", size=16, constants={"s": whole(1, -2), "e": whole(9, -4), "a": whole(2, 3), "t": whole(1, -1)}
    ),
    "Slice by attributes": lambda: one("Slice", size=36, opset=9, starts=[1], ends=[4], axes=[2]),
    "Gather": lambda: one("Gather", size=40, constants={"i": whole(-1, 0, -1, 2)}, axis=3),
    "Gather of one": lambda: one("Gather", size=12, constants={"i": np.array(-2)}, axis=-2),
    "Pad": lambda: one("Pad", size=84, constants={"p": whole(0, 0, 1, 0, 0, 0, 1, 0), "v": np.float32(0.7)}),
    "Pad by attributes": lambda: one("Pad", size=84, opset=9, pads=[0, 0, 1, 0, 0, 0, 1, 0], value=0.7),
    "Identity": lambda: one("Identity", size=60),
    "Dropout": lambda: one("Dropout", size=60),
    "Gemm, one number for a bias": lambda: one(
        "Gemm", shape=(6,), size=4, constants={"w": constant(6, 4), "c": constant(1)}
    ),
    "Gemm, a scalar for a bias": lambda: one(
        "Gemm", shape=(6,), size=4, constants={"w": constant(6, 4), "c": constant()}
    ),
    "Conv, groups, strides and dilations": lambda: convolved(
        out=4, groups=2, size=12, strides=[2, 2], dilations=[2, 1], pads=[1, 1, 0, 1]
    ),
    "Conv, each channel for itself and thrice": lambda: convolved(out=6, groups=2, size=72),
    "BatchNormalization of [N, C]": lambda: one(
        "BatchNormalization",
        shape=(3,),
        size=3,
        constants={"g": constant(3), "s": constant(3), "m": constant(3), "v": np.array([0.5, 2.0, 1.0], np.float32)},
    ),
    "BatchNormalization behind a convolution": lambda: between(
        [
            helper.make_node("Conv", ["x", "w"], ["c"]),
            helper.make_node("BatchNormalization", ["c", "g", "s", "m", "v"], ["n"]),
            helper.make_node("Relu", ["n"], ["y"]),
        ],
        IMAGE,
        {
            "w": constant(3, 2, 3, 3),
            **{name: 10 * constant(3) for name in "gsm"},
            "v": np.array([0.01, 2.0, 1.0], np.float32),
        },
        size=36,
    ),
    "Add, a number a channel from a branch": lambda: between(
        [helper.make_node("GlobalAveragePool", ["x"], ["g"]), helper.make_node("Add", ["g", "x"], ["y"])],
        IMAGE,
        {},
        size=60,
    ),
    "Sub, a number a channel from a branch": lambda: between(
        [helper.make_node("GlobalAveragePool", ["x"], ["g"]), helper.make_node("Sub", ["x", "g"], ["y"])],
        IMAGE,
        {},
        size=60,
    ),
    "Clip from above": lambda: between(
        [
            helper.make_node("Mul", ["x", "four"], ["m"]),
            helper.make_node("Clip", ["m", "", "hi"], ["y"]),
        ],
        IMAGE,
        {"four": np.float32(4), "hi": np.float32(1.5)},
        size=60,
    ),
    "MaxPool, same size": lambda: pooled("MaxPool", size=98, kernel_shape=[2, 3], auto_pad="SAME_UPPER"),
    "MaxPool, same size, lower": lambda: pooled(
        "MaxPool", size=32, kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_LOWER"
    ),
    "AveragePool, uneven pads": lambda: pooled(
        "AveragePool", size=18, kernel_shape=[3, 2], strides=[2, 3], pads=[1, 0, 0, 1]
    ),
    "AveragePool, uneven pads counted": lambda: pooled(
        "AveragePool", size=18, kernel_shape=[3, 2], strides=[2, 3], pads=[1, 0, 0, 1], count_include_pad=1
    ),
    "AveragePool, rounded up": lambda: pooled("AveragePool", size=32, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    "AveragePool, rounded up, padding counted": lambda: pooled(
        "AveragePool",
        size=18,
        kernel_shape=[3, 3],
        strides=[3, 3],
        pads=[0, 1, 0, 0],
        ceil_mode=1,
        count_include_pad=1,
        opset=19,
    ),
    "AveragePool, rounded up, padding counted, before opset 19": lambda: pooled(
        "AveragePool",
        size=18,
        kernel_shape=[3, 3],
        strides=[3, 3],
        pads=[0, 1, 0, 0],
        ceil_mode=1,
        count_include_pad=1,
        opset=13,
    ),
    "AveragePool, one axis": lambda: one("AveragePool", shape=(2, 9), size=8, kernel_shape=[3], strides=[2]),
    "Squeeze, no axes": lambda: one("Squeeze", shape=(1, 6), size=6),
    "Concat, counted from the end": lambda: between(
        [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Concat", ["r", "x"], ["y"], axis=-1)],
        IMAGE,
        {},
        size=120,
    ),
    "Cast": lambda: one("Cast", size=60, to=TensorProto.FLOAT),
    "MatMul by a vector, [N]": lambda: one_number(
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["a"]),
        helper.make_node("Relu", ["a"], ["y"]),
        w=constant(6),
        b=constant(1),
    ),
    "ReduceSum to [N]": lambda: one_number(
        helper.make_node("Mul", ["x", "k"], ["m"]),
        helper.make_node("ReduceSum", ["m", "a"], ["s"], keepdims=0),
        helper.make_node("LeakyRelu", ["s"], ["y"]),
        k=constant(6),
        a=whole(1),
    ),
    "Tanh of [N]": lambda: squeezed("Tanh"),
    "Clip of [N]": lambda: squeezed("Clip", "lo", "hi", lo=np.float32(-0.4), hi=np.float32(0.9)),
    "Add to [N]": lambda: squeezed("Add", "k", k=np.float32(0.3)),
    "Add of [N] to itself": lambda: squeezed("Add", "s"),
    "Sub from [N]": lambda: squeezed("Sub", "k", k=constant(1)),
    "Mul of [N]": lambda: squeezed("Mul", "k", k=np.float32(-1.5)),
    "Unsqueeze of [N]": lambda: squeezed("Unsqueeze", "last"),
    **MORE,
}


def test_every_rule_has_a_case() -> None:
    tested = {case.split(",")[0].split(" ")[0] for case in CASES}
    assert tested == set(RULES)


@pytest.mark.parametrize("case", CASES)
def test_at_radius_0_the_bounds_are_the_margins(case: str) -> None:
    net = Bounded.of(CASES[case](), rounds=False)
    rows = np.random.default_rng(2).random((5, *net.network.input.shape), dtype=np.float32)
    for relaxation in ("intervals", "crown"):
        bounds, labels, rivals = net.margins(rows, 0.0, Norm.L2, BOX, relaxation)
        expected = gaps(net, rows, labels, rivals)
        np.testing.assert_allclose(bounds, expected, rtol=0, atol=2e-6 * max(10.0, np.abs(expected).max()))


@pytest.mark.parametrize("case", MORE)
def test_close_to_a_row_something_is_known(case: str) -> None:
    net = Bounded.of(CASES[case]())
    rows = np.random.default_rng(2).random((2, *net.network.input.shape), dtype=np.float32)
    for relaxation in ("intervals", "crown"):
        bounds, labels, rivals = net.margins(rows, 1e-4, Norm.LINF, BOX, relaxation)
        assert (gaps(net, rows, labels, rivals) - bounds <= 0.1).all()


@pytest.mark.parametrize("case", CASES)
def test_what_goes_back_through_an_affine_operator_is_its_transpose(case: str) -> None:
    """<L* e, x> = (L x)_e for single numbers e, whether they are carried as windows or whole."""
    network = read(onnx.load_from_string(CASES[case]()), None)
    steps = plan(network.scores_alone(), network.input.shape, None, DEVICE)
    generator = torch.Generator().manual_seed(0)
    for step in steps.steps:
        if isinstance(step.operator, Affine):
            shapes = [steps.shapes[name] for name in step.sources]
            x = [torch.rand(1, *shape, generator=generator, dtype=torch.float64) for shape in shapes]
            answer = step.operator.apply(*x).flatten()
            parts = step.operator.adjoint(Slopes.one_hot(torch.arange(len(answer)), steps.shapes[step.name]))
            back = sum(flat(part.whole().numbers * value).sum(1) for part, value in zip(parts, x, strict=True))
            torch.testing.assert_close(back, answer, atol=1e-12, rtol=0)


IN_TURN = [  # a rule knows no norm: one of each case, and the others as `every`
    pytest.param(case, norm, marks=() if i % len(NORMS) == j else pytest.mark.every)
    for i, case in enumerate(CASES)
    for j, norm in enumerate(NORMS)
]


@pytest.mark.parametrize(("case", "norm"), IN_TURN)
def test_no_point_of_a_region_is_below_its_bounds(case: str, norm: Norm) -> None:
    net, radius = Bounded.of(CASES[case]()), {Norm.LINF: 0.15, Norm.L2: 0.6, Norm.L1: 2.0}[norm]
    rng = np.random.default_rng(3)
    rows = rng.random((3, *net.network.input.shape), dtype=np.float32)
    for relaxation in ("intervals", "crown"):
        bounds, labels, rivals = net.margins(rows, radius, norm, BOX, relaxation)
        for i, row in enumerate(rows):
            near = points(rng, row, radius, norm, BOX)
            own, other = np.repeat(labels[i], len(near)), np.repeat(rivals[i][None], len(near), axis=0)
            assert (gaps(net, near, own, other).min(axis=0) >= bounds[i]).all()


def gaps(net: Bounded, rows: np.ndarray, labels: np.ndarray, rivals: np.ndarray) -> np.ndarray:
    """f_label - f_rival of the float32 model, (m, r)."""
    scores = net.scores(rows)
    return scores[np.arange(len(rows)), labels][:, None] - np.take_along_axis(scores, rivals, axis=1)


def test_a_convolution_takes_a_few_objectives_back_at_a_time_with_the_bits_of_all_at_once() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        numbers = torch.randn(33, 16, 62, 62, dtype=torch.float64)
        weights = torch.randn(16, 8, 3, 3, dtype=torch.float64)
    where = Span((3, 3), (1, 1), (1, 1), (0, 0), (0, 0))
    found = _backward(Slopes(numbers, (16, 62, 62)), weights, where, 1, (8, 64, 64))
    assert torch.equal(found.numbers, torch.nn.grad.conv2d_input([33, 8, 64, 64], weights, numbers))
