"""What the service answers, as typed dictionaries: the JSON of the API, so that nothing is lost.

Written by `make records` from the OpenAPI document: change the service's own records, then run it again.
A field that is NotRequired is absent from what an older service wrote.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Access = Literal["labels", "scores", "gradients", "bounds", "neighbours", "trees"]
Counting = Literal["l0"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled", "expired"]
Kind = Literal["upper_bound", "lower_bound", "smoothed_lower_bound", "estimate", "abstained", "misclassified", "fooled"]
Meaning = Literal["logit", "probability", "decision", "label"]
Norm = Literal["l1", "l2", "linf"]
RecipeName = Literal["quick-1", "quick-2", "standard-1", "standard-2", "thorough-1", "thorough-2"]


class Alarm(TypedDict):
    """An alarm is something that a reader must know before believing a number."""

    code: str
    severity: Literal["error", "warning", "note"]
    count: int
    samples: int
    examples: list[int]
    explanation: str
    consequence: str
    holds_back: NotRequired[bool]


class Audit(TypedDict):
    """An audit is shown as this public JSON."""

    id: str
    state: JobState
    request: AuditRequestEcho
    jobs: list[AuditJob]
    skipped: list[Skipped]
    progress: Progress
    verdict: Literal["pass", "fail", "inconclusive"] | None
    summary: AuditSummary | None
    report_ready: bool
    draft: bool
    error: JobError | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    links: dict[str, str]


class AuditBudget(TypedDict):
    """What an audit may cost in all. `seconds`: of computing, all its jobs together; null: no limit."""

    seconds: NotRequired[float | None]
    queries_total: NotRequired[Any]


class AuditJob(TypedDict):
    job_id: str
    method: str
    state: JobState


class AuditPage(TypedDict):
    items: list[Audit]
    next_cursor: str | None


class AuditRequestEcho(TypedDict):
    """The request as it was taken, with its defaults filled in."""

    model_id: str
    samples_id: str
    recipe: RecipeName | list[dict[str, Any]]
    threat: ThreatRequest
    policy: Policy | None
    baseline_audit_id: str | None
    samples: Selection
    budget: AuditBudget
    seed: int


class AuditSettings(TypedDict):
    """Settings are everything that was chosen. `policy` is the policy as it was read."""

    recipe: str
    draft: NotRequired[bool]
    seed: int
    seconds: NotRequired[float | None]
    policy: dict[str, Any] | None
    baseline_audit_id: str | None


class AuditSummary(TypedDict):
    """A summary is an audit in a few numbers. Rates have Clopper-Pearson 95 % intervals; a wrong sample counts as 0."""

    samples: int
    labels: Literal["given", "predicted"]
    clean_accuracy: Interval | None
    certified_accuracy: Interval | None
    empirical_robust_accuracy: Interval | None
    attack_success_rate: Interval | None
    median_lower_bound: float | None
    median_lower_interval: NotRequired[MedianInterval | None]
    median_upper_bound: float | None
    median_upper_interval: NotRequired[MedianInterval | None]
    closure: Closure | None
    estimates: NotRequired[dict[str, EstimateSummary]]
    clever: Spread | None
    clever_median_interval: NotRequired[MedianInterval | None]
    clever_samples: int
    clever_statuses: NotRequired[dict[str, int]]
    smoothed: Spread | None
    queries: int
    gradients: int
    seconds: float
    alarms: dict[str, int]


class BudgetRequest(TypedDict):
    """The most one sample may cost, and the most seconds the whole job may run. Null: no limit."""

    queries_per_sample: NotRequired[int | None]
    gradients_per_sample: NotRequired[int | None]
    repeats: NotRequired[int]
    seconds: NotRequired[float | None]


class Closure(TypedDict):
    """A closure is the share of the samples not misclassified whose upper / lower is at most `at`, and how it grew."""

    share: float
    low: float
    high: float
    at: NotRequired[float]
    curve: NotRequired[list[ClosurePoint]]


class ClosurePoint(TypedDict):
    """After so many seconds of computing, all jobs together, this share was closed. `method` was the last at work."""

    method: str
    seconds: float
    share: float


class Comparison(TypedDict):
    """A comparison sets this audit against its baseline on the same rows of the same upload, under the same threat."""

    baseline_audit_id: str
    baseline_model: str
    measure: str
    paired: int
    larger: int
    smaller: int
    equal: int
    median_ratio: float | None
    low: float | None
    high: float | None
    p_value: float
    remark: NotRequired[str | None]


class Contribution(TypedDict):
    """A contribution tells what an attack added: it broke `found` samples, and on `nearest` its point is the
    nearest.
    """

    method: str
    found: int
    nearest: int
    alone: int
    next_best: float | None


class CredentialFacts(TypedDict):
    """A secret is written, never read. The fingerprint tells one from another."""

    set: Literal[True]
    fingerprint: str


class DataIdentity(TypedDict):
    """The audit was of these samples, and of this selection of them."""

    card: SamplesCard
    selected: int
    selection: str
    labels: Literal["given", "predicted"]
    misclassified: int | None


class Digests(TypedDict):
    """Digests are SHA-256, hex. `settings`: of recipe, threat, selection, seed and policy as canonical JSON."""

    model: str
    samples: str
    settings: str
    policy: str | None


class Effort(TypedDict):
    """An effort shows how an attack's distance fell while it asked. Gradients count as queries here."""

    method: str
    points: list[EffortPoint]


