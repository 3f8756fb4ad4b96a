"""Branch and bound over the sides of neurons: domains are bounded by beta-CROWN, the weakest are split first.

Bunel et al. 2018 and 2020 for the search, Wang et al. 2021 for the bounds. All domains share the region's ball and the
neurons' intervals, cut at zero where a side was chosen; each keeps the slopes and multipliers that bounded it, with
which its children begin. A child's bound is at least its parent's.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.onnx.bounds.branching import babsr
from models.onnx.bounds.branching.ball import CutBall
from models.onnx.bounds.branching.beta_crown import Bounding, Known, Multipliers
from models.onnx.bounds.branching.descent import ROOT_ROUNDS, descend, look_around, margins
from models.onnx.bounds.branching.parts import Subregion, Subregions
from models.onnx.bounds.branching.reduced import Reduced
from models.onnx.bounds.branching.searches import EachPart
from models.onnx.bounds.branching.tightening import passes, tightened
from models.onnx.bounds.frontier import Frontier

PASS, PASSES = 32, 2  # domains that are split together, and how many such passes a round has at the most
ROOT_STEPS, CHILD_STEPS = 40, 20  # of ascent
DESCENTS, ROUNDS = 8, 4  # points of a pass that are followed down, and how far
PASSES_A_DOMAIN = 50  # of splitting; finding intervals of parts anew may take as many again
LEAF_STEPS = 300  # for a domain whose neurons all have a side: what its multipliers do not close stays open
SIZE, SIZE_A_NEURON = 2000, 16  # bytes of an open domain: signs, slopes, multipliers, its share of the parts


@dataclass(frozen=True, order=True, slots=True)
class Domain:
    """A domain is what is left of a region on the chosen sides of some neurons, with a margin's bound there."""

    bound: float
    order: int  # in which it was made: no two are alike
    row: int = field(compare=False)  # of the margins
    signs: Tensor = field(compare=False)  # (N,) int8
    part: Subregion = field(compare=False)
    chosen: Multipliers = field(compare=False)  # (N,) float32 each


