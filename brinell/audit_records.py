"""What the service answers about audits, as typed dictionaries. Of the report they name the parts this client reads."""

from typing import Any, Literal, NotRequired, TypedDict

from brinell.records import JobState, Progress, Reason

Verdict = Literal["pass", "fail", "inconclusive"]


class Interval(TypedDict):
    """95 %."""

    value: float
    low: float
    high: float


class MedianInterval(TypedDict):
    """95 %; `high` null: it has no end; `low` null: it begins beyond every distance found."""

    low: float | None
    high: float | None


class Spread(TypedDict):
    mean: float
    median: float
    min: float
    max: float


class Skipped(TypedDict):
    method: str
    reason: str


class AuditJob(TypedDict):
    job_id: str
    method: str
    state: JobState


class AuditSummary(TypedDict):
    """Null: not computed, or (medians) half of the samples or more have none. Absent: of an older report."""

    samples: int
    labels: str
    clean_accuracy: Interval | None
    certified_accuracy: Interval | None
    empirical_robust_accuracy: Interval | None
    attack_success_rate: Interval | None
    median_lower_bound: float | None
    median_lower_interval: NotRequired[MedianInterval | None]
    median_upper_bound: float | None
    median_upper_interval: NotRequired[MedianInterval | None]
    closure: Interval | None
    clever: Spread | None
    clever_median_interval: NotRequired[MedianInterval | None]
    clever_samples: int
    clever_statuses: NotRequired[dict[str, int]]
    smoothed: Spread | None
    queries: int
    gradients: int
    seconds: float
    alarms: dict[str, int]


class Audit(TypedDict):
    id: str
    state: JobState
    request: dict[str, Any]
    jobs: list[AuditJob]
    skipped: list[Skipped]
    progress: Progress
    verdict: Verdict | None
    summary: AuditSummary | None
    report_ready: bool
    error: Reason | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    links: dict[str, str]


class Waiver(TypedDict):
    """Who answers for a rule that does not pass."""

    reason: str
    by: str


class Rule(TypedDict):
    """One rule of the policy and what became of it."""

    name: str
    metric: str
    at: float | None
    at_least: float | None
    at_most: float | None
    max_drop_from_baseline: float | None
    observed: float | None
    low: float | None
    high: float | None
    evidence: str
    verdict: str
    needed_samples: int | None
    detail: str
    waiver: Waiver | None


class AuditVerdict(TypedDict):
    verdict: Verdict | None
    rules: list[Rule]


class Bracket(TypedDict):
    """One sample: lower <= r* <= upper. The rest of its row is left out here."""

    index: int
    label: int
    predicted: int
    lower: float | None
    lower_by: str | None
    lower_confidence: float | None
    upper: float | None
    upper_by: str | None
    clever: float | None
    alarms: list[str]


class Alarm(TypedDict):
    code: str
    severity: Literal["error", "warning", "note"]
    count: int
    samples: int
    explanation: str
    consequence: str


class Comparison(TypedDict):
    """Sample by sample against the baseline; `larger`: the audited model is more robust there."""

    measure: Literal["upper", "lower", "clever"]
    paired: int
    larger: int
    smaller: int
    equal: int
    median_ratio: float | None
    low: float | None
    high: float | None
    p_value: float


class ThreatModel(TypedDict):
    norm: str
    epsilon: float | None


class Report(TypedDict):
    """`GET /v1/schemas/report` describes all of it."""

    audit_id: str
    verdict: Verdict | None
    rules: list[Rule]
    summary: AuditSummary
    threat: ThreatModel
    samples: list[Bracket]
    alarms: list[Alarm]
    comparisons: list[Comparison]
    skipped: list[Skipped]
    jobs: list[dict[str, Any]]
    settings: dict[str, Any]
