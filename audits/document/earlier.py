"""The words of the first reports, which knew one score and one smoothed certificate, each by its name.

Readers still find them in every report, written from `estimates`; where a document has nothing else, `estimates` are
read from them.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from algorithms.seam.claims import Kind
from audits.document.estimates import EstimateSummary, SampleEstimate

SCORE, SMOOTHING, BASELINE = "clever", "smoothing", "noise"
_FIGURES = {"max_sample_score": "max", "radius": "radius", "shape": "shape", "ks_p": "ks_p", "end_point": "end_point"}

Told = TypeVar("Told", SampleEstimate, EstimateSummary)


def columns(estimates: Mapping[str, SampleEstimate]) -> dict[str, Any]:
    """Writes a row's columns. They show the first smoothed certificate: each belongs to a classifier of its own."""
    score, smoothed = estimates.get(SCORE), _first_smoothed(estimates)
    figures = score.figures if score else {}
    return {
        "clever": score and score.value,
        "clever_interval": score and score.interval,
        "clever_status": score and score.status,
        **{f"clever_{short}": figures.get(name) for name, short in _FIGURES.items()},
        "smoothed": smoothed and smoothed.value,
        "smoothed_confidence": smoothed and smoothed.confidence,
    }


def spreads(estimates: Mapping[str, EstimateSummary]) -> dict[str, Any]:
    """Writes a summary's fields, likewise."""
    score, smoothed = estimates.get(SCORE), _first_smoothed(estimates)
    return {
        "clever": score and score.value,
        "clever_median_interval": score and score.median_interval,
        "clever_samples": (score.samples if score else None) or 0,
        "clever_statuses": score.statuses if score else {},
        "smoothed": smoothed and smoothed.value,
    }


def row_with_estimates(row: Any) -> Any:
    """Adds to a row, as it was read, the estimates that only its columns tell of."""
    if not isinstance(row, Mapping) or "estimates" in row:
        return row
    told: dict[str, Any] = {}
    figures = {
        name: row[f"clever_{short}"] for name, short in _FIGURES.items() if row.get(f"clever_{short}") is not None
    }
    if figures or row.get("clever") is not None or row.get("clever_status") is not None:
        parts = {name: row.get(f"clever_{name}") for name in ("interval", "status")}
        told[SCORE] = {"kind": Kind.ESTIMATE, "value": row.get("clever"), "figures": figures, **parts}
    if row.get("smoothed") is not None:
        confidence = row.get("smoothed_confidence")
        told[SMOOTHING] = {"kind": Kind.SMOOTHED_LOWER_BOUND, "value": row["smoothed"], "confidence": confidence}
    return {**row, "estimates": told}


def summary_with_estimates(summary: Any) -> Any:
    """Adds to a summary, likewise. How many samples had a smoothed radius the first reports did not count."""
    if not isinstance(summary, Mapping) or "estimates" in summary:
        return summary
    told: dict[str, Any] = {}
    if summary.get("clever") is not None or summary.get("clever_statuses"):
        told[SCORE] = {
            "kind": Kind.ESTIMATE,
            "samples": summary.get("clever_samples"),
            "value": summary.get("clever"),
            "median_interval": summary.get("clever_median_interval"),
            "statuses": summary.get("clever_statuses", {}),
        }
    if summary.get("smoothed") is not None:
        told[SMOOTHING] = {"kind": Kind.SMOOTHED_LOWER_BOUND, "samples": None, "value": summary["smoothed"]}
    return {**summary, "estimates": told}


def closure_by_share(closure: Any) -> Any:
    """Renames the value of a closure that was a rate and nothing more."""
    if not isinstance(closure, Mapping) or "value" not in closure:
        return closure
    return {"share": closure["value"], "low": closure["low"], "high": closure["high"]}


def job_with_baseline(job: Any) -> Any:
    """Adds to a job whether its method is the baseline: there was one, and its name told it."""
    if not isinstance(job, Mapping) or "is_baseline" in job:
        return job
    return {**job, "is_baseline": job.get("method") == BASELINE}


def _first_smoothed(estimates: Mapping[str, Told]) -> Told | None:
    return next((told for told in estimates.values() if told.kind is Kind.SMOOTHED_LOWER_BOUND), None)
