"""The conversation of second-order CLEVER: the sample, scouts, batches, and what is read from their maxima."""

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.scores.clever_second_order.curvature import Curvature
from algorithms.scores.clever_second_order.params import SecondOrderParams
from algorithms.scores.clever_second_order.reading import LEVEL, read
from algorithms.scores.clever_second_order.vicinity import SmoothVicinity
from algorithms.seam.case import Case, Step
from algorithms.seam.claims import Abstained, Details, Estimate
from algorithms.searches.boundaries.rivals import rivals_of
from algorithms.threats.threat import Threat

VANISHED = 1e30  # a distance this long: gradient and curvature are rounding, or nothing
FEW = 20  # batches: a law fitted to fewer maxima means little


def measure(case: Case, threat: Threat, params: SecondOrderParams) -> Step[Estimate | Abstained]:
    """Find a sample's score. Abstains where gradient and curvature vanish, `gradient_masked`, or are no numbers."""
    near = SmoothVicinity(case, threat, *rivals_of(case, params.rivals), Curvature(case, params.steps))
    facts: Details = {"rivals_evaluated": len(near.rivals), "batch_size": params.batch_size, "steps": params.steps}
    yield from near.look()
    if not near.is_finite:
        return Abstained("gradient_not_finite", details=facts)
    first_order = near.first_order_distance
    facts["first_order_distance"] = first_order if first_order < VANISHED else None
    if near.margins.min() <= 0:
        return Estimate(0.0, details=facts | _on_the_boundary(near))
    if params.radius == "auto" and near.distance >= VANISHED:  # nothing to take a scale from
        return Abstained("gradient_masked", details=facts)
    radius = yield from near.scout(None if params.radius == "auto" else params.radius)
    if np.isnan(radius):
        return Abstained("gradient_not_finite", details=facts)
    maxima = yield from near.batches(radius, params.batches, params.batch_size)
    if np.isnan(maxima).any():
        return Abstained("gradient_not_finite", details=facts)
    if not (near.slopes.any() or max(maxima.max(), near.met.max()) > 0):
        return Abstained("gradient_masked", details=facts)
    value, reading = _read(near, maxima, radius)
    return Estimate(value, details=facts | reading | {"batches_used": len(maxima)})


def _read(near: SmoothVicinity, maxima: Numbers, radius: float) -> tuple[float, Details]:
    found = read(near.margins, near.slopes, near.met, maxima, radius)
    farthest = float(near.threat.farthest(near.case.x[None].astype(np.float64))[0])
    warnings = {"few_batches": len(maxima) < FEW, "beyond_box": found.value > farthest}
    return found.value, found.details | {
        "radius": radius,
        "clipped": near.threat.is_cut(near.case.x, radius),
        "rival": int(near.rivals[found.rival]),
        "curvature_at_sample": float(near.center[found.rival]) + 0.0,  # no -0.0
        "warnings": [warning for warning, holds in warnings.items() if holds],
    }


def _on_the_boundary(near: SmoothVicinity) -> Details:
    """A rival has the same logit: the score is 0 whatever the curvature is, and no point is drawn."""
    rival = int(near.margins.argmin())
    unknown = ("shape", "end_point", "max_curvature", "radius", "clipped")
    return dict.fromkeys(unknown) | {
        "status": "on_the_boundary",
        "interval": [0.0, 0.0],
        "interval_level": LEVEL,
        "max_sample_score": 0.0,
        "rival": int(near.rivals[rival]),
        "curvature_at_sample": float(near.center[rival]) + 0.0,  # no -0.0
        "batches_used": 0,
        "warnings": [],
    }
