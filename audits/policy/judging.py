"""Holds an audit against a policy: three-valued, rule by rule and over all. Pure.

"Could not be computed" and "cannot be told from so few samples" are `inconclusive`, never `pass`. An estimate can warn;
it never passes or fails. A contradiction among the bounds (an alarm of severity `error`) lets no rule pass, a sign of
masking none that rests on the silence of attacks (`doubts.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import isfinite

from audits.document.verdict import Overall, RuleOutcome, RuleVerdict, Verdict, Waiver
from audits.evidence.table import Table
from audits.policy import drops, metrics
from audits.policy.bounds import NO_SAMPLE, BoundDecision, BoundVerdict, RuleBound
from audits.policy.doubts import Doubts, answering, answers, held_back, rests_on_silence
from audits.policy.drops import Baseline
from audits.policy.metrics import LEVEL, METRICS, Metric, PointValue
from audits.policy.policy import AT_A_RADIUS, Policy, Rule

_WORST_FIRST: tuple[BoundVerdict, ...] = ("fail", "inconclusive", "pass")


@dataclass(frozen=True)
class Ground:
    """The rules are held against this ground."""

    table: Table
    epsilon: float | None
    baseline: Baseline | None
    doubts: Doubts
    today: date


def judge(policy: Policy, ground: Ground) -> Verdict:
    rules = tuple(_outcome(rule, policy.waivers, ground) for rule in policy.rules)
    return Verdict(verdict=_overall(rules, is_doubtful=bool(ground.doubts.errors)), rules=rules)


def _overall(rules: Sequence[RuleOutcome], *, is_doubtful: bool) -> Overall:
    """fail > inconclusive > pass. Warnings, estimates and waived rules stop nobody; what nothing decided is no pass.

    Decided is a rule that was answered on more than an estimate, or that somebody answers for.
    """
    telling = [rule for rule in rules if rule.evidence != "estimate"]
    verdicts = {rule.verdict for rule in telling if rule.severity == "fail" and rule.waiver is None}
    if "fail" in verdicts:
        return "fail"
    is_decided = any(rule.waiver or rule.verdict != "inconclusive" for rule in telling)
    return "inconclusive" if "inconclusive" in verdicts or is_doubtful or not is_decided else "pass"


def _outcome(rule: Rule, waivers: Sequence[Waiver], ground: Ground) -> RuleOutcome:
    at = (rule.at or ground.epsilon) if rule.metric in AT_A_RADIUS else None
    decision = _decide(rule, at, ground)
    doubted = decision.verdict == "pass" and rests_on_silence(rule)
    told = answers(ground.doubts.masks if doubted else (), waivers, ground.today)
    held_by = (*ground.doubts.errors, *told.unanswered) if decision.verdict == "pass" else ()
    decision = _held(decision, ground.doubts.errors, told.unanswered) if held_by else decision
    about = [waiver for waiver in waivers if waiver.rule == rule.name] if decision.verdict != "pass" else []
    waiver, ended = answering(about, ground.today)
    return RuleOutcome(
        **rule.model_dump(exclude={"at"}),
        at=at,
        baseline=decision.baseline,
        observed=_finite(decision.observed),
        low=_finite(decision.low),
        high=_finite(decision.high),
        evidence=decision.evidence,
        verdict=_as_told(rule, decision),
        needed_samples=decision.needed_samples if decision.verdict == "inconclusive" else None,
        detail=" ".join(filter(None, (decision.detail, *told.remarks, ended))),
        waiver=waiver,
        held_back_by=held_by,
        waived_alarms=told.waived,
    )


def _held(decision: BoundDecision, errors: Sequence[str], masks: Sequence[str]) -> BoundDecision:
    """More samples would not cure a pass that alarms forbid."""
    wrong = f"The alarm {errors[0]} says that a number here is wrong; nothing passes on it." if errors else ""
    said = f"{decision.detail} {wrong or held_back(masks)}".strip()
    return replace(decision, verdict="inconclusive", needed_samples=None, detail=said)


def _as_told(rule: Rule, decision: BoundDecision) -> RuleVerdict:
    if decision.evidence == "estimate" and decision.verdict != "inconclusive":
        return "noted" if decision.verdict == "pass" else "warn"
    return "warn" if rule.severity == "warn" and decision.verdict == "fail" else decision.verdict


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _decide(rule: Rule, at: float | None, ground: Ground) -> BoundDecision:
    if rule.metric == "robust_accuracy":
        return _between(rule, metrics.radius(at), ground.table)
    metric = METRICS[rule.metric]
    gap = next((ground.table.gaps[need] for need in metric.needs if need in ground.table.gaps), None)
    if gap:
        return BoundDecision("inconclusive", evidence=metric.evidence, detail=gap)
    if rule.max_drop_from_baseline is None:
        return _bounded(rule, metric, at, ground)
    drop = drops.decide(rule, metric, at, ground.table, ground.baseline, epsilon=ground.epsilon)
    return _worse(_bounded(rule, metric, at, ground), drop) if rule.has_bound else drop


def _worse(bounded: BoundDecision, drop: BoundDecision) -> BoundDecision:
    """Of one metric held against a bound and against a baseline."""
    needed = [one.needed_samples for one in (bounded, drop) if one.verdict == "inconclusive"]
    verdict = min(bounded.verdict, drop.verdict, key=_WORST_FIRST.index)
    return replace(
        bounded,
        verdict=verdict,
        baseline=drop.baseline,
        needed_samples=None if None in needed else max((n for n in needed if n), default=None),
        detail=f"{bounded.detail} {drop.detail}".strip(),
    )


def _bounded(rule: Rule, metric: Metric, at: float | None, ground: Ground) -> BoundDecision:
    seen, bound, level = metric.read(ground.table, at), RuleBound.of(rule), rule.confidence or LEVEL
    if isinstance(seen, PointValue):
        return bound.on_value(seen.value, evidence=metric.evidence)
    observed = seen.interval(level)
    if observed is None:
        return BoundDecision("inconclusive", metric.evidence, detail=NO_SAMPLE)
    low, high = metric.ends(ground.table, at, ground.epsilon)
    return bound.on_ends(observed, low, high, evidence=metric.evidence)


def _between(rule: Rule, at: float, table: Table) -> BoundDecision:
    """The truth lies between what is certified and what no attack broke; either end may be all that is known."""
    if gap := table.gaps.get("labels") or table.gaps.get("predictions"):
        return BoundDecision("inconclusive", evidence="certified", detail=gap)
    bottom = metrics.certified(table, at)
    top = metrics.clean(table) if "attack" in table.gaps else metrics.empirical(table, at)
    bound, level = RuleBound.of(rule), rule.confidence or LEVEL
    return bound.on_truth(
        None if "certificate" in table.gaps else bottom.interval(level),
        top.interval(level),
        needed=bound.needed(bottom, top),
        gap=table.gaps.get("certificate") or table.gaps.get("attack") or "",
    )
