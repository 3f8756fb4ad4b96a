"""Whatever a graph does behind a linear model, it is read as it answers, or refused; what settles it is accepted.

Tails are drawn from a grammar. What one means is found out without our reading of graphs: by what it can answer at all,
since the linear model reaches every point before it. What it decides is asked of onnxruntime.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from algorithms.driver.running import Samples, run
from algorithms.errors import Refused
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.questions.margins import Region
from algorithms.threats.threat import Box, Threat
from models.cards import Inspection
from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.exports import graph

Array = NDArray[np.float64]
PARTS = [0, 1, *(pytest.param(part, marks=pytest.mark.every) for part in (2, 3))]  # of the draws, by turns
FEATURES, DRAWS, TRIED = 6, 160, 60  # tails drawn, and how many of them are attacked and bounded too
FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


@dataclass(frozen=True)
class Tail:
    """Operators behind z [N, K], and the same in numpy."""

    width: int  # numbers a row; 0: one, on no axis
    answer: Callable[[Array], Array]
    nodes: tuple[onnx.NodeProto, ...] = ()
    constants: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def last(self) -> str:
        return str(self.nodes[-1].output[0]) if self.nodes else "z"

    def then(self, op: str, function: Callable[[Array], Array], width: int, *more: np.ndarray, **attributes) -> "Tail":
        """With one operator more; `more`: its constant inputs."""
        mark = len(self.nodes)
        names = [f"c{mark}_{i}" for i in range(len(more))]
        node = helper.make_node(op, [self.last, *names], [f"v{mark}"], **attributes)
        constants = self.constants | dict(zip(names, more, strict=True))
        return Tail(width, lambda z: function(self.answer(z)), (*self.nodes, node), constants)


def sigmoid(v: Array) -> Array:
    return np.where(v >= 0, 1 / (1 + np.exp(-np.abs(v))), np.exp(-np.abs(v)) / (1 + np.exp(-np.abs(v))))


def softmax(v: Array) -> Array:
    powers = np.exp(v - v.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def scaled(tail: Tail, rng: np.random.Generator) -> Tail:
    c = np.float32(rng.choice([-2, -1, 0.5, 2, 0.25]))
    return tail.then("Mul", lambda v: v * float(c), tail.width, c)


def shifted(tail: Tail, rng: np.random.Generator) -> Tail:
    c = np.float32(rng.choice([-1, -0.5, 0.25, 0.5, 1]))
    return tail.then("Add", lambda v: v + float(c), tail.width, c)


def rest(tail: Tail, rng: np.random.Generator) -> Tail:
    """1 - v"""
    return tail.then("Neg", np.negative, tail.width).then("Add", lambda v: v + 1, tail.width, np.float32(1))


def halved(tail: Tail, rng: np.random.Generator) -> Tail:
    """(1 + tanh v) / 2"""
    tail = tail.then("Tanh", np.tanh, tail.width).then("Add", lambda v: v + 1, tail.width, np.float32(1))
    return tail.then("Mul", lambda v: v / 2, tail.width, np.float32(0.5))


def squashed(tail: Tail, rng: np.random.Generator) -> Tail:
    return tail.then("Sigmoid", sigmoid, tail.width)


def tanh(tail: Tail, rng: np.random.Generator) -> Tail:
    return tail.then("Tanh", np.tanh, tail.width)


def widened(tail: Tail, rng: np.random.Generator) -> Tail:
    """To float64 and back."""
    return tail.then("Cast", lambda v: v, tail.width, to=DOUBLE).then("Cast", lambda v: v, tail.width, to=FLOAT)


def threshold(tail: Tail, rng: np.random.Generator) -> Tail:
    c = np.float32(rng.choice([0.0, 0.5, 0.3]))
    asked = tail.then("Greater", lambda v: v > float(c), tail.width, c)
    return asked.then("Cast", lambda v: v * 1.0, tail.width, to=FLOAT)


def shared(tail: Tail, rng: np.random.Generator) -> Tail:
    return tail.then("Softmax", softmax, tail.width, axis=1)


def sliced(tail: Tail, rng: np.random.Generator) -> Tail:
    start = int(rng.integers(tail.width))
    end = int(rng.integers(start + 1, tail.width + 1))
    given = [np.array([n], np.int64) for n in (start, end, 1)]
    return tail.then("Slice", lambda v: v[:, start:end], end - start, *given)


def gathered(tail: Tail, rng: np.random.Generator) -> Tail:
    i = int(rng.integers(-tail.width, tail.width))
    return tail.then("Gather", lambda v: v[:, i], 0, np.array(i, np.int64), axis=1)


def reduced(op: str, function: Callable[..., Array]) -> Callable[[Tail, np.random.Generator], Tail]:
    def step(tail: Tail, rng: np.random.Generator) -> Tail:
        keeps = bool(rng.integers(2))
        return tail.then(op, lambda v: function(v, 1, keepdims=keeps), int(keeps), axes=[1], keepdims=int(keeps))

    return step


def mixed(tail: Tail, rng: np.random.Generator) -> Tail:
    """One number by weights that sum to one, or by others."""
    weights = rng.dirichlet(np.ones(tail.width)) if rng.integers(2) else rng.normal(size=tail.width)
    weights = weights.astype(np.float32)[:, None]
    return tail.then("MatMul", lambda v: v @ weights.astype(float), 1, weights)


def beside(tail: Tail, rng: np.random.Generator) -> Tail:
    """Each number twice: a row of its own numbers and their halves."""
    half = tail.then("Mul", lambda v: v / 2, tail.width, np.float32(0.5))
    node = helper.make_node("Concat", [tail.last, half.last], ["joined"], axis=1)
    both = (*half.nodes, replace_output(node, f"v{len(half.nodes)}"))
    answer = tail.answer
    return Tail(2 * tail.width, lambda z: np.concatenate([answer(z), answer(z) / 2], 1), both, half.constants)


def replace_output(node: onnx.NodeProto, name: str) -> onnx.NodeProto:
    node.output[0] = name
    return node


ANY = (scaled, shifted, rest, halved, squashed, tanh, widened)
MANY = (shared, shared, sliced, gathered, reduced("ReduceMax", np.max), reduced("ReduceMean", np.mean), mixed)
ONE = (threshold,)


@functools.cache
def drawn(seed: int) -> Tail:
    rng = np.random.default_rng(seed)
    width = int(rng.integers(1, 5))
    tail = Tail(width, lambda z: z)
    for _ in range(int(rng.integers(1, 5))):
        rules = (*ANY, *(MANY if tail.width > 1 else ONE), *((beside,) if 1 <= tail.width < 4 else ()))
        tail = rules[int(rng.integers(len(rules)))](tail, rng)
    return tail if tail.nodes else widened(tail, rng)


def linear(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of full rank: every z is reached."""
    rng = np.random.default_rng(seed)
    width = int(np.random.default_rng(seed).integers(1, 5))
    rng = np.random.default_rng(seed + 10_000)
    return rng.normal(size=(FEATURES, width)).astype("f"), (rng.normal(size=width) * 0.3).astype("f")


