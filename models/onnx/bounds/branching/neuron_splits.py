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
from models.onnx.bounds.branching.frontier import Frontier
from models.onnx.bounds.branching.reduced import Reduced
from models.onnx.bounds.branching.searches import EachPart

PASS, PASSES = 32, 2  # domains that are split together, and how many such passes a round has at the most
ROOT_STEPS, CHILD_STEPS = 40, 20  # of ascent
TIGHTENING, BUCKET = 20, 64  # steps of ascent for a neuron's interval, neurons that take them together
DESCENTS, ROUNDS = 8, 4  # points of a pass that are followed down, and how far
LEAF_STEPS = 300  # for a domain whose neurons all have a side: what its multipliers do not close stays open
HELD = 2**26  # numbers kept of all open domains; beyond, those nearest to being closed come first


@dataclass(frozen=True, order=True, slots=True)
class Domain:
    """A domain is what is left of a region on the chosen sides of some neurons, with a margin's bound there."""

    bound: float
    order: int  # in which it was made: no two are alike
    row: int = field(compare=False)  # of the margins
    signs: Tensor = field(compare=False)  # (N,) int8
    chosen: Multipliers = field(compare=False)  # (N,) float32 each


class NeuronSearch:
    """A neuron search looks for the least of a region's margins: first at points, then in a domain a margin, and on."""

    def __init__(self, network: Reduced, ball: CutBall, each: EachPart) -> None:
        self._ball, self._each, self._network = ball, each, network
        self._fast, self._sure = (Bounding(network, ball, dtype) for dtype in (torch.float32, torch.float64))
        self._open: Frontier[Domain] = Frontier(HELD // (3 * max(1, len(self._network.lower))))
        self._made = 0
        self.domains = 0
        self.least, self.point = float("inf"), ball.x
        self._look_around()

    @property
    def bound(self) -> float:
        return self._open.bound if self.domains else -float("inf")

    @property
    def is_over(self) -> bool:
        return self.domains > 0 and not self._open

    @property
    def next_round(self) -> int:
        """Count the domains that going on would bound; the first, a margin each, come with the region."""
        return 2 * min(len(self._open), PASS * PASSES)

    def go_on(self) -> None:
        """Bound the region; from then on split the weakest domains, and bound their children."""
        if not self.domains:
            self._begin()
            return
        parents = self._open.take(PASS * PASSES)
        parts = [parents[start : start + PASS] for start in range(0, len(parents), PASS)]
        for part, (children, values, points, sizes) in zip(parts, self._each(self._split, parts), strict=True):
            for at in range(len(values)):
                parent = part[at % len(part)]
                value = max(parent.bound, float(values[at]))
                self._keep(value, parent.row, children[0], children[1], at)
            self._see(sizes, points)
            self.domains += len(values)

    def _look_around(self) -> None:
        known = self._known(torch.zeros(len(self._network.margins.constant), len(self._network.lower)))
        rows = self._network.margins
        self._see(*look_around(self._sure, rows, self._sure.bound(rows, known, self._sure.adaptive(known)).points))

    def _begin(self) -> None:
        self._network = tightened(self._network, self._ball, self._each)
        self._fast, self._sure = (Bounding(self._network, self._ball, each) for each in (torch.float32, torch.float64))
        rows = self._network.margins
        known = Known(self._network.lower[None], self._network.upper[None], torch.zeros_like(self._network.lower)[None])
        start = Multipliers(*(value.expand(len(rows.constant), -1) for value in self._fast.adaptive(known)))
        chosen, _ = self._fast.ascend(rows, known, start, ROOT_STEPS)
        found = self._sure.bound(rows, known, chosen)
        self._see(*descend(self._sure, rows, found.points, ROOT_ROUNDS))
        for row, value in enumerate(found.values.tolist()):
            self._keep(value, row, known, chosen, row)
        self.domains += len(found.values)

    def _split(self, parents: list[Domain]) -> tuple[tuple[Known, Multipliers], Tensor, Tensor, Tensor]:
        network, fast, leaks = self._network, self._fast, self._fast.network.leaks
        rows = network.margins[torch.tensor([parent.row for parent in parents])]
        known = self._known(torch.stack([parent.signs for parent in parents]))
        chosen = Multipliers(*(torch.stack(list(values)) for values in zip(*(p.chosen for p in parents), strict=True)))
        family = babsr.SplitFamily(rows.to(torch.float32), known, chosen, fast.bound(rows, known, chosen))
        split, which = babsr.choose(fast, family), torch.arange(len(parents))
        start = Multipliers(*(torch.cat(ends) for ends in zip(*split.begun, strict=True)))
        signs = [family.child(which, split.neurons, side, leaks)[0].signs for side in babsr.SIDES]
        children = self._known(torch.cat(signs))
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

    def _known(self, signs: Tensor) -> Known:
        lower, upper = self._network.lower.expand(signs.shape), self._network.upper.expand(signs.shape)
        return Known(
            torch.where(signs > 0, lower.clamp(min=0), lower), torch.where(signs < 0, upper.clamp(max=0), upper), signs
        )

    def _keep(self, bound: float, row: int, known: Known, chosen: Multipliers, at: int) -> None:
        """Put the domain at a place of a family among the open ones, unless it is proven or has nothing to split."""
        place = min(at, len(known.signs) - 1)
        if bound > 0 or not known.free[place].any():
            self._open.close(bound)
            return
        own = Multipliers(*(value[at].clone() for value in chosen))
        self._open.add(Domain(bound, self._made, row, known.signs[place].to(torch.int8), own))
        self._made += 1

    def _see(self, values: Tensor, points: Tensor) -> None:
        at = int(values.argmin())
        if float(values[at]) < self.least:
            self.least, self.point = float(values[at]), points[at].clone()


def tightened(network: Reduced, ball: CutBall, each: EachPart) -> Reduced:
    """Ascend for the interval of every neuron behind the first layer, layer by layer, and keep what is tighter."""
    fast, sure = (Bounding(network, ball, dtype) for dtype in (torch.float32, torch.float64))
    lower, upper = network.lower.clone(), network.upper.clone()
    for layer in network.layers[1:]:
        known = Known(lower[None].clone(), upper[None].clone(), torch.zeros_like(lower)[None])
        neurons = torch.arange(layer.start, layer.stop)
        sides = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat_interleave(len(neurons))
        both = neurons.repeat(2)

        def least(part: Tensor, known: Known = known, both: Tensor = both, sides: Tensor = sides) -> Tensor:
            rows = network.neurons[both[part]].times(sides[part])
            start = Multipliers(*(value.expand(len(part), -1) for value in fast.adaptive(known)))
            return sure.bound(rows, known, fast.ascend(rows, known, start, TIGHTENING)[0]).values

        parts = torch.split(torch.arange(len(both)), BUCKET)
        found = torch.cat([torch.zeros(0, dtype=torch.float64), *each(least, parts)])
        lower[layer] = torch.maximum(lower[layer], found[: len(neurons)])
        upper[layer] = torch.maximum(lower[layer], torch.minimum(upper[layer], -found[len(neurons) :]))
    return Reduced(network.neurons, network.margins, network.leaks, network.ends, lower, upper)
