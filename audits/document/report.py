"""The one document that an audit leaves: everything the renderings show, and enough to check and repeat it.

Its JSON Schema is public (`GET /v1/schemas/report`). `format` names its version; a change of meaning is a new one.
Distances are in the units of the uploaded samples and in `threat.norm`.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from algorithms.seam.claims import Kind
from audits.document import earlier
from audits.document.rows import SampleRow
from audits.document.summary import AuditSummary
from audits.document.verdict import RuleOutcome, Waiver
from jobs.hints import GivenHints
from jobs.request import Goal, LatticeRequest
from jobs.states import JobState
from jobs.summary import Interval, QueryCount
from models.cards import ModelCard, SamplesCard
from models.record import Archived

FORMAT: Literal["brinell-report-1"] = "brinell-report-1"
MEDIA_TYPES = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
    "junit": "application/xml",
}


class EnvelopePoint(Archived):
    """Robust accuracy at a radius lies between these two shares. Null: nothing was computed that could say."""

    epsilon: float
    certified: Interval | None
    empirical: Interval | None


class Alarm(Archived):
    """An alarm is something that a reader must know before believing a number.

    `error`: a bound contradicts another or the model itself; no rule passes on such an audit. `holds_back`: the attacks
    may have been blind; no rule passes by what they did not find, unless the policy waives the alarm.
    """

    code: str
    severity: Literal["error", "warning", "note"]
    count: int  # of samples that show it
    samples: int  # of samples that could
    examples: tuple[int, ...]  # rows of the upload, the first few that show it
    explanation: str
    consequence: str
    holds_back: bool = False


class EffortPoint(Archived):
    """After so many queries a sample, this share has a point, at this median distance (null: none yet)."""

    queries: int
    found: float
    median_distance: float | None


class Effort(Archived):
    """An effort shows how an attack's distance fell while it asked. Gradients count as queries here."""

    method: str
    points: tuple[EffortPoint, ...]


class Contribution(Archived):
    """A contribution tells what an attack added: it broke `found` samples, and on `nearest` its point is the nearest.

    On `alone` of these no other attack has a point. On the others the next best point is `next_best` times as far, in
    the median; null where there are none.
    """

    method: str
    found: int
    nearest: int
    alone: int
    next_best: float | None


class FeatureChange(Archived):
    feature: int  # in the flat order of a sample
    original: float
    adversarial: float


class Picture(Archived):
    """A picture shows one sample and the nearest adversarial point found for it.

    Images: `original` and `adversarial`, row by row, channel last, thinned to `height` x `width`; else the features
    that changed most.
    """

    index: int
    label: int
    read_as: int | None = None  # the class that the model gives the point
    method: str
    distance: float
    height: int | None = None
    width: int | None = None
    channels: int | None = None
    original: tuple[float, ...] | None = None
    adversarial: tuple[float, ...] | None = None
    changes: tuple[FeatureChange, ...] = ()
    changed_features: int  # how many differ at all


class Gallery(Archived):
    """A gallery is drawn from `minimum` to `maximum` of the valid inputs; of the samples, where these are unbounded."""

    kind: Literal["image", "features"]
    minimum: float
    maximum: float
    pictures: tuple[Picture, ...]


class ThreatModel(Archived):
    """A threat model says what the attacker may do. `box` null: any input is valid. `pixelwise`: l0 counts pixels.

    `lattice`: so many values a feature, evenly from end to end of the box.
    """

    norm: str
    pixelwise: bool = Field(False, exclude_if=lambda pixelwise: not pixelwise)
    epsilon: float | None
    goal: Goal
    box: tuple[Any, Any] | None
    lattice: LatticeRequest | None = Field(None, exclude_if=lambda lattice: lattice is None)


class DataIdentity(Archived):
    """The audit was of these samples, and of this selection of them."""

    card: SamplesCard
    selected: int
    selection: str  # in words
    labels: Literal["given", "predicted"]
    misclassified: int | None  # null without given labels, or where failed jobs leave samples unseen