class EffortPoint(TypedDict):
    """After so many queries a sample, this share has a point, at this median distance (null: none yet)."""

    queries: int
    found: float
    median_distance: float | None


class Endpoint(TypedDict):
    """An endpoint is a model that already serves: where, in which words, how hard it may be pressed."""

    url: str
    origin: str
    protocol: str
    options: dict[str, Any]
    input: EndpointInput
    output: EndpointOutput
    limits: Limits


class EndpointInput(TypedDict):
    """An endpoint's input says what one row is: `shape` without the batch axis, `dtype` on the wire."""

    shape: list[int]
    dtype: NotRequired[Literal["float32", "float64"]]


class EndpointOutput(TypedDict):
    """An endpoint's output says what it answers for a row, of how many classes, or of which, named by column."""

    kind: Literal["logits", "probabilities", "labels"]
    classes: int | list[str]


class EnvelopePoint(TypedDict):
    """Robust accuracy at a radius lies between these two shares. Null: nothing was computed that could say."""

    epsilon: float
    certified: Interval | None
    empirical: Interval | None


class EstimateSummary(TypedDict):
    """A summary is over the samples that have the method's value; of a score, over those that are right besides."""

    kind: Kind
    samples: int | None
    value: Spread | None
    median_interval: NotRequired[MedianInterval | None]
    statuses: NotRequired[dict[str, int]]


class FeatureChange(TypedDict):
    feature: int
    original: float
    adversarial: float


class Finding(TypedDict):
    """A finding is one sample's line in a job's answer, as stored and as shown."""

    index: int
    label: int
    predicted: int
    kind: Kind
    norm: str
    value: float | None
    confidence: float | None
    queries: int
    gradients: int
    ended: Literal["finished", "budget", "cancelled"]
    details: dict[str, Any]


class FindingPage(TypedDict):
    items: list[Finding]
    next_cursor: str | None


class Gallery(TypedDict):
    """A gallery is drawn from `minimum` to `maximum` of the valid inputs; of the samples, where these are unbounded."""

    kind: Literal["image", "features"]
    minimum: float
    maximum: float
    pictures: list[Picture]


class GivenHints(TypedDict):
    """A job was given these hints: the SHA-256 of their file, and of how many samples it knows what."""

    digest: str
    points: int
    reached: int
    proven: int


class Interval(TypedDict):
    """A rate has a Clopper-Pearson 95 % interval."""

    value: float
    low: float
    high: float