class NeuronSearch:
    """A neuron search looks for the least of a region's margins: first at points, then in a domain a margin, and on."""

    def __init__(self, network: Reduced, ball: CutBall, each: EachPart) -> None:
        self._ball, self._each, self._network = ball, each, network
        self._fast, self._sure = (Bounding(network, ball, dtype) for dtype in (torch.float32, torch.float64))
        self._whole = Known(network.lower[None], network.upper[None], torch.zeros_like(network.lower)[None])
        self._open: Frontier[Domain] = Frontier(SIZE + SIZE_A_NEURON * len(self._network.lower))
        self._parts, self._made, self._passes = Subregions(), 0, 0
        self.domains = 0
        self.least, self.point = float("inf"), ball.x
        self._look_around()

    @property
    def bound(self) -> float:
        return self._open.bound if self.domains else -float("inf")

    @property
    def held(self) -> int:
        return self._open.held + self._network.held * 3 // 2  # matrices are kept in float32 too

    @property
    def is_over(self) -> bool:
        return self.domains > 0 and not self._open

    @property
    def next_round(self) -> int:
        """Count the domains that going on would bound; the first, one for each margin, count as one."""
        return 2 * min(len(self._open), PASS * PASSES) if self.domains else 1

    def go_on(self) -> None:
        """Bound the region; from then on split the weakest domains, and bound their children."""
        if not self.domains:
            self._begin()
            return
        parents = self._open.take(PASS * PASSES)
        parts = [parents[start : start + PASS] for start in range(0, len(parents), PASS)]
        for some, (children, values, points, sizes) in zip(parts, self._each(self._split, parts), strict=True):
            for at in range(len(values)):
                parent, (known, chosen) = some[at % len(some)], children
                value, signs = max(parent.bound, float(values[at])), known.signs[at].to(torch.int8)
                part = self._parts.of_child(parent.part, signs)
                self._keep(Domain(value, self._new(), parent.row, signs, part, chosen.at(at)), known.free[at])
            for parent in some:
                parent.part.count(-1)
            self._see(sizes, points)
            self.domains += len(values)
        self._look_closer()

    def _look_around(self) -> None:
        rows = self._network.margins
        floors = self._sure.bound(
            rows, self._whole, self._sure.adaptive(self._whole).of_each(len(rows.constant))
        ).points
        self._see(*look_around(self._sure, rows, floors))

    def _begin(self) -> None:
        whole = tightened((self._fast, self._sure), self._whole, self._each)
        root, rows = Subregion(whole.signs[0].to(torch.int8), found=whole), self._network.margins
        chosen, _ = self._fast.ascend(rows, whole, self._fast.adaptive(whole).of_each(len(rows.constant)), ROOT_STEPS)
        found = self._sure.bound(rows, whole, chosen)
        self._see(*descend(self._sure, rows, found.points, ROOT_ROUNDS))
        for row, value in enumerate(found.values.nan_to_num(nan=-torch.inf).tolist()):
            self._keep(Domain(value, self._new(), row, root.signs, root, chosen.at(row)), whole.free[0])
        self.domains += len(found.values)

    def _split(self, parents: list[Domain]) -> tuple[tuple[Known, Multipliers], Tensor, Tensor, Tensor]:
        fast, leaks = self._fast, self._fast.network.leaks
        rows = self._network.margins[torch.tensor([parent.row for parent in parents])]
        known = Known.joined([parent.part.known() for parent in parents]).chosen(
            torch.stack([parent.signs for parent in parents])
        )
        chosen = Multipliers(*(torch.stack(list(values)) for values in zip(*(p.chosen for p in parents), strict=True)))
        family = babsr.SplitFamily(rows.to(torch.float32), known, chosen, fast.bound(rows, known, chosen))
        split, which = babsr.choose(fast, family), torch.arange(len(parents))
        start = Multipliers(*(torch.cat(ends) for ends in zip(*split.begun, strict=True)))
        children = Known.joined([family.child(which, split.neurons, side, leaks)[0] for side in babsr.SIDES])
        rows = rows[which.repeat(2)]
        best, _ = fast.ascend(rows, children, start, CHILD_STEPS)
        found = self._sure.bound(rows, children, best)
        leaves = ((found.values <= 0) & ~children.free.any(1)).nonzero()[:, 0]
        if len(leaves):
            ends, _ = fast.ascend(rows[leaves], children[leaves], best.of(leaves), LEAF_STEPS)
            found.values[leaves] = self._sure.bound(rows[leaves], children[leaves], ends).values
        seen, _ = margins(self._sure, rows, found.points)
        nearest = seen.topk(min(DESCENTS, len(seen)), largest=False).indices
        sizes, points = descend(self._sure, rows[nearest], found.points[nearest], ROUNDS)
        return (children, best), found.values, points, sizes

    def _look_closer(self) -> None:
        """Find intervals of parts anew, for as many passes as splitting has taken at the most."""
        while (part := self._parts.next()) is not None:
            known = part.known().chosen(part.signs[None])
            needed = passes(known, self._network.ends[0])
            if self._passes + needed > PASSES_A_DOMAIN * self.domains:
                return
            self._passes += needed
            part.found = tightened((self._fast, self._sure), known, self._each)
            self._parts.done(part)

    def _new(self) -> int:
        self._made += 1
        return self._made

    def _keep(self, domain: Domain, free: Tensor) -> None:
        """Put a domain among the open ones, unless it is proven or has no neuron (N,) that is free to be split."""
        if domain.bound > 0 or not free.any():
            self._open.close(domain.bound)
            return
        domain.part.count(1)
        self._open.add(domain)

    def _see(self, values: Tensor, points: Tensor) -> None:
        at = int(values.argmin())
        if float(values[at]) < self.least:
            self.least, self.point = float(values[at]), points[at].clone()
