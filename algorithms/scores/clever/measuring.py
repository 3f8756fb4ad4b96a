"""The conversation of CLEVER: the sample's gradient, the radius, the batches, and what is read from their maxima."""

import math
from collections.abc import Iterator

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.mathematics.streams import BLOCK
from algorithms.scores.clever.lipschitz import LEVEL, Estimator, fit_p_value, score, score_interval
from algorithms.scores.clever.neighborhood import STEPS, Neighborhood
from algorithms.scores.clever.params import CleverParams
from algorithms.seam.case import Case, Step
from algorithms.seam.claims import Abstained, Details, Estimate
from algorithms.searches.boundaries.rivals import reach
from algorithms.threats.threat import Threat

REJECTED = 0.001  # p-value below which the code of Weng et al. discards a fit; we keep it and warn
FEW = 20  # batches: a law fitted to fewer maxima means little
VANISHED = 1e30  # a first-order distance this long: the gradient is rounding, or nothing

CENTER, WALK, BATCHES = 0, 1, 1 + len(STEPS)  # counters of the stream: the batches' are the same for every radius


def neighborhood(case: Case, threat: Threat, params: CleverParams) -> Neighborhood:
    """Make the neighborhood that the parameters ask for."""
    return Neighborhood.of(
        case,
        threat,
        ball=threat.norm if params.ball == "own" else Norm.L2,
        sampling=params.sampling,
        most=None if params.rivals == "all" else params.rivals,
    )


def measure(near: Neighborhood, params: CleverParams, estimator: Estimator) -> Step[Estimate | Abstained]:
    """Find a sample's score. Abstains where gradients vanish, `gradient_masked`, or are no numbers."""
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
    value, reading = _read(near, maxima, radius, estimator)
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


def _read(near: Neighborhood, maxima: Numbers, radius: float, estimator: Estimator) -> tuple[float, Details]:
    """The score in the threat's norm, and what there is to say about it."""
    scores = {
        norm: score(near.margins, maxima[:, i], near.cap(norm, radius), estimator) for i, norm in enumerate(NORMS)
    }
    cap, asked = near.cap(near.threat.norm, radius), scores[near.threat.norm]
    y = maxima[:, near.row, asked.rival]  # (batches,)
    plain = reach(near.margins, maxima[:, near.row].max(axis=0)).min()
    return asked.value, {
        "status": asked.status,
        "interval": score_interval(near.margins[asked.rival], y, cap, estimator.restraint),
        "interval_level": LEVEL,
        "max_sample_score": min(float(plain), cap),
        "rival": int(near.rivals[asked.rival]),
        "shape": asked.shape,
        "ks_p": fit_p_value(y, estimator.restraint),
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