def exported(seed: int) -> bytes:
    tail, (weights, bias) = drawn(seed), linear(seed)
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["z"]), *tail.nodes]
    shape = ["N"] if tail.width == 0 else ["N", tail.width]
    return graph(nodes, ["N", FEATURES], [(tail.last, FLOAT, shape)], {"W": weights, "b": bias, **tail.constants})


def served(data: bytes) -> Callable[[np.ndarray], np.ndarray]:
    session = onnxruntime.InferenceSession(data)
    return lambda rows: session.run(None, {"x": rows})[0]


def meaning(seed: int) -> str | None:
    """What the tail can answer at all settles it: one number within [0, 1] around 1/2, or without ends; a row."""
    tail, (weights, _) = drawn(seed), linear(seed)
    if tail.width > 1:
        return "row"
    width, rng = weights.shape[1], np.random.default_rng(0)
    z = rng.normal(size=(4_000, width)) * 10.0 ** rng.integers(-2, 7, (4_000, 1))
    z = np.concatenate([z, z * (rng.random(z.shape) < 0.5), z / 10.0 ** rng.integers(0, 6, z.shape)])
    with np.errstate(all="ignore"):
        low, high = tail.answer(z).min(), tail.answer(z).max()
    if low >= -1e-9 and high <= 1 + 1e-9:
        return "probability" if low < 0.5 - 1e-3 and high > 0.5 + 1e-3 else None
    return "logit" if low < -100 and high > 100 else None


def read_as(seed: int) -> Inspection | None:
    """None: refused, with what to do."""
    try:
        return inspect(exported(seed), preprocessing=None, device="cpu")
    except Refused as error:
        refused = error
    assert refused.code == "unsupported_signature"
    assert "output=" in refused.detail or "Export the probability of class 1" in refused.detail
    return None


