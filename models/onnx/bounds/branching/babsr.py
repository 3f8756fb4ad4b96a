"""Which neuron of a domain to split: a shortlist by scores, of which the one is taken whose children are bounded best.

Bunel, Lu, Turkaslan, Torr, Kohli, Kumar 2020 (BaBSR): what the line above a neuron costs the bound, by the coefficients
of the bound itself. Beside it stands the gap between a neuron's answer and its line at the point where the bound is
least: lines below cost too. De Palma et al. 2021 (FSB): children of a shortlist are bounded cheaply, and the split
counts that leaves the weaker child best.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.onnx.bounds.branching.beta_crown import Bounding, Bounds, Known, Multipliers, Passes
from models.onnx.bounds.branching.reduced import KeptRows

BY_SCORE, BY_GAP = 2, 3  # neurons of the shortlist
TRIED = 5  # steps of ascent that a child on the shortlist gets
TIE = 1e-3  # what the better child's bound counts beside the weaker one's

SIDES = (1, -1)


@dataclass(frozen=True)
class SplitFamily:
    """A split family holds domains, and what bounded them: what splits begin with."""

    rows: KeptRows
    known: Known
    chosen: Multipliers
    bounds: Bounds

    def child(self, which: Tensor, neurons: Tensor, side: int, leaks: Tensor) -> tuple[Known, Multipliers]:
        """Put neurons (m,) of domains `which` (m,) on one side; begin with a multiplier that leaves the bound as it is.

        A line below is the neuron's own on that side, pulled by the multiplier as far as its slope differs.
        """
        known, chosen, at = self.known[which], self.chosen.of(which), torch.arange(len(which), device=which.device)
        signs, lower, upper = known.signs.clone(), known.lower.clone(), known.upper.clone()
        signs[at, neurons] = side
        alpha = chosen.alpha[at, neurons]
        if side > 0:
            lower[at, neurons] = lower[at, neurons].clamp(min=0)
            missing = 1 - alpha
        else:
            upper[at, neurons] = upper[at, neurons].clamp(max=0)
            missing = alpha - leaks[neurons]
        beta = chosen.beta.clone()
        beta[at, neurons] = self.bounds.coefficients[which, neurons].clamp(min=0) * missing
        return Known(lower, upper, signs), Multipliers(chosen.alpha, beta)


@dataclass(frozen=True)
class Split:
    """A split is of B domains: the neuron of each, and where the steps for its two children ended."""

    neurons: Tensor  # (B,)
    begun: tuple[Multipliers, Multipliers]  # by the order of SIDES


def choose(bounding: Bounding, family: SplitFamily) -> Split:
    """Choose a neuron of every domain. A domain without a free one is given any."""
    short = _shortlist(bounding, family)  # (B, q)
    which = torch.arange(len(short), device=short.device).repeat_interleave(short.shape[1])
    rows, values, ends = family.rows[which], [], []
    for side in SIDES:
        known, start = family.child(which, short.flatten(), side, bounding.network.leaks)
        end, value = bounding.ascend(rows, known, start, TRIED)
        values.append(value)
        ends.append(end)
    worst, best = (pick(*values).reshape(short.shape) for pick in (torch.minimum, torch.maximum))
    scores = torch.where(family.known.free.gather(1, short), worst + TIE * best, -torch.inf)
    chosen = scores.argmax(1, keepdim=True)
    at = torch.arange(len(short), device=short.device) * short.shape[1] + chosen[:, 0]
    return Split(short.gather(1, chosen)[:, 0], (ends[0].of(at), ends[1].of(at)))


def _shortlist(bounding: Bounding, family: SplitFamily) -> Tensor:
    network, known, a = bounding.network, family.known, family.bounds.coefficients
    lower, upper = known.lower.to(a), known.upper.to(a)
    slope = torch.where(known.free, upper / torch.where(known.free, upper - lower, 1.0), 0.0)
    bias = a * network.neurons.constant
    score = (a.clamp(max=0) * -lower * slope + torch.maximum((slope - 1) * bias, slope * bias)).abs()
    z, h = Passes(bounding, family.rows, known).forward(family.bounds)
    gap = a * (torch.where(z > 0, z, network.leaks * z) - h)
    by_gap = torch.where(known.free, gap, -torch.inf).topk(min(BY_GAP, gap.shape[1]), dim=1).indices
    others = torch.where(known.free, score, -torch.inf).scatter(1, by_gap, -torch.inf)
    return torch.cat([by_gap, others.topk(min(BY_SCORE, gap.shape[1]), dim=1).indices], dim=1)