class Job(TypedDict):
    """A job is shown as this public JSON."""

    id: str
    state: JobState
    method: JobMethod
    request: JobRequestEcho | PropertyRequest
    hints: GivenHints | None
    progress: Progress
    summary: Summary | None
    details: dict[str, Any] | None
    error: JobError | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    links: dict[str, str]


class JobError(TypedDict):
    """An error says why a job or an audit ended without success."""

    code: str
    detail: str


class JobMethod(TypedDict):
    """A job's method is told with its version and all its parameters: what must be the same for the same numbers."""

    name: str
    version: str
    params: dict[str, Any]


class JobPage(TypedDict):
    items: list[Job]
    next_cursor: str | None


class JobRequestEcho(TypedDict):
    """The request as it was taken, with its defaults filled in."""

    model_id: str
    samples_id: str | None
    auxiliary_samples_id: str | None
    surrogate_model_id: NotRequired[str | None]
    method: dict[str, Any]
    threat: ThreatRequest
    budget: BudgetRequest
    samples: Selection
    seed: int


class JobRow(TypedDict):
    """A job row tells how one job of the audit was set, how it went and what it cost."""

    job_id: str
    method: str
    version: str
    family: Literal["score", "attack", "certificate"]
    knowledge: Literal["white_box", "black_box_score", "black_box_decision"]
    proves: Kind | Literal["exact"]
    reference: str
    state: JobState
    error: NotRequired[str | None]
    started_at: NotRequired[str | None]
    finished_at: NotRequired[str | None]
    params: dict[str, Any]
    budget: dict[str, Any]
    epsilon: float | None
    samples: int
    counts: NotRequired[dict[str, int]]
    queries: NotRequired[QueryCount | None]
    gradients: NotRequired[int]
    seconds: NotRequired[float]
    device: NotRequired[str]
    isolation: NotRequired[str]
    isolation_denied: NotRequired[list[str]]
    warnings: NotRequired[list[str]]
    hints: NotRequired[GivenHints | None]
    is_baseline: NotRequired[bool]
    by_substitutes: NotRequired[bool]


class LatticeRequest(TypedDict):
    """A lattice has `levels` values a feature, evenly from end to end of a bounded box."""

    levels: int


class Limits(TypedDict):
    """Limits say how hard an endpoint may be pressed. The rate counts for all jobs on its origin together."""

    max_batch: NotRequired[int]
    concurrency: NotRequired[int]
    requests_per_second: NotRequired[float]
    burst: NotRequired[int]
    timeout_seconds: NotRequired[float]


class Liveness(TypedDict):
    """The process that answers this is alive."""

    status: Literal["alive"]


class MedianInterval(TypedDict):
    """The 95 % interval of a median is exact by order statistics, whatever law the values come from."""

    low: float | None
    high: float | None


class MethodCard(TypedDict):
    """A card is one row of the registry, as a client needs it."""

    name: str
    version: str
    family: Literal["score", "attack", "certificate"]
    threat_model: Literal["white_box", "black_box_score", "black_box_decision"]
    needs: list[Access]
    norms: list[Norm | Counting]
    goals: list[Literal["untargeted", "targeted"]]
    epsilon: Literal["required", "optional", "refused"]
    samples: Literal["required", "refused"]
    keeps_lattice: bool
    proves: Kind | Literal["exact"]
    reference: str
    params_schema: dict[str, Any]


class MethodResult(TypedDict):
    """A result is one method's finding about one sample, in short."""

    kind: Kind
    value: float | None
    reason: NotRequired[str | None]
    queries: int
    gradients: int
    ended: Literal["finished", "budget", "cancelled"]
    fosc: NotRequired[float | None]


