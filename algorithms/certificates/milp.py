"""The exact distance of the nearest adversarial input of a piecewise linear network, by mixed-integer programming.

Tjeng, Xiao, Tedrake, Evaluating Robustness of Neural Networks with Mixed Integer Programming, ICLR 2019,
arXiv:1711.07356. Within a ball, each rectifier whose sign is not known there is a binary; the program's least cost is
the distance. The program lives with the model (`models/onnx/bounds/programs/`), which searches it node by node.

    a ball from what is known -> its program, a few nodes at a time -> what it finds, asked of the model
    -> a smaller ball where the point found is much nearer, a larger one where the ball is proven

Departures: bounds of every neuron are CROWN's. The binaries are projected out of the relaxation, and branched on by its
own rule; every node's bound is proven anew from the solver's multipliers, in safe arithmetic, and covers float32.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from pydantic import Field

from algorithms.mathematics.norms import NORMS
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Abstained, Details, Exact, LowerBound, Note, UpperBound
from algorithms.seam.cost import Cost
from algorithms.seam.labeling import is_fooled
from algorithms.seam.questions.labels import AskLabels
from algorithms.seam.questions.margins import AskMargins, Region
from algorithms.seam.questions.nearest import AskNearest, Search, Vicinity
from algorithms.searches.proofs.radius import BESIDE, first_order_distance
from algorithms.threats.threat import Threat

BEHIND = 1 + np.concatenate([[0.0], np.geomspace(1e-6, 0.3, 12)])  # how far behind a point the model is asked, too
WIDER = 1.5  # than first order says, the first ball; and twice as wide each next one
NEARER = 0.75  # of the ball: a point so near is worth a smaller ball, where more signs are known
FLAT = 1 / 16  # of the farthest input, the first ball around a sample whose margin falls nowhere
BALLS = 40  # tried at the most
BARELY = 1e-9  # by which a ball at an epsilon is larger


class MilpParams(Params):
    name: Literal["milp"] = "milp"
    nodes: int = Field(2000, ge=1, le=1_000_000, description="linear programs solved at most, all balls together")
    unsettled: int = Field(
        300, ge=1, le=2000, description="values at the most that may be on either side of a bend in the ball"
    )


def minimum(params: MilpParams, threat: Threat) -> Cost:
    """Count the clean row, a point, and the final re-query."""
    del params, threat
    return Cost(queries=3)


def run(case: Case, threat: Threat, params: MilpParams) -> Conversation:
    """End in Exact where the search closes; else in both ends as far as they have come."""
    quest = _Quest(case, threat, params)
    if case.hint.point is not None:
        yield from quest.confirm(case.hint.point)
    if threat.epsilon is not None:
        search = yield from quest.search(threat.epsilon * (1 + BARELY))
    else:
        search = yield from _nearest(quest, (yield from quest.first_ball()))
    yield from quest.conclude(search)


def _nearest(quest: "_Quest", reach: float) -> Step[Search]:
    """Search in balls of several sizes, until one holds the nearest point for sure."""
    farthest, refused = quest.farthest, np.inf
    for _ in range(BALLS):
        search = yield from quest.search(reach)
        if search.refused:
            if search.refused != "too_many_unsettled":
                break
            refused, reach = reach, (np.sqrt(reach * quest.lower) if quest.lower else reach / 2)
            if reach < quest.lower / NEARER:
                break
        elif not search.is_over and quest.reached < NEARER * reach:
            reach = quest.reached
        elif not search.is_over or search.lower < reach * (1 - BARELY) or reach >= farthest:
            break
        else:
            reach = min(2 * reach, farthest, np.sqrt(reach * refused))
    return search


@dataclass
class _Quest:
    """A quest is what is known of one sample so far."""

    case: Case
    threat: Threat
    params: MilpParams
    lower: float = 0.0  # nothing nearer is answered otherwise
    reached: float = np.inf  # at that distance the model answers otherwise
    point: Rows | None = None
    nodes: int = 0  # of searches that have ended
    details: Details = field(default_factory=dict)

    @property
    def farthest(self) -> float:
        return float(self.threat.farthest(self.case.x[None])[0])

    def first_ball(self) -> Step[float]:
        """Choose the radius of the first ball: what others reached, or a guess from the margins' fall."""
        case = self.case
        if (known := min(self.reached, case.hint.reached)) < np.inf:
            return known
        others = [j for j in range(case.classes) if j != case.label] if case.target is None else [case.target]
        rows, label, rivals = case.x[None], np.array([case.label]), np.array([others])
        margins = []
        for radius in (0.0, BESIDE):
            region = Region(rows, np.array([radius]), self.threat)
            margins.append((yield from AskMargins(region, label, rivals, "crown")))
        first = float(first_order_distance(*margins)[0])
        flat = FLAT * self.farthest if np.isfinite(self.farthest) else 1.0
        return min(self.farthest, max(WIDER * first if np.isfinite(first) else flat, 2 * case.hint.proven))

    def search(self, reach: float) -> Step[Search]:
        """Search one ball, to its end or as far as nodes last, or until a point is found that makes it too large."""
        around = Vicinity(self.case.x, self.case.label, self.case.target, self.threat, reach)
        search: Search | None = None
        while search is None or not (
            search.refused or search.is_over or search.nodes >= self.params.nodes - self.nodes
        ):
            left = self.params.nodes - self.nodes
            search = yield from AskNearest(around, search, left, self.reached, self.params.unsettled)
            self.details = {"nodes": self.nodes + search.nodes, "unsettled": search.unsettled, "ball": reach}
            yield Note(self.details)
            if search.lower > self.lower:
                self.lower = search.lower
                yield LowerBound(self.lower)
            if search.point is not None:
                yield from self.confirm(search.point)
                if self.threat.epsilon is None and self.reached < NEARER * reach and not search.is_over:
                    break
        self.nodes += search.nodes
        return search

    def confirm(self, point: Rows) -> Conversation:
        """Ask the model about a point, and farther and farther behind it; claim the first that it answers otherwise."""
        x = self.case.x.astype(np.float64)
        for share in BEHIND:
            row = np.asarray(self.threat.clip((x + share * (point - x))[None], self.case.x))
            away = self.threat.distance(row[0], self.case.x)
            if not away < self.reached:
                return
            if is_fooled((yield from AskLabels(row)), self.case.label, self.case.target)[0]:
                self.reached, self.point = away, row[0]
                yield UpperBound(self.point)
                return

    def conclude(self, search: Search) -> Conversation:
        """Claim what is known at the end, and say whether the search got there."""
        told: Details = {"closed": search.is_over}
        if search.refused:
            told |= {"refused": search.refused, "operator": search.operator, "most": self.params.unsettled}
        yield Note(details={**self.details, **told})
        if self.point is not None and search.is_over:
            yield Exact(self.point, self.lower)
        elif self.lower == 0:
            yield Abstained(search.refused or "not_proven")


METHOD = Method(
    name="milp",
    version="2",
    family="certificate",
    threat_model="white_box",
    needs=(Access.LABELS, Access.BOUNDS),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves="exact",
    reference="Tjeng, Xiao, Tedrake, Evaluating Robustness of Neural Networks with Mixed Integer Programming, "
    "ICLR 2019, arXiv:1711.07356",
    params=MilpParams,
    run=run,
    cohort=False,
    takes_hints=True,
    minimum=minimum,
    smallest=MilpParams(nodes=200),
    chunk=8,
)
