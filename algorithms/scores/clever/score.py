"""CLEVER: a score for robustness, margin over the estimated largest gradient norm nearby (Weng et al., ICLR 2018).

N_b batches of N_s points are drawn in a ball around the sample; one Jacobian a point serves every rival and every norm;
only each batch's largest norms are kept, and the law fitted to them estimates the largest norm of all.

Where we depart from the paper and its code, after measuring: each norm samples its own ball; the points are radially
uniform, so that all scales are met; the radius follows the sample's own scale (`auto`); the radius caps the score, as
in the paper and unlike the code. `preset: paper` is the paper's scheme. N_s changes what is estimated, so scores of
different presets are not comparable.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Method, Params
from algorithms.scores.clever.lipschitz import fit_p_value, score, score_interval
from algorithms.scores.clever.neighborhood import STEPS, Neighborhood
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Abstained, Details, Estimate, Kind
from algorithms.seam.cost import Cost
from algorithms.seam.streams import BLOCK
from algorithms.seam.threat import Threat
from algorithms.searches.rivals import reach

LEVEL = 0.95  # of the interval
REJECTED = 0.001  # p-value below which the code of Weng et al. discards a fit; we keep it and warn
FEW = 20  # batches: a law fitted to fewer maxima means little
VANISHED = 1e30  # a first-order distance this long: the gradient is rounding, or nothing

CENTER, WALK, BATCHES = 0, 1, 1 + len(STEPS)  # counters of the stream: the batches' are the same for every radius

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"batches": 50, "batch_size": 128},
    "standard": {"batches": 100, "batch_size": 512},
    "paper": {"batches": 500, "batch_size": 1024, "radius": 5.0, "sampling": "uniform"},
}


class CleverParams(Params):
    """Parameters name a preset, any of whose numbers may be given instead."""

    name: Literal["clever"] = "clever"
    preset: Literal["quick", "standard", "paper"] = "quick"
    batches: int = Field(50, ge=1, le=2000, description="N_b: maxima the law is fitted to. 50, 100, 500 by preset")
    batch_size: int = Field(128, ge=1, le=65_536, description="N_s: points a maximum. 128, 512, 1024 by preset")
    radius: Literal["auto"] | Annotated[float, Field(gt=0, le=1e6)] = Field(
        "auto", description="R of the sampled ball, in its own norm; auto: about where the score equals R. paper: 5"
    )
    sampling: Literal["radial", "uniform"] = Field(
        "radial", description="points uniform in their distance, or in the ball's volume. paper: uniform"
    )
    ball: Literal["own", "l2"] = Field(
        "own", description="own: the ball of threat.norm; l2: as the authors' code has it"
    )
    rivals: Literal["all"] | Annotated[int, Field(ge=1)] = Field(
        "all", description="untargeted: every other class, or this many with the highest logits"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("preset"), str):
            return PRESETS.get(given["preset"], {}) | given
        return given


def minimum(params: CleverParams, threat: Threat) -> Cost:
    """Count the clean row; the gradient at the sample, the longest walk to a radius, and every batch."""
    del threat
    walk = len(STEPS) * BLOCK if params.radius == "auto" else 0
    return Cost(queries=1, gradients=1 + walk + params.batches * params.batch_size)


def run(case: Case, threat: Threat, params: CleverParams) -> Conversation:
    """End in an Estimate, or in Abstained: `gradient_masked` or `gradient_not_finite`."""
    near = Neighborhood.of(
        case,
        threat,
        ball=threat.norm if params.ball == "own" else Norm.L2,
        sampling=params.sampling,
        most=None if params.rivals == "all" else params.rivals,
    )
    yield (yield from _measure(near, params))


def _measure(near: Neighborhood, params: CleverParams) -> Step[Estimate | Abstained]:
    facts: Details = {
        "rivals_evaluated": len(near.rivals),
        "batch_size": params.batch_size,
        "ball": near.ball.value,
        "sampling": params.sampling,
    }
    met: Numbers = (yield from near.largest_norms(0.0, 1, CENTER))[near.row]  # (r,): the gradient at the sample itself
    if np.isnan(met).any():
        return Abstained("gradient_not_finite", details=facts)
    first_order = near.shown(met)
    facts["first_order_distance"] = first_order if first_order < VANISHED else None
    if near.margins.min() <= 0 and met.any():
        return Estimate(0.0, details=facts | _on_the_boundary(near))
    radius = params.radius
    if radius == "auto":
        if first_order >= VANISHED:  # nothing to take a scale from
            return Abstained("gradient_masked", details=facts)
        radius, met = yield from near.walk(met, WALK)
        if np.isnan(met).any():
            return Abstained("gradient_not_finite", details=facts)
    maxima = yield from _batches(near, radius, params)
    facts |= {"radius": radius, "clipped": near.is_clipped(radius), "batches_used": len(maxima)}
    if np.isnan(maxima).any():
        return Abstained("gradient_not_finite", details=facts)
    if not maxima.any():
        return Abstained("gradient_masked", details=facts)
    value, reading = _read(near, maxima, radius)
    reading["warnings"] = list(_warnings(near, maxima, value, first_order, reading["ks_p"]))
    return Estimate(value, details=facts | reading)


def _batches(near: Neighborhood, radius: float, params: CleverParams) -> Step[Numbers]:
    """The largest norms of each batch, (batches, 3, r). Ends with the first batch that has a NaN."""
    maxima: list[Numbers] = []
    counters = math.ceil(params.batch_size / BLOCK)  # that one batch uses
    for i in range(params.batches):
        maxima.append((yield from near.largest_norms(radius, params.batch_size, BATCHES + i * counters)))
        if np.isnan(maxima[-1]).any():
            break
    return np.stack(maxima)


def _read(near: Neighborhood, maxima: Numbers, radius: float) -> tuple[float, Details]:
    """The score in the threat's norm, and what there is to say about it."""
    scores = {norm: score(near.margins, maxima[:, i], near.cap(norm, radius)) for i, norm in enumerate(NORMS)}
    cap, asked = near.cap(near.threat.norm, radius), scores[near.threat.norm]
    y = maxima[:, near.row, asked.rival]  # (batches,)
    plain = reach(near.margins, maxima[:, near.row].max(axis=0)).min()
    return asked.value, {
        "status": asked.status,
        "interval": list(score_interval(near.margins[asked.rival], y, cap, level=LEVEL)),
        "interval_level": LEVEL,
        "max_sample_score": min(float(plain), cap),
        "rival": int(near.rivals[asked.rival]),
        "shape": asked.shape,
        "ks_p": fit_p_value(y),
        "end_point": asked.end_point,
        "max_gradient_norm": float(y.max()),
        "by_norm": {norm.value: {"value": s.value, "status": s.status} for norm, s in scores.items()},
    }