class ModelCard(TypedDict):
    """A model card tells of a model under audit. The fields of its inspection are null until it is `ready`."""

    id: str
    kind: Literal["onnx", "endpoint", "neighbors"]
    name: str
    state: Literal["inspecting", "ready", "refused", "unverified"]
    refusal: Refusal | None
    sha256: str
    size_bytes: int
    input: ModelInput | None
    output: ModelOutput | None
    output_told: Meaning | None
    reads: Reads | None
    classes_named: list[str] | None
    label_output_differs: bool | None
    preprocessing: Preprocessing | None
    opset: int | None
    offers: list[Access]
    withheld: list[Withheld]
    substitutes: list[str]
    parity: Parity | None
    endpoint: Endpoint | None
    credential: CredentialFacts | None
    probe: Probe | None
    created_at: str


class ModelCardPage(TypedDict):
    items: list[ModelCard]
    next_cursor: str | None


class ModelInput(TypedDict):
    name: str
    dtype: str
    shape: list[int]
    batch: int | None
    whole_features: list[int]


class ModelOutput(TypedDict):
    name: str
    classes: int
    kind: Literal["logits", "probabilities", "labels"]


class Parity(TypedDict):
    """Parity sets the scores of the gradient path against those of onnxruntime, on random rows."""

    max_abs_difference: float
    rows: int


class Picture(TypedDict):
    """A picture shows one sample and the nearest adversarial point found for it."""

    index: int
    label: int
    read_as: NotRequired[int | None]
    method: str
    distance: float
    height: NotRequired[int | None]
    width: NotRequired[int | None]
    channels: NotRequired[int | None]
    original: NotRequired[list[float] | None]
    adversarial: NotRequired[list[float] | None]
    changes: NotRequired[list[FeatureChange]]
    changed_features: int


class Policy(TypedDict):
    rules: list[Rule]
    waivers: NotRequired[list[Waiver]]


class Preparation(TypedDict):
    """A preparation is what a job's `prepare` stage made, once for all its chunks, and what that cost: a ledger of its
    own.
    """

    artifact: str
    queries: int
    gradients: int
    seconds: float
    details: dict[str, float]
    warnings: list[str]


class Preprocessing(TypedDict):
    """A preprocessing takes each row x to (x - subtract) / divide, prepended to the graph."""

    subtract: float | list[float]
    divide: float | list[float]


class Probe(TypedDict):
    """A probe is what a few requests to an endpoint showed."""

    max_batch: int
    deterministic: bool
    decimals: int | None
    classes: NotRequired[int | None]


class Progress(TypedDict):
    """Progress is of one chunk when a worker beats, of a whole job or audit when the API shows it."""

    samples_done: int
    samples_total: int
    queries: int
    gradients: int
    fraction: float
    eta_seconds: float | None
    preparing: NotRequired[float | None]


class PropertyFile(TypedDict):
    """A property file is VNN-LIB text that the library keeps while the job is there."""

    sha256: str
    size_bytes: int


class PropertyRequest(TypedDict):
    """A property request says which property to decide of which model, and how long to look for an answer."""

    model_id: str
    property: PropertyFile
    seconds: float


class QueriesAll(TypedDict):
    """Queries of all samples that an attack was tried on: one that was not broken counts the whole budget."""

    mean: float
    median: float
    mean_with_prepare: float


class QueryCount(TypedDict):
    """A count says how many rows were sent, a sample and in all, and how many calls an endpoint got."""

    total: int
    mean: float
    median: float
    max: int
    http_calls: int


class Readiness(TypedDict):
    """The service can take a job to its end. `isolation` says how strictly uploaded models are locked up where they
    run: `strict`, `basic`, or both, where workers differ; `isolation_denied`, which layers of `strict` some machine
    denied. `basic` with none denied was chosen.
    """

    status: Literal["ready"]
    workers: dict[str, int]
    isolation: str
    isolation_denied: list[str]


Reads = TypedDict(
    "Reads",
    {"output": str, "as": Meaning | Literal["logits", "probabilities"], "because": Literal["graph", "values", "told"]},
)


class Refusal(TypedDict):
    code: str
    detail: str


