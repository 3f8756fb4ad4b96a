"""Bounds of many domains at once: a domain that is proven takes no more steps, and the others go on as they would."""

import torch

from algorithms.mathematics.norms import Norm
from models.onnx.bounds.branching.ball import CutBall
from models.onnx.bounds.branching.beta_crown import Bounding, Known
from models.onnx.bounds.branching.reduced import KeptRows, Reduced

WIDTH, INPUTS, ROWS = 6, 4, 5


def bounding() -> Bounding:
    """One hidden layer of neurons that may all be on either side, and margins of which the first are far above zero."""
    torch.manual_seed(0)
    real = {"dtype": torch.float64}
    none, by_input = torch.zeros(WIDTH, WIDTH, **real), torch.randn(WIDTH, INPUTS, **real)
    neurons = KeptRows(none, by_input, torch.zeros(WIDTH, **real), torch.zeros(WIDTH, **real))
    constant = torch.tensor([50.0, 50.0, 50.0, 0.0, -1.0], **real)
    margins = KeptRows(
        torch.randn(ROWS, WIDTH, **real), torch.randn(ROWS, INPUTS, **real), constant, torch.zeros(ROWS, **real)
    )
    most = by_input.abs().sum(1)
    network = Reduced(neurons, margins, torch.zeros(WIDTH, **real), (WIDTH,), -most, most)
    room = torch.ones(INPUTS, **real)
    return Bounding(network, CutBall(0 * room, room, room, torch.ones((), **real), Norm.LINF), torch.float64)


def test_domains_ascend_alone_as_they_do_beside_others_that_are_proven():
    own = bounding()
    rows, network = own.network.margins, own.network
    signs = torch.zeros(ROWS, WIDTH, dtype=torch.float64)
    signs[:, 0] = 1.0
    lower = torch.where(signs > 0, network.lower.clamp(min=0), network.lower)
    known = Known(lower, network.upper.expand_as(lower), signs)
    begun = own.bound(rows, known, own.adaptive(known)).values
    together = own.bound(rows, known, own.ascend(rows, known, own.adaptive(known), 20)[0]).values
    assert (together >= begun).all()
    assert (together[3:] > begun[3:]).all()
    for b in range(ROWS):
        one = torch.tensor([b])
        chosen, _ = own.ascend(rows[one], known[one], own.adaptive(known[one]), 20)
        torch.testing.assert_close(own.bound(rows[one], known[one], chosen).values, together[one])
