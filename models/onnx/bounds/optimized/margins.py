"""Margins of the rows of a group: all of them as they stand, and the doubtful ones after a search."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.seam.access import Labels
from algorithms.seam.questions.optimized_margins import LineShares
from models.onnx.bounds.optimized.ascent import Choice
from models.onnx.bounds.optimized.objectives import Objectives
from models.onnx.bounds.passes.regions import Regions, buckets

Classes = NDArray[np.int64]  # (m, r)

NEAREST = 16  # of a row's margins, those that are searched where they need not be: so that radii can be compared
KEPT = 2**20  # shares of a row that are handed on


@dataclass(frozen=True)
class Rivalry:
    """A rivalry is all margins of a group: each row's label against each of its rivals."""

    regions: Regions
    labels: Labels  # (m,)
    rivals: Classes

    def least(self) -> Tensor:
        """Bound all margins from below as they stand, (m, r): the better of linear and constant bounds."""
        regions, count = self.regions, self.rivals.size
        parts = buckets(count, regions.bucket, regions.device)
        found = regions.each(lambda places: regions.least_gap(*self._classes(places)), parts)
        return torch.cat(list(found))[:count].reshape(self.rivals.shape)

    def best(self, starts: Sequence[LineShares | None], steps: int) -> tuple[Tensor, list[LineShares | None]]:
        """Bound them after a search of those not proven, and of the least of each row. Returns where these ended."""
        regions, found = self.regions, self.least()
        places = _doubtful(found).flatten().nonzero()[:, 0]  # among all m r
        parts = list(buckets(len(places), regions.ascent_bucket, regions.device))

        def climb(part: Tensor) -> tuple[Tensor, Choice]:
            rows, ours, theirs = self._classes(places[part])
            objectives = Objectives(regions, regions.plan.output, regions.gaps(ours, theirs), rows)
            start = objectives.start()
            return objectives.best(start.moved_to(self._known(places[part], starts)), steps)

        ended: list[LineShares | None] = [None] * len(found)
        for part, (least, choice) in zip(parts, regions.each(climb, parts), strict=True):
            at = places[part]
            found.view(-1)[at] = torch.maximum(found.view(-1)[at], least)
            if choice.shares:
                self._keep(ended, at, choice.packed())
        return found, ended

    def _classes(self, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """-> rows, ours, theirs (B,) of margins counted through all rows"""
        rows = places // self.rivals.shape[1]
        ours, theirs = (torch.from_numpy(values).to(places.device) for values in (self.labels, self.rivals.reshape(-1)))
        return rows, ours[rows], theirs[places]

    def _known(self, places: Tensor, starts: Sequence[LineShares | None]) -> list[NDArray[np.float32] | None]:
        """Where the search of each of these margins is to begin, (numbers,)."""
        where = (divmod(place, self.rivals.shape[1]) for place in places.tolist())
        return [None if (known := starts[row]) is None else known[column] for row, column in where]

    def _keep(self, ended: list[LineShares | None], places: Tensor, packed: Tensor) -> None:
        count, numbers = self.rivals.shape[1], packed.shape[1]
        if count * numbers > KEPT:
            return
        for place, shares in zip(places.tolist(), packed.to(torch.float32).cpu().numpy(), strict=True):
            row, column = divmod(place, count)
            kept = ended[row]
            if kept is None:
                kept = ended[row] = np.full((count, numbers), np.nan, np.float32)
            kept[column] = shares


def _doubtful(found: Tensor) -> Tensor:
    """Tell which margins (m, r) are not proven, or among the least of their row."""
    last = min(NEAREST, found.shape[1]) - 1
    return ~(found > 0) | (found <= found.sort(dim=1).values[:, last : last + 1])
