"""What is written down of an audit: what it was asked, its jobs, what became of it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import computed_field

from audits.asking.recipe import RecipeStep
from audits.asking.request import AuditRequest
from audits.document.report import Skipped
from audits.document.summary import AuditSummary
from audits.document.verdict import Overall
from jobs.record import JobError, Progress
from jobs.spec import QueueName, ThreatSpec
from jobs.states import JobState
from models.cards import ModelCard, SamplesCard
from models.record import ECHOED, Record

if TYPE_CHECKING:
    TakenAudit = dict[str, Any]
else:
    TakenAudit = Annotated[AuditRequest, *ECHOED]


class AuditSpec(Record):
    """A spec holds all that the report needs beside the jobs themselves, frozen when the audit was admitted."""

    request: AuditRequest  # as echoed to the caller
    model: ModelCard
    samples: SamplesCard
    indices: tuple[int, ...]  # the selected rows of the upload
    threat: ThreatSpec
    skipped: tuple[Skipped, ...]
    phases: tuple[tuple[RecipeStep, ...], ...] = ()  # what runs, whatever the recipe has become
    baseline: str | None = None  # digest of the baseline audit's report, held as long as this audit lives
    draft: bool = False  # of a recipe that was not frozen yet
    queue: QueueName = "compute"


class AuditJob(Record):
    job_id: str
    method: str
    state: JobState


class Audit(Record):
    """An audit is shown as this public JSON."""

    id: str
    state: JobState
    request: TakenAudit  # its recipe, or a method of it, may be gone by now
    jobs: tuple[AuditJob, ...]
    skipped: tuple[Skipped, ...]
    progress: Progress
    verdict: Overall | None = None
    summary: AuditSummary | None = None
    report_ready: bool = False
    draft: bool = False  # its recipe was not frozen yet: another audit by that name may be another audit
    error: JobError | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def links(self) -> dict[str, str]:
        here = f"/v1/audits/{self.id}"
        return {
            "self": here,
            "verdict": f"{here}/verdict",
            "report": f"{here}/report",
            "events": f"{here}/events",
            "cancel": f"{here}/cancel",
            "model": f"/v1/models/{self.request['model_id']}",
            "samples": f"/v1/samples/{self.request['samples_id']}",
        }
