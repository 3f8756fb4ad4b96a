"""Plain noise: random points around the sample, and no search at all. The baseline that every attack has to beat.

Carlini et al., On Evaluating Adversarial Robustness, 2019, arXiv:1902.06705, section 4.14: where noise of the same size
already fools a model, nobody needs to be an adversary.

Points are uniform on the norm's sphere (cone measure), clipped to the box. At a given radius the sphere has that
radius. Without one it starts small and is doubled until a point fools the model; that point is pulled back towards the
sample, and the next points are drawn at the distance it reached.

In l1 that is all but never near a corner of the ball, where one feature moves alone and a flat boundary is nearest. So
there every other block is of corners, in an order drawn by lot.

In l0 a point changes as many features as the radius says, chosen by lot, each to an end of its side or to any value
between. What is pulled back is their number: changes are undone in an order drawn by lot.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind, UpperBound
from algorithms.seam.cost import Cost
from algorithms.seam.labeling import is_fooled
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.labels.line import FewerChanges, Segment, halve
from algorithms.threats.threat import Threat

BLOCK = 8  # points asked at once, all at one radius
FIRST_SHARE = 0.01  # of the way to the farthest point of the box: the first radius
ORDER = 1_000_000  # the draw of the order of corners: no block has so high a number
CLOSER = 0.05  # by which each round of corners is nearer than the last: no row is asked twice
HALVINGS = 6  # of the segment from the sample to a success


Draw = Callable[[Case, Threat[Any], float, int], Rows]  # (case, threat, radius, number of the block) -> (BLOCK, *shape)


class NoiseParams(Params):
    name: Literal["noise"] = "noise"
    points: int = Field(1_000, ge=BLOCK, le=1_000_000, description="random points in all, one query each")


def minimum(params: NoiseParams, threat: Threat[Any]) -> Cost:
    """Count the clean row, one block, the final re-query."""
    del params, threat
    return Cost(queries=BLOCK + 2)


def run(case: Case, threat: Threat[Norm | Counting], params: NoiseParams) -> Conversation:
    """Draw block by block until the points are spent, or one at the radius asked for was a success; claim successes."""
    if isinstance(threat.norm, Counting):
        yield from _draw_all(case, threat, params, _draw_changed)
    else:
        yield from _draw_all(case, threat, params, _corners_too(case) if threat.norm is Norm.L1 else _draw)


def _run_first(case: Case, threat: Threat[Any], params: NoiseParams) -> Conversation:
    yield from _draw_all(case, threat, params, _draw)


def _draw_all(case: Case, threat: Threat[Any], params: NoiseParams, draw: Draw) -> Conversation:
    farthest, step = _farthest(case, threat), 1.0 if isinstance(threat.norm, Counting) else 0.0
    reached = np.inf
    radius = max(step, FIRST_SHARE * farthest) if threat.epsilon is None else threat.epsilon
    for number in range(params.points // BLOCK):
        rows = draw(case, threat, radius, number)
        hits = np.flatnonzero(is_fooled((yield from AskLabels(rows)), case.label, case.target))
        if len(hits):
            nearest = min((rows[i] for i in hits), key=lambda row: threat.distance(row, case.x))
            reached = yield from _halve_back(case, threat, nearest, number)
            if threat.epsilon is not None or reached == step:
                return
            radius = reached - step
        elif threat.epsilon is None and not np.isfinite(reached):
            radius = min(2 * radius, farthest)


def _farthest(case: Case, threat: Threat[Any]) -> float:
    """To the farthest valid input; where there is none, a hundred times the sample's own size."""
    away = float(threat.farthest(case.x[None])[0])
    return away if np.isfinite(away) else 100 * max(1.0, float(threat.lengths(case.x[None])[0]))


def _draw(case: Case, threat: Threat, radius: float, number: int) -> Rows:
    """(BLOCK, *shape)"""
    offsets = threat.draw_on_sphere(case.stream.at(number), BLOCK, case.x.shape, radius=radius)
    rows: Rows = threat.clip(case.x + offsets, case.x)
    return rows


def _draw_changed(case: Case, threat: Threat[Counting], count: float, number: int) -> Rows:
    """(BLOCK, *shape)"""
    return threat.draw_changed(case.stream.at(number), BLOCK, case.x, count=count)


def _corners_too(case: Case) -> Draw:
    """Make the draw in which every odd block moves one feature a row, up or down, in rounds over all of them."""
    d = math.prod(case.x.shape)
    order = case.stream.at(ORDER).permutation(2 * d)

    def draw(case: Case, threat: Threat, radius: float, number: int) -> Rows:
        if number % 2 == 0:
            return _draw(case, threat, radius, number)
        round_, turn = np.divmod(number // 2 * BLOCK + np.arange(BLOCK), 2 * d)
        corners, far = order[turn], radius / (1 + CLOSER * round_)
        offsets = np.zeros((BLOCK, d))
        offsets[np.arange(BLOCK), corners % d] = np.where(corners < d, far, -far)
        rows: Rows = threat.clip(case.x + offsets.reshape(BLOCK, *case.x.shape), case.x)
        return rows

    return draw


def _halve_back(case: Case, threat: Threat[Any], far: Rows, number: int) -> Step[float]:
    """Claim the point, then all adversarial ones on the way back to the sample. Returns the distance reached."""

    def ask(row: Rows) -> Step[bool]:
        fooled = bool(is_fooled((yield from AskLabels(row[None])), case.label, case.target)[0])
        if fooled:
            yield UpperBound(row)
        return fooled

    yield UpperBound(far)
    if isinstance(threat.norm, Counting):
        order = 1.0 + case.stream.at(ORDER + number).permutation(np.arange(float(case.x.size)))
        fewer = FewerChanges(case.x, far, threat, order)
        share = yield from halve(fewer, ask, halvings=int(fewer.length).bit_length(), ends_at_rounding=True)
        return threat.distance(fewer.at(share), case.x)
    segment = Segment(case.x, far, threat)
    share = yield from halve(segment, ask, halvings=HALVINGS)
    return threat.distance(segment.at(share), case.x)


_NEWEST = Method(
    name="noise",
    version="2",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(*NORMS, Counting.L0),
    goals=("untargeted",),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Carlini et al., On Evaluating Adversarial Robustness, 2019, arXiv:1902.06705",
    params=NoiseParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=NoiseParams(points=400),
    chunk=100,
    is_baseline=True,
    keeps_lattice=True,
)
METHOD = replace(_NEWEST, earlier=(replace(_NEWEST, version="1", norms=NORMS, run=_run_first),))