def rows_of(seed: int) -> np.ndarray:
    """Near and far."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(60, FEATURES)) * 10.0 ** rng.integers(-1, 4, (60, 1))).astype(np.float32)


def decided(meant: str, answers: np.ndarray) -> np.ndarray:
    """What the file decides."""
    if meant in ("logits", "probabilities"):
        return answers.argmax(axis=1)
    return (answers.reshape(-1) > (0.0 if meant == "logit" else 0.5)).astype(int)


def opened(data: bytes, found: Inspection) -> OnnxClassifier:
    network = read(onnx.load_from_string(data), None)
    gradients = differentiator(network, "cpu") if Access.GRADIENTS in found.offers else None
    bounds = bounder(network, "cpu") if Access.BOUNDS in found.offers else None
    return OnnxClassifier(network, gradients, "cpu", bounds)


@pytest.mark.parametrize("part", PARTS)
def test_a_tail_is_read_as_it_answers_or_refused(part: int) -> None:
    settled, accepted = 0, 0
    for seed in range(part, DRAWS, 4):
        data, meant, found = exported(seed), meaning(seed), read_as(seed)
        settled += meant is not None
        accepted += meant is not None and found is not None
        if found is None:
            continue
        as_ = found.reads.as_
        assert meant != "probability" or as_ in ("probability", "label"), seed
        assert meant != "logit" or as_ == "logit", seed
        rows = rows_of(seed)
        answers = served(data)(rows)
        model = opened(data, without_torch(found))
        expected = decided(as_, answers)
        np.testing.assert_array_equal(model.labels(rows), expected, str(seed))  # exactly, as near as they may be
        if Access.SCORES in found.offers:
            np.testing.assert_array_equal(model.scores(rows).argmax(axis=1), expected, str(seed))
    assert accepted >= 0.95 * settled


def without_torch(found: Inspection) -> Inspection:
    """Labels and scores alone: quick to open."""
    return found.model_copy(update={"offers": tuple(o for o in found.offers if o in (Access.LABELS, Access.SCORES))})


@pytest.mark.parametrize("part", PARTS)
def test_attacks_change_what_is_served_and_bounds_hold_for_it(part: int) -> None:
    broken, proven = 0, 0
    for seed in range(part, TRIED, 4):
        data, found = exported(seed), read_as(seed)
        if found is None or Access.GRADIENTS not in found.offers:
            continue
        model, ask, as_ = opened(data, found), served(data), found.reads.as_
        rows = np.random.default_rng(seed).normal(size=(4, FEATURES)).astype(np.float32)
        before = decided(as_, ask(rows))
        for i, point in attacked(model, rows):
            assert decided(as_, ask(point[None]))[0] != before[i], seed
            broken += 1
        if Access.BOUNDS in found.offers:
            proven += bounded(model, ask, as_, rows)
    assert broken > 0 and proven > 0


def attacked(model: OnnxClassifier, rows: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The points that pgd found, each with the row that it is of."""
    threat, pgd = Threat(norm=Norm.L2, box=Box.unbounded()), method("pgd")
    what = Samples(rows, tuple(range(len(rows))), labels=None)
    outcomes = run(model, what, pgd, pgd.params(steps=10, restarts=1), threat, Budget(400), seed=0)
    return [(i, outcome.x_adv) for i, outcome in enumerate(outcomes) if outcome.x_adv is not None]


def bounded(model: OnnxClassifier, ask: Callable, as_: str, rows: np.ndarray) -> int:
    """How often margins are proven all over a ball: then no point of it is decided otherwise by the file."""
    rng, proven = np.random.default_rng(0), 0
    before = decided(as_, ask(rows))
    rivals = (before[:, None] + np.arange(1, model.classes)) % model.classes
    for radius in (1e-3, 1e-2, 0.1, 0.3, 1.0):
        region = Region(rows, np.full(len(rows), radius), Threat(Norm.L2, Box.unbounded()))
        margins = model.offers[Access.BOUNDS].margins(region, before, rivals, "crown").min(axis=1)
        directions = rng.normal(size=(200, FEATURES))
        directions *= radius * (1 - 1e-6) / np.linalg.norm(directions, axis=1, keepdims=True)
        for row, label, margin in zip(rows, before, margins, strict=True):
            if margin > 0:
                assert (decided(as_, ask((row + directions).astype(np.float32))) == label).all()
                proven += 1
    return proven
