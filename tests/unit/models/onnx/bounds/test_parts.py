"""Parts of a region: their intervals hold wherever their sides do, and the part with most open domains comes first."""

import torch

from algorithms.mathematics.norms import Norm
from models.onnx.bounds.branching.ball import CutBall
from models.onnx.bounds.branching.beta_crown import Bounding, Known
from models.onnx.bounds.branching.descent import margins
from models.onnx.bounds.branching.parts import APART, Subregion, Subregions
from models.onnx.bounds.branching.reduced import KeptRows, Reduced
from models.onnx.bounds.branching.tightening import tightened

WIDTHS, INPUTS = (5, 6, 4), 3
REAL = {"dtype": torch.float64}


def network() -> Reduced:
    """Three layers of neurons, each reading all before it; intervals by the sizes of weights."""
    torch.manual_seed(1)
    count = sum(WIDTHS)
    ends = tuple(torch.tensor(WIDTHS).cumsum(0).tolist())
    by_neuron, by_input = torch.randn(count, count, **REAL), torch.randn(count, INPUTS, **REAL)
    for start, end in zip((0, *ends[:-1]), ends, strict=True):
        by_neuron[start:end, start:] = 0
    none = torch.zeros(count, **REAL)
    most = by_input.abs().sum(1)
    for i in range(count):
        most[i] += by_neuron[i].abs() @ most
    row = KeptRows(torch.randn(1, count, **REAL), torch.randn(1, INPUTS, **REAL), torch.zeros(1, **REAL), none[:1])
    return Reduced(KeptRows(by_neuron, by_input, none, none), row, none, ends, -most, most)


def test_intervals_of_a_part_hold_at_all_points_with_its_sides_and_are_tighter_than_the_regions():
    small, room = network(), torch.ones(INPUTS, **REAL)
    ball = CutBall(0 * room, room, room, torch.ones((), **REAL), Norm.LINF)
    both = Bounding(small, ball, torch.float32), Bounding(small, ball, torch.float64)
    none = torch.zeros_like(small.lower)[None]
    whole = tightened(both, Known(small.lower[None], small.upper[None], none), map)
    points = torch.rand(4000, INPUTS, **REAL) * 2 - 1
    row = small.margins[torch.zeros(len(points), dtype=torch.int64)]
    _, z = margins(both[1], row, points)
    assert ((z >= whole.lower) & (z <= whole.upper)).all()
    signs = none.clone()
    signs[0, :3] = torch.tensor([1.0, -1.0, 1.0])
    part = tightened(both, whole.chosen(signs), map)
    there = z[((z * signs >= 0) | (signs == 0)).all(1)]
    assert len(there) > 100
    assert ((there >= part.lower - 1e-12) & (there <= part.upper + 1e-12)).all()
    first = WIDTHS[0]
    assert (part.upper - part.lower)[0, first:].sum() < 0.9 * (whole.upper - whole.lower)[0, first:].sum()


def test_a_part_begins_where_enough_sides_were_chosen_and_the_fullest_comes_first():
    signs = torch.zeros(8, dtype=torch.int8)
    found = Known(signs[None].double(), signs[None].double(), signs[None])
    root, parts = Subregion(signs, found=found), Subregions()
    near, far = signs.clone(), signs.clone()
    near[: APART - 1] = 1
    far[:APART] = -1
    assert parts.of_child(root, near) is root
    one, other = parts.of_child(root, far), parts.of_child(root, -far)
    one.count(1)
    other.count(2)
    assert root.open == 3
    assert parts.next() is other
    parts.done(other)
    assert parts.next() is one
    assert one.known() is found
    one.count(-1)
    assert parts.next() is None
