"""Which search suits a region: what is split there, so that as little as possible is left."""

from torch import Tensor

from models.onnx.bounds.branching.ball import CutBall
from models.onnx.bounds.branching.box_bounds import ReducedBoxes
from models.onnx.bounds.branching.curve_splits import CurveSearch
from models.onnx.bounds.branching.graph_boxes import GraphBoxes
from models.onnx.bounds.branching.graph_passes import first
from models.onnx.bounds.branching.input_splits import BoxSearch
from models.onnx.bounds.branching.neuron_splits import NeuronSearch
from models.onnx.bounds.branching.reduced import is_reducible, reduced
from models.onnx.bounds.branching.searches import DomainSearch, EachPart
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.passes.regions import Regions

FEW_INPUTS = 10  # of which boxes are halved
PRODUCTS = 2**24  # multiplications of a pass back: where there are more, curves other than rectifiers are not split
BOXED = 2**15  # numbers of all values: of larger networks with other curves, boxes would take too much memory
MANY = 16  # neurons an input: with fewer, their sides are soon all chosen


def open_search(regions: Regions, margins: Tensor, slack: float, each: EachPart) -> DomainSearch | None:
    """Open a search for the least of the margins (m, scores), sums of scores, on the first of the regions.

    `slack`: what a margin must have beyond zero. None where it would be too much: of large networks, of values that may
    overflow.
    """
    plan, balls = regions.plan, regions.balls
    margins = margins.to(balls.x.device)
    if not is_reducible(plan):
        return _of_any_curves(regions, margins, slack, each) if plan.products <= PRODUCTS else None
    network = reduced(plan, regions.intervals, regions.disturbances, margins)
    if network is None or not network.is_finite:
        return None
    ball = cut_ball(balls)
    network = network.less(slack).to("cpu")
    inputs, neurons = len(ball.x), len(network.leaks)
    if inputs <= FEW_INPUTS and neurons >= MANY * inputs:
        return BoxSearch(ReducedBoxes(network, ball), ball, each)
    return NeuronSearch(network, ball, each)


def _of_any_curves(regions: Regions, margins: Tensor, slack: float, each: EachPart) -> DomainSearch:
    """Halve boxes of few inputs, of small networks that are not on a card; cut what curves read of all others."""
    ball = cut_ball(regions.balls)
    if len(ball.x) <= FEW_INPUTS and regions.plan.total <= BOXED and regions.device.type == "cpu":
        return BoxSearch(GraphBoxes(first(regions, ()), margins, slack), ball, each)
    return CurveSearch(regions, margins, slack, each)


def cut_ball(balls: Balls) -> CutBall:
    """Take the first of the balls."""
    x, below, above, radius = (value[0].cpu() for value in (balls.x, balls.below, balls.above, balls.radii))
    return CutBall(x.flatten(), below.flatten(), above.flatten(), radius, balls.norm)