class Report(TypedDict):
    format: NotRequired[Literal["brinell-report-1"]]
    audit_id: str
    generated_at: str
    verdict: Literal["pass", "fail", "inconclusive"] | None
    rules: list[RuleOutcome]
    waivers: list[Waiver]
    summary: AuditSummary
    model: ModelCard
    data: DataIdentity
    threat: ThreatModel
    samples: list[SampleRow]
    envelope: list[EnvelopePoint]
    alarms: list[Alarm]
    efforts: list[Effort]
    contributions: NotRequired[list[Contribution]]
    comparisons: NotRequired[list[Comparison]]
    gallery: Gallery | None
    jobs: list[JobRow]
    skipped: list[Skipped]
    settings: AuditSettings
    versions: dict[str, str]
    digests: Digests
    limitations: list[str]


class Rule(TypedDict):
    """A rule is one metric and what it must keep to: `at_least` or `at_most`, `max_drop_from_baseline`, or both."""

    name: str
    metric: Literal[
        "clean_accuracy",
        "certified_accuracy",
        "empirical_robust_accuracy",
        "robust_accuracy",
        "attack_success_rate",
        "smoothed_certified_accuracy",
        "median_upper_bound",
        "median_lower_bound",
        "clever_mean",
        "clever_median",
        "clever_min",
        "clever_second_order_mean",
        "clever_second_order_median",
        "clever_second_order_min",
        "steepest_mean",
        "steepest_median",
        "steepest_min",
    ]
    at_least: NotRequired[float | None]
    at_most: NotRequired[float | None]
    at: NotRequired[float | None]
    confidence: NotRequired[float | None]
    max_drop_from_baseline: NotRequired[float | None]
    severity: NotRequired[Literal["fail", "warn"]]


class RuleOutcome(TypedDict):
    """An outcome is one rule, what was observed, and what follows."""

    name: str
    metric: str
    at: NotRequired[float | None]
    at_least: NotRequired[float | None]
    at_most: NotRequired[float | None]
    confidence: NotRequired[float | None]
    max_drop_from_baseline: NotRequired[float | None]
    baseline: NotRequired[float | None]
    severity: NotRequired[Literal["fail", "warn"]]
    observed: float | None
    low: float | None
    high: float | None
    evidence: Literal["certified", "empirical", "estimate"]
    verdict: Literal["pass", "fail", "inconclusive", "warn", "noted"]
    needed_samples: NotRequired[int | None]
    detail: NotRequired[str]
    waiver: NotRequired[Waiver | None]
    held_back_by: NotRequired[list[str]]
    waived_alarms: NotRequired[list[Waiver]]


class SampleEstimate(TypedDict):
    """One method says something near a sample's r* without bounding it. Its kind tells what may be thought of it."""

    kind: Kind
    value: float | None
    confidence: NotRequired[float | None]
    interval: NotRequired[list[float] | None]
    status: NotRequired[str | None]
    figures: NotRequired[dict[str, float]]


class SampleRow(TypedDict):
    """A row is one sample: lower <= r* <= upper, each end with its method, and beside them what proves nothing."""

    index: int
    label: int
    predicted: int
    lower: float | None
    lower_by: str | None
    lower_confidence: float | None
    upper: float | None
    upper_by: str | None
    estimates: NotRequired[dict[str, SampleEstimate]]
    clever: float | None
    clever_interval: NotRequired[list[float] | None]
    clever_max: NotRequired[float | None]
    clever_status: NotRequired[str | None]
    clever_radius: NotRequired[float | None]
    clever_shape: NotRequired[float | None]
    clever_ks_p: NotRequired[float | None]
    clever_end_point: NotRequired[float | None]
    smoothed: float | None
    smoothed_confidence: NotRequired[float | None]
    alarms: NotRequired[list[str]]
    methods: NotRequired[dict[str, MethodResult]]


