"""What a soft-max or sigmoid at the end leaves of the logits' order, and that bounds heed it."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from algorithms.mathematics.norms import Norm
from algorithms.seam.questions.margins import Region
from algorithms.threats.threat import Box, Threat
from models.onnx.network import Network, read
from models.onnx.rebuilding.odds import SHOWN
from tests.bounded import Bounded
from tests.exports import graph, linear

FLOAT = TensorProto.FLOAT
ONE = np.ones(1, np.float32)


def node(op: str, inputs: str, output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), [output], **attributes)


SHIFTED = [node("ReduceMax", "z", "m", axes=[1]), node("Sub", "z m", "s"), node("Exp", "s", "e")]
TAILS: dict[str, tuple[list[onnx.NodeProto], float | None]] = {
    "nothing": ([node("Identity", "z", "p")], 0.0),
    "a soft-max": ([node("Softmax", "z", "p", axis=1)], SHOWN),
    "a log soft-max": ([node("LogSoftmax", "z", "p", axis=1)], SHOWN),
    "a soft-max by hand": ([*SHIFTED, node("ReduceSum", "e one", "t"), node("Div", "e t", "p")], SHOWN),
    "a bare soft-max": ([node("Exp", "z", "e"), node("ReduceSum", "e one", "t"), node("Div", "e t", "p")], None),
    "a sigmoid a class": ([node("Sigmoid", "z", "p")], None),
    "two soft-maxes": ([node("Softmax", "z", "q", axis=1), node("Softmax", "q", "p", axis=1)], None),
}


def network(tail: list[onnx.NodeProto], weights: np.ndarray, bias: np.ndarray) -> bytes:
    numbers = {"W": weights, "b": bias, "one": np.array([1], np.int64)}
    shape = ["N", weights.shape[1]]
    return graph([node("Gemm", "x W b", "z"), *tail], ["N", len(weights)], [("p", FLOAT, shape)], numbers)


def answers(found: Network, rows: np.ndarray) -> np.ndarray:
    return found.session().ask(rows, found.rebuilt.answer).argmax(axis=1)


@pytest.mark.parametrize("name", TAILS)
def test_bounds_are_of_the_scores_where_a_margin_of_them_shows_in_the_answer(name: str) -> None:
    tail, slack = TAILS[name]
    rebuilt = read(onnx.load_from_string(network(tail, *linear())), None).rebuilt
    assert rebuilt.slack == slack
    assert rebuilt.bounded == (rebuilt.answer if slack is None else rebuilt.scores)


@pytest.mark.parametrize("name", ["a bare soft-max", "two soft-maxes"])
@pytest.mark.parametrize("steepness", [1, 8, 64])
def test_an_answer_that_is_no_rule_of_scores_is_bounded_itself(name: str, steepness: int) -> None:
    """No point of a ball that is proven is served another class, also where probabilities saturate."""
    weights, bias = linear()
    net = Bounded.of(network(TAILS[name][0], steepness * weights, bias))
    rng = np.random.default_rng(0)
    rows = rng.uniform(-1, 1, (40, len(weights))).astype(np.float32)
    labels, classes = answers(net.network, rows), weights.shape[1]
    rivals = np.array([[rival for rival in range(classes) if rival != label] for label in labels])
    proven = 0
    for radius in (0.01, 0.05, 0.2):
        region = Region(rows, np.full(len(rows), radius), Threat(Norm.LINF, Box.unbounded()))
        holds = (net.bounder.margins(region, labels, rivals, "crown") > 0).all(axis=1)
        for _ in range(40):
            steps = radius * np.sign(rng.standard_normal(rows.shape)) * rng.choice([1, rng.random()])
            moved = answers(net.network, (rows + 0.999 * steps).astype(np.float32))
            assert (moved == labels)[holds].all()
        proven += holds.sum()
    assert proven > 10


def test_two_sigmoids_that_saturate_are_never_told_apart() -> None:
    """The logits of class 1 are larger by one, and both probabilities are 1: class 0 is served."""
    data = network(TAILS["a sigmoid a class"][0], np.ones((1, 2), np.float32), np.array([0, 1], np.float32))
    net, row = Bounded.of(data), np.full((1, 1), 30, np.float32)
    assert answers(net.network, row) == 0
    region = Region(row, np.zeros(1), Threat(Norm.L2, Box.unbounded()))
    assert net.bounder.margins(region, np.array([1]), np.array([[0]]), "crown") <= 0
    region = Region(np.zeros((1, 1), np.float32), np.ones(1), Threat(Norm.L2, Box.unbounded()))
    assert net.bounder.margins(region, np.array([1]), np.array([[0]]), "crown") > 0


def test_one_number_behind_a_sigmoid_shows_on_which_side_of_a_half_it_is() -> None:
    weights, bias = linear(classes=1)
    found = read(onnx.load_from_string(network(TAILS["a sigmoid a class"][0], weights, bias)), None)
    assert found.rebuilt.slack == SHOWN


@pytest.mark.parametrize("level", [-80, -10, 0, 10, 80])
@pytest.mark.parametrize("name", [name for name, (_, slack) in TAILS.items() if slack])
def test_what_is_larger_by_the_slack_is_the_answer_though_it_comes_last(name: str, level: int) -> None:
    """The first of equals is the label: class 2 must stand out from 0 and 1."""
    found = read(onnx.load_from_string(network(TAILS[name][0], np.eye(3, dtype=np.float32), np.zeros(3, "f"))), None)
    rng = np.random.default_rng(0)
    rows = np.full((500, 3), level, np.float32) + rng.normal(size=(500, 1)).astype(np.float32)
    rows[:, 2] += SHOWN + np.spacing(np.abs(rows[:, 2]))
    assert (answers(found, rows) == 2).all()


@pytest.mark.parametrize("side", [-1, 1])
def test_a_sigmoid_shows_a_number_as_large_as_the_slack(side: int) -> None:
    tail = TAILS["a sigmoid a class"][0]
    found = read(onnx.load_from_string(network(tail, np.ones((1, 1), np.float32), np.zeros(1, "f"))), None)
    rows = np.float32(side) * np.concatenate([[SHOWN], np.geomspace(SHOWN, 100, 500)]).astype(np.float32)[:, None]
    assert (answers(found, rows) == (side > 0)).all()


def test_the_slack_is_taken_off_the_margins() -> None:
    plain, tailed = (Bounded.of(network(TAILS[name][0], *linear())) for name in ("nothing", "a soft-max"))
    rows = np.random.default_rng(0).random((3, 6), dtype=np.float32)
    wide, less = (net.margins(rows, 0.1, Norm.L2, Box.unbounded(), "crown")[0] for net in (plain, tailed))
    np.testing.assert_allclose(wide - less, SHOWN, rtol=1e-6)