def _on_the_boundary(near: Neighborhood) -> Details:
    """A rival has the same logit: the score is 0 whatever the gradients are, and none is asked for."""
    unknown = ("shape", "ks_p", "end_point", "max_gradient_norm", "radius", "clipped")
    return dict.fromkeys(unknown) | {
        "status": "degenerate",
        "interval": [0.0, 0.0],
        "interval_level": LEVEL,
        "max_sample_score": 0.0,
        "rival": int(near.rivals[near.margins.argmin()]),
        "batches_used": 0,
        "warnings": [],
        "by_norm": {norm.value: {"value": 0.0, "status": "degenerate"} for norm in NORMS},
    }


def _warnings(
    near: Neighborhood, maxima: Numbers, value: float, first_order: float, p_value: float | None
) -> Iterator[str]:
    if len(maxima) < FEW:
        yield "few_batches"
    if np.any(maxima == 0):
        yield "gradient_partly_masked"  # a batch, or a rival, without any gradient
    if p_value is not None and p_value < REJECTED:
        yield "fit_rejected"
    if value > 1.001 * first_order:
        yield "above_first_order_distance"  # no largest norm over the ball is below the one at its center
    if value > near.farthest_input():
        yield "beyond_box"


METHOD = Method(
    name="clever",
    version="1",
    family="score",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="refused",
    proves=Kind.ESTIMATE,
    reference="Weng et al., Evaluating the Robustness of Neural Networks, ICLR 2018, arXiv:1801.10578",
    params=CleverParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=CleverParams(batches=4, batch_size=8),
    chunk=2,
    reported=("max_sample_score", "radius", "shape", "ks_p", "end_point"),
)