class SamplesCard(TypedDict):
    count: int
    shape: list[int]
    dtype: str
    labelled: bool
    label_minimum: int | None
    label_maximum: int | None
    label_values: list[int] | list[str] | None
    minimum: float
    maximum: float
    id: str
    name: str
    sha256: str
    size_bytes: int
    created_at: str


class SamplesCardPage(TypedDict):
    items: list[SamplesCard]
    next_cursor: str | None


class Selection(TypedDict):
    """A selection takes rows of the upload. `limit`: the first N; `indices`: these. Neither: all of them."""

    limit: NotRequired[int | None]
    indices: NotRequired[list[int] | None]


class Skipped(TypedDict):
    """A method of the recipe was skipped, since it could not run here for this reason."""

    method: str
    reason: str


class Spread(TypedDict):
    """A spread says how some numbers lie."""

    mean: float
    median: float
    min: float
    max: float


class Summary(TypedDict):
    """A summary says all findings of a succeeded job in a few numbers."""

    counts: dict[str, int]
    samples: int
    labels: Literal["given", "predicted"] | None
    clean_accuracy: Interval | None
    value: Spread | None
    value_correct: Spread | None
    success_rate: Interval | None
    success_at_queries: dict[str, Interval] | None
    queries_all: QueriesAll | None
    distance_at_queries: dict[str, float | None] | None
    distance_area: float | None
    adbd: float | None
    adbd_samples: int | None
    queries: QueryCount
    gradients: int
    seconds: float
    prepare: Preparation | None
    device: str
    isolation: str
    isolation_denied: list[str]
    versions: dict[str, str]
    warnings: list[str]


class Targeted(TypedDict):
    """A goal with targets has a rule that picks each sample's, or one label per selected sample."""

    targeted: Literal["random", "least_likely", "runner_up"] | list[int]


class ThreatModel(TypedDict):
    """A threat model says what the attacker may do. `box` null: any input is valid. `pixelwise`: l0 counts pixels."""

    norm: str
    pixelwise: NotRequired[bool]
    epsilon: float | None
    goal: Literal["untargeted"] | Targeted
    box: list[Any] | None
    lattice: NotRequired[LatticeRequest | None]


class ThreatRequest(TypedDict):
    """`box` left out, null and given are three different things: ask `box_is_given`."""

    norm: NotRequired[Norm | Counting]
    pixelwise: NotRequired[bool]
    box: NotRequired[list[Any] | None]
    epsilon: NotRequired[float | None]
    goal: NotRequired[Literal["untargeted"] | Targeted]
    lattice: NotRequired[LatticeRequest | None]
    scale: NotRequired[Any]
    frozen: NotRequired[Any]


class Usage(TypedDict):
    """A tenant's usage has one line for each quota."""

    stored_bytes: Used
    record_bytes: Used
    models: Used
    samples: Used
    live_jobs: Used
    live_audits: Used


class Used(TypedDict):
    """How much there is of what has a quota, and how much there may be."""

    used: int
    limit: int


class Verdict(TypedDict):
    """A verdict is null while the audit runs, without a policy, and where the audit could not run."""

    verdict: Literal["pass", "fail", "inconclusive"] | None
    rules: NotRequired[list[RuleOutcome]]


class Waiver(TypedDict):
    """Somebody answers for a rule that does not pass, or for an alarm that holds passes back, until a day."""

    rule: NotRequired[str | None]
    alarm: NotRequired[str | None]
    reason: str
    by: str
    until: NotRequired[str | None]


class WholeFinding(TypedDict):
    """A whole finding has all of its details, and beside them the seconds that a finding itself must not depend on."""

    index: int
    label: int
    predicted: int
    kind: Kind
    norm: str
    value: float | None
    confidence: float | None
    queries: int
    gradients: int
    ended: Literal["finished", "budget", "cancelled"]
    details: dict[str, Any]
    curve_seconds: list[float] | None


class Withheld(TypedDict):
    """A withheld access could have been offered by this model, and says why it is not."""

    offer: Access
    reason: str
    by_kind: bool
