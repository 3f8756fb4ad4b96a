"""Reports of any size, as an audit would leave them, for tests of what is made of them."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from audits.document import earlier
from audits.document.closure import Closure, ClosurePoint
from audits.document.estimates import EstimateSummary, MedianInterval, SampleEstimate
from audits.document.report import (
    Alarm,
    AuditSettings,
    Comparison,
    DataIdentity,
    Digests,
    Effort,
    EffortPoint,
    EnvelopePoint,
    FeatureChange,
    Gallery,
    JobRow,
    Picture,
    Report,
    Skipped,
    ThreatModel,
)
from audits.document.rows import MethodResult, SampleRow
from audits.document.summary import AuditSummary
from audits.document.verdict import RuleOutcome, Waiver
from jobs.states import JobState
from jobs.summary import Interval, QueryCount, Spread
from models.cards import ModelCard, ModelInput, ModelOutput, SamplesCard, Withheld

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
METHODS = {
    "clever": ("score", "white_box", "estimate"),
    "pgd": ("attack", "white_box", "upper_bound"),
    "square": ("attack", "black_box_score", "upper_bound"),
    "noise": ("attack", "black_box_decision", "upper_bound"),
    "crown": ("certificate", "white_box", "lower_bound"),
    "smoothing": ("certificate", "black_box_decision", "smoothed_lower_bound"),
}


def report(count: int = 20, *, image: bool = True, **changes: Any) -> Report:
    """`count` samples, the last of each ten misclassified, one without an upper bound, one that contradicts itself."""
    rows = tuple(sample_row(i) for i in range(count))
    right = [row for row in rows if row.label == row.predicted]
    clean = interval(len(right) / count)
    document = Report(
        audit_id="aud_6RkB2yDn8GsWq4McHx7Lfa",
        generated_at=NOW,
        verdict="fail",
        rules=rules(),
        waivers=(Waiver(rule="certified", reason="the certificate is known to be loose", by="A. Engineer"),),
        summary=AuditSummary(
            samples=count,
            labels="given",
            clean_accuracy=clean,
            certified_accuracy=interval(0.4),
            empirical_robust_accuracy=interval(0.75),
            attack_success_rate=interval(0.2),
            median_lower_bound=0.31,
            median_lower_interval=MedianInterval(low=0.25, high=0.4),
            median_upper_bound=0.8,
            median_upper_interval=MedianInterval(low=0.6, high=None),
            closure=closure(),
            estimates=summaries(rows),
            **earlier.spreads(summaries(rows)),
            queries=1234 * count,
            gradients=6400 * 20,
            seconds=61.5,
            alarms={"lower_above_upper": 1, "clever_above_attack": 3},
        ),
        model=model(image=image),
        data=data(count, image=image),
        threat=ThreatModel(norm="l2", epsilon=0.5, goal="untargeted", box=(0.0, 1.0)),
        samples=rows,
        envelope=envelope(),
        alarms=alarms(),
        efforts=tuple(effort(name) for name in ("pgd", "square", "noise")),
        comparisons=(comparison(),),
        gallery=gallery(image=image),
        jobs=tuple(job_row(name, count) for name in METHODS),
        skipped=(Skipped(method="nearest_neighbor", reason="It needs neighbours, which this model does not offer."),),
        settings=AuditSettings(recipe="quick-1", seed=0, policy={"rules": []}, baseline_audit_id=None),
        versions={"brinell": "0.1.0", "onnxruntime": "1.31.0", "numpy": "2.4.0", "python": "3.11.9"},
        digests=Digests(model="9f" * 32, samples="1b" * 32, settings="c3" * 32, policy="d4" * 32),
        limitations=(
            "An attack that finds nothing proves nothing: a stronger one may.",
            "Only untargeted changes in l2 within the box [0, 1] were tried.",
        ),
    )
    return document.model_copy(update=changes)


def summaries(rows: tuple[SampleRow, ...]) -> dict[str, EstimateSummary]:
    return {
        "clever": EstimateSummary(
            kind=Kind.ESTIMATE,
            samples=sum(row.clever is not None for row in rows),
            value=Spread(mean=0.52, median=0.5, min=0.1, max=0.9),
            median_interval=MedianInterval(low=0.4, high=0.6),
            statuses={"ok": 15, "degenerate": 2, "gradient_masked": 1},
        ),
        "smoothing": EstimateSummary(
            kind=Kind.SMOOTHED_LOWER_BOUND, samples=len(rows), value=Spread(mean=0.3, median=0.3, min=0.1, max=0.5)
        ),
    }


def sample_row(i: int) -> SampleRow:
    rng = np.random.default_rng(i)
    label = i % 10
    if i % 10 == 9:
        wrong = MethodResult(kind=Kind.MISCLASSIFIED, value=0.0, queries=1, gradients=0, ended="finished")
        return SampleRow(
            index=i,
            label=label,
            predicted=(label + 1) % 10,
            lower=0.0,
            lower_by="misclassified",
            lower_confidence=1.0,
            upper=0.0,
            upper_by="misclassified",
            **earlier.columns({}),
            methods=dict.fromkeys(METHODS, wrong),
        )
    upper = float(rng.uniform(0.4, 1.5))
    lower = upper * float(rng.uniform(0.3, 0.95)) if i != 3 else upper * 1.2
    clever = upper * float(rng.uniform(0.6, 1.2)) if i < 20 else None
    found = i != 5
    alarms = (*(("lower_above_upper",) if i == 3 else ()), *(("clever_above_attack",) if (clever or 0) > upper else ()))
    values = {
        "clever": clever,
        "pgd": upper,
        "square": upper * 1.15,
        "noise": upper * 2.5,
        "crown": lower,
        "smoothing": 0.4,
    }
    estimates = {"smoothing": SampleEstimate(kind=Kind.SMOOTHED_LOWER_BOUND, value=0.4, confidence=0.999)}
    if clever is not None:
        estimates["clever"] = SampleEstimate(
            kind=Kind.ESTIMATE,
            value=clever,
            interval=(clever * 0.9, clever * 1.1),
            status="ok",
            figures={"max_sample_score": clever * 1.05},
        )
    return SampleRow(
        index=i,
        label=label,
        predicted=label,
        lower=lower,
        lower_by="crown",
        lower_confidence=1.0,
        upper=upper if found else None,
        upper_by="pgd" if found else None,
        estimates=estimates,
        **earlier.columns(estimates),
        alarms=alarms,
        methods={name: method_result(name, value, found) for name, value in values.items()},
    )


def method_result(name: str, value: float | None, found: bool) -> MethodResult:
    is_attack = METHODS[name][0] == "attack"
    if value is None or (is_attack and not found):
        return MethodResult(
            kind=Kind.ABSTAINED, value=None, reason="not_found", queries=1000, gradients=0, ended="budget"
        )
    gradients = 6400 if METHODS[name][1] == "white_box" else 0
    return MethodResult(kind=Kind(METHODS[name][2]), value=value, queries=500, gradients=gradients, ended="finished")


def interval(value: float) -> Interval:
    return Interval(value=value, low=max(0.0, value - 0.1), high=min(1.0, value + 0.1))


def closure() -> Closure:
    grown = (("", 0.0, 0.0), ("crown", 20.5, 0.02), ("close", 61.5, 0.05))
    points = tuple(ClosurePoint(method=method, seconds=seconds, share=share) for method, seconds, share in grown)
    return Closure(share=0.05, low=0.0, high=0.15, curve=points)


def rules() -> tuple[RuleOutcome, ...]:
    """One of each verdict, one of them waived."""
    shared: dict[str, Any] = {"confidence": 0.95, "low": 0.82, "high": 0.97}
    return (
        RuleOutcome(
            name="clean", metric="clean_accuracy", at_least=0.8, observed=0.9, evidence="empirical", verdict="pass",
            **shared,
        ),
        RuleOutcome(
            name="robust", metric="empirical_robust_accuracy", at=0.5, at_least=0.98, observed=0.9,
            evidence="empirical", verdict="fail", detail="The interval ends below the bound.", **shared,
        ),
        RuleOutcome(
            name="truth", metric="robust_accuracy", at=0.5, at_least=0.85, observed=0.9, evidence="certified",
            verdict="inconclusive", needed_samples=740, detail="The interval straddles the bound.", **shared,
        ),
        RuleOutcome(
            name="certified", metric="certified_accuracy", at=0.5, at_least=0.99, observed=0.9, evidence="certified",
            verdict="fail", waiver=Waiver(
                rule="certified", reason="the certificate is known to be loose", by="A. Engineer",
                until=date(2026, 12, 31),
            ), **shared,
        ),
        RuleOutcome(
            name="clever", metric="clever_median", at_least=0.6, observed=0.5, low=None, high=None,
            evidence="estimate", verdict="warn", detail="An estimate can warn; it never passes or fails.",
        ),
        RuleOutcome(
            name="no worse than before", metric="empirical_robust_accuracy", at=0.5, max_drop_from_baseline=0.02,
            baseline=0.91, observed=0.9, evidence="empirical", verdict="pass", **shared,
        ),
    )  # fmt: skip


def alarms() -> tuple[Alarm, ...]:
    return (
        Alarm(
            code="lower_above_upper",
            severity="error",
            count=1,
            samples=18,
            examples=(3,),
            explanation="A certificate claims safety beyond a point that fools the model.",
            consequence="One of the two is wrong, so no rule passes. Do not use this audit; report it.",
        ),
        Alarm(
            code="clever_above_attack",
            severity="note",
            count=3,
            samples=18,
            examples=(1, 7, 8),
            explanation="CLEVER lies above the distance at which an attack succeeded.",
            consequence="On these samples the estimate is proven too high.",
        ),
    )


def envelope() -> tuple[EnvelopePoint, ...]:
    return tuple(
        EnvelopePoint(
            epsilon=epsilon,
            certified=interval(float(np.clip(0.9 - 1.4 * epsilon, 0, 1))),
            empirical=interval(float(np.clip(0.9 - 0.7 * epsilon, 0, 1))),
        )
        for epsilon in np.linspace(0, 1.5, 51).tolist()
    )


def effort(method: str) -> Effort:
    counts = (1, 10, 31, 100, 310, 1000)
    return Effort(
        method=method,
        points=tuple(
            EffortPoint(queries=n, found=k / 5, median_distance=2.0 / k if k > 2 else None)
            for k, n in enumerate(counts)
        ),
    )


def comparison() -> Comparison:
    return Comparison(
        baseline_audit_id="aud_1fJp9aQe5LhXu0VoTz4Ckw",
        baseline_model="digits, standard",
        measure="upper",
        paired=20,
        larger=17,
        smaller=2,
        equal=1,
        median_ratio=1.8,
        low=1.5,
        high=2.1,
        p_value=0.0007,
    )


def gallery(*, image: bool) -> Gallery:
    return Gallery(
        kind="image" if image else "features",
        minimum=0.0,
        maximum=1.0,
        pictures=tuple(picture(i, image=image) for i in (0, 1, 2, 4)),
    )


def picture(i: int, *, image: bool) -> Picture:
    rng = np.random.default_rng(i)
    x = rng.random(64)
    moved = np.clip(x + 0.1 * rng.normal(size=64), 0, 1)
    if image:
        more: dict[str, Any] = {
            "height": 8,
            "width": 8,
            "channels": 1,
            "original": tuple(x.round(4).tolist()),
            "adversarial": tuple(moved.round(4).tolist()),
        }
    else:
        largest = np.argsort(-np.abs(moved - x))[:10].tolist()
        changes = (FeatureChange(feature=j, original=float(x[j]), adversarial=float(moved[j])) for j in largest)
        more = {"changes": tuple(changes)}
    return Picture(
        index=i, label=i, read_as=(i + 1) % 10 if i else None, method="pgd", distance=0.42, changed_features=64, **more
    )


def job_row(method: str, count: int) -> JobRow:
    family, knowledge, kind = METHODS[method]
    return JobRow(
        proves=Kind(kind),
        job_id=f"job_{method}",
        method=method,
        version="1",
        family=family,
        knowledge=knowledge,
        reference="Author et al., A Method, VENUE 2020",
        state=JobState.SUCCEEDED,
        params={"name": method},
        budget={"queries_per_sample": 1000, "gradients_per_sample": None, "seconds": None},
        epsilon=None if method == "clever" else 0.5,
        samples=count,
        counts={kind: count},
        queries=QueryCount(total=500 * count, mean=500.0, median=500.0, max=1000, http_calls=0),
        seconds=10.0,
        device="cpu",
        isolation="basic",
        is_baseline=method == "noise",
    )


def model(*, image: bool) -> ModelCard:
    return ModelCard(
        id="mdl_7Zq3vN0xS1mYt8KcRbWd2g",
        kind="onnx",
        name="digits",
        state="ready",
        sha256="9f" * 32,
        size_bytes=151_304,
        input=ModelInput(name="image", dtype="float32", shape=(1, 8, 8) if image else (64,), batch=None),
        output=ModelOutput(name="logits", classes=10, kind="logits"),
        opset=18,
        offers=(Access.LABELS, Access.SCORES, Access.GRADIENTS),
        withheld=(Withheld(offer=Access.BOUNDS, reason="there is no relaxation for Softplus"),),
        created_at=NOW,
    )


def data(count: int, *, image: bool) -> DataIdentity:
    card = SamplesCard(
        id="smp_1fJp9aQe5LhXu0VoTz4Ckw",
        name="test digits",
        sha256="1b" * 32,
        size_bytes=53_248,
        created_at=NOW,
        count=count,
        shape=(1, 8, 8) if image else (64,),
        dtype="float32",
        labelled=True,
        label_minimum=0,
        label_maximum=9,
        minimum=0.0,
        maximum=1.0,
    )
    return DataIdentity(
        card=card,
        selected=count,
        selection=f"all {count} rows",
        labels="given",
        misclassified=count // 10,
    )