class Comparison(Archived):
    """A comparison sets this audit against its baseline on the same rows of the same upload, under the same threat.

    `low` and `high`: 95 % interval of the median ratio (order statistics), distribution-free; null where it has no end.
    `p_value`: sign test, two-sided: how surprising such a split would be if neither model were more robust.
    """

    baseline_audit_id: str
    baseline_model: str  # its name
    measure: str  # `upper`, `lower`, or the method of a score
    paired: int  # samples compared: those with this number in at least one of the audits
    larger: int  # here the distance is larger: this model is more robust
    smaller: int
    equal: int
    median_ratio: float | None  # of here to baseline; over the samples right in both audits that have both numbers
    low: float | None
    high: float | None
    p_value: float
    remark: str | None = None  # what else differs between the two audits


class JobRow(Archived):
    """A job row tells how one job of the audit was set, how it went and what it cost."""

    job_id: str
    method: str
    version: str
    family: Literal["score", "attack", "certificate"]
    knowledge: Literal["white_box", "black_box_score", "black_box_decision"]
    proves: Kind | Literal["exact"]
    reference: str
    state: JobState
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    params: dict[str, Any]
    budget: dict[str, Any]
    epsilon: float | None
    samples: int
    counts: dict[str, int] = {}
    queries: QueryCount | None = None
    gradients: int = 0
    seconds: float = 0.0
    device: str = ""
    isolation: str = ""
    isolation_denied: tuple[str, ...] = ()  # layers of the strictest level that some machine denied
    warnings: tuple[str, ...] = ()
    hints: GivenHints | None = None  # what earlier phases had found and the job was given
    is_baseline: bool = False  # what every attack has to beat: its points count, its silence does not
    by_substitutes: bool = False  # it went by substitutes for gradients, not by the model's own

    @model_validator(mode="before")
    @classmethod
    def _reads_earlier_reports(cls, given: Any) -> Any:
        return earlier.job_with_baseline(given)


class Skipped(Archived):
    """A method of the recipe was skipped, since it could not run here for this reason."""

    method: str
    reason: str


class AuditSettings(Archived):
    """Settings are everything that was chosen. `policy` is the policy as it was read."""

    recipe: str
    draft: bool = False  # the recipe was not frozen yet: another audit by that name may be another audit
    seed: int
    seconds: float | None = None  # of computing that the audit might take in all; null: no limit
    policy: dict[str, Any] | None
    baseline_audit_id: str | None


class Digests(Archived):
    """Digests are SHA-256, hex. `settings`: of recipe, threat, selection, seed and policy as canonical JSON.

    `model`: of its bytes; of an endpoint, which has no bytes here, of its description without the secret.
    """

    model: str
    samples: str
    settings: str
    policy: str | None


class Report(Archived):
    format: Literal["brinell-report-1"] = FORMAT
    audit_id: str
    generated_at: datetime
    verdict: Literal["pass", "fail", "inconclusive"] | None
    rules: tuple[RuleOutcome, ...]
    waivers: tuple[Waiver, ...]
    summary: AuditSummary
    model: ModelCard
    data: DataIdentity
    threat: ThreatModel
    samples: tuple[SampleRow, ...]
    envelope: tuple[EnvelopePoint, ...]
    alarms: tuple[Alarm, ...]
    efforts: tuple[Effort, ...]
    contributions: tuple[Contribution, ...] = ()  # of the attacks, in the order of the recipe
    comparisons: tuple[Comparison, ...] = ()  # with the baseline, where one was named
    gallery: Gallery | None
    jobs: tuple[JobRow, ...]
    skipped: tuple[Skipped, ...]
    settings: AuditSettings
    versions: dict[str, str]
    digests: Digests
    limitations: tuple[str, ...]  # plain sentences
