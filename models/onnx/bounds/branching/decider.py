"""Who answers `Decide`: opens a search on a region, or goes on with one, a thread each."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from algorithms.seam.questions.decisions import Decide, Decision
from algorithms.seam.questions.margins import Region
from algorithms.threads import cores
from models.onnx.bounds.branching.opening import open_search
from models.onnx.bounds.branching.searches import DomainSearch, search_on
from models.onnx.bounds.optimized.margins import Rivalry
from models.onnx.bounds.passes.plan import BoundPlan
from models.onnx.bounds.passes.regions import Regions

UNSPLIT_STEPS = 20  # of ascent

Propagated = Callable[[Region], Regions]
"""Bound every value on a region of one row, as CROWN does."""


@dataclass
class _State:
    """What goes back and forth: the search itself stays where the model lives, and with it all of its domains."""

    search: DomainSearch
    told: float = np.inf  # the least margin that was told


class Decider:
    """A decider looks through regions of one graph. `slack`: what a margin must have beyond zero."""

    def __init__(self, plan: BoundPlan, propagated: Propagated, slack: float) -> None:
        self._plan, self._propagated, self._slack = plan, propagated, slack
        self._searches, self._passes = (
            ThreadPoolExecutor(cores(), way, initializer=torch.set_num_threads, initargs=(1,))
            for way in ("searches", "passes")
        )

    def decide(self, asked: Sequence[Decide]) -> Sequence[Decision]:
        """Answer as `algorithms.seam.questions.decisions.Deciding.decide` promises."""
        return list(self._searches.map(self._answer, asked))

    def _answer(self, question: Decide) -> Decision:
        state: _State | None = question.state
        done = 0 if state is None else state.search.domains
        if state is None:
            regions = self._propagated(question.region)
            search = open_search(regions, self._margins(question), self._slack, self._passes.map)
            if search is None:
                return Decision(self._unsplit(question, regions), 1, None, None, held=0)
            state = _State(search)
        search_on(state.search, done + question.domains, state.told)
        return self._decision(question, state)

    def _unsplit(self, question: Decide, regions: Regions) -> float:
        """Bound the whole region, with lines optimized."""
        bounds, _ = Rivalry(regions, np.array([question.label]), question.rivals[None]).best([None], UNSPLIT_STEPS)
        least = float(bounds.min()) - self._slack
        return least if np.isfinite(least) else -np.inf

    def _decision(self, question: Decide, state: _State) -> Decision:
        search, witness = state.search, None
        if search.least < 0:
            witness = search.point.cpu().numpy().astype(np.float32).reshape(question.region.rows.shape[1:])
        state.told = min(state.told, search.least)
        bound = search.bound if np.isfinite(search.bound) else -np.inf
        if search.is_over:
            return Decision(bound, search.domains, witness, None, held=0)
        return Decision(bound, search.domains, witness, state, search.held)

    def _margins(self, question: Decide) -> Tensor:
        """f_label - f_rival as sums of scores, (r, scores)."""
        scores = int(np.prod(self._plan.shapes[self._plan.output]))
        found = torch.zeros(len(question.rivals), scores, dtype=torch.float64)
        found[:, question.label] += 1
        found[torch.arange(len(question.rivals)), torch.from_numpy(question.rivals)] -= 1
        return found
