"""How much worse than its baseline a model is, sample by sample. Pure."""

from dataclasses import dataclass

import numpy as np

from algorithms.mathematics.statistics import clopper_pearson
from audits.evidence.table import Flags, Table
from audits.policy.bounds import TOO_CLOSE, TOO_FEW, BoundDecision, RuleBound, of_rate, smallest
from audits.policy.metrics import LEVEL, Metric, Share
from audits.policy.policy import Rule

FALL_ALONE = "What was observed alone decided: with a confidence the drop would be inconclusive here."


@dataclass(frozen=True)
class Baseline:
    """A drop is counted from another audit's table. `obstacle`: why it cannot be compared with, in a sentence."""

    table: Table | None
    epsilon: float | None = None
    obstacle: str | None = None
    remark: str | None = None  # what else differs, likewise


def decide(
    rule: Rule, metric: Metric, at: float | None, table: Table, baseline: Baseline | None, *, epsilon: float | None
) -> BoundDecision:
    """The drop is the share that only the baseline has, less the share that only this audit has."""
    here = metric.read(table, at)
    most = rule.max_drop_from_baseline
    assert isinstance(here, Share)  # a drop has only metrics that are shares: `Rule` checks it
    assert most is not None
    interval = here.interval(rule.confidence or LEVEL)
    obstacle = _obstacle(metric, at, baseline) or _blind_spot("This audit", at, epsilon)
    if obstacle or interval is None or baseline is None or baseline.table is None:
        return BoundDecision("inconclusive", metric.evidence, detail=obstacle or "There is no sample to compare.")
    there = metric.read(baseline.table, at)
    assert isinstance(there, Share)
    before, after = _paired(baseline.table, there.flags, table, here.flags)
    if not len(after):
        return BoundDecision("inconclusive", metric.evidence, detail="The two audits share no sample.")
    level, bound = rule.confidence or LEVEL, RuleBound(most, is_floor=False, level=rule.confidence)
    drop, low, high = drop_of(before, after, level)
    verdict = bound.holds(drop, drop) if rule.confidence is None else bound.holds(low, high)
    said = f"{_told(drop, low, high, level)} on the {len(after)} samples of both audits."
    needed = None
    if rule.confidence is None and bound.holds(low, high) == "inconclusive":
        said = f"{said} {FALL_ALONE}"
    if verdict == "inconclusive":
        needed = _needed(before, after, bound)
        said = f"{said} {TOO_FEW if needed else TOO_CLOSE}"
    return BoundDecision(
        verdict,
        metric.evidence,
        observed=interval.value,
        low=interval.low,
        high=interval.high,
        needed_samples=needed,
        detail=f"{said} {baseline.remark}" if baseline.remark else said,
        baseline=float(before.mean()),
    )


def _told(drop: float, low: float, high: float, level: float) -> str:
    """Says a drop in points of a hundred: what rose did not fall by less than nothing."""
    moved = (
        "It stayed the same" if drop == 0 else f"It {'fell' if drop > 0 else 'rose'} by {abs(100 * drop):.3g} points"
    )
    return f"{moved} (a fall of {100 * low:.3g} to {100 * high:.3g} points at {100 * level:.3g} %)"


def drop_of(before: Flags, after: Flags, level: float) -> tuple[float, float, float]:
    """Returns the mean of before - after over pairs (n,), and an interval at this level.

    Exact and on the safe side: Clopper-Pearson limits of the two kinds of change, each at half the error allowed.
    """
    lost, won, n = int((before & ~after).sum()), int((after & ~before).sum()), len(after)
    return (lost - won) / n, *_limits(lost, won, n, level)


def _limits(lost: int, won: int, n: int, level: float) -> tuple[float, float]:
    each = (1 + level) / 2
    (lost_low, lost_high), (won_low, won_high) = clopper_pearson(lost, n, each), clopper_pearson(won, n, each)
    return lost_low - won_high, lost_high - won_low


def _needed(before: Flags, after: Flags, bound: RuleBound) -> int | None:
    """How many samples would decide it, were both kinds of change to stay as frequent. None: none would."""
    lost, won = float((before & ~after).mean()), float((after & ~before).mean())
    if bound.level is None or lost - won == bound.value:
        return None
    level, is_worse = bound.level, lost - won > bound.value

    def decides(n: int) -> bool:  # where a rate is no whole number of samples: the one nearer to the bound
        limits = _limits(of_rate(lost, n, up=not is_worse), of_rate(won, n, up=is_worse), n, level)
        return bound.holds(*limits) != "inconclusive"

    return smallest(decides)


def _obstacle(metric: Metric, at: float | None, baseline: Baseline | None) -> str | None:
    if baseline is None:
        return "No baseline was named: the next audit may name this one as its baseline_audit_id."
    if baseline.obstacle or baseline.table is None:
        return baseline.obstacle
    gaps = baseline.table.gaps
    gap = next((f"In the baseline: {gaps[need]}" for need in metric.needs if need in gaps), None)
    return gap or _blind_spot("The baseline", at, baseline.epsilon)


def _blind_spot(which: str, at: float | None, epsilon: float | None) -> str | None:
    """What was asked at one radius says too little about another for a difference of two."""
    if at is None or epsilon is None or at == epsilon:
        return None
    return f"{which} looked at {epsilon:g} only, neither nearer nor farther."


def _paired(there: Table, before: Flags, here: Table, after: Flags) -> tuple[Flags, Flags]:
    """The flags of the rows that both tables have, side by side."""
    _, i, j = np.intersect1d(there.indices, here.indices, assume_unique=True, return_indices=True)
    return before[i], after[j]
