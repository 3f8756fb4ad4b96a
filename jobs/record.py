"""What the API shows of a job: what was asked, how it stands, what became of it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, computed_field

from jobs.hints import GivenHints
from jobs.property import PropertyRequest
from jobs.request import JobRequest
from jobs.states import JobState
from jobs.summary import Summary
from models.record import ECHOED, Record

if TYPE_CHECKING:
    TakenJob = dict[str, Any]
else:
    TakenJob = Annotated[JobRequest | PropertyRequest, *ECHOED]


class Progress(Record):
    """Progress is of one chunk when a worker beats, of a whole job or audit when the API shows it."""

    samples_done: int = 0
    samples_total: int = 0
    queries: int = 0
    gradients: int = 0
    fraction: float = 0.0
    eta_seconds: float | None = None
    # How far a stage before the samples has come, while there is one.
    preparing: float | None = Field(None, exclude_if=lambda preparing: preparing is None)


class JobError(Record):
    """An error says why a job or an audit ended without success."""

    code: str
    detail: str


class JobMethod(Record):
    """A job's method is told with its version and all its parameters: what must be the same for the same numbers."""

    name: str
    version: str
    params: dict[str, Any]


class Job(Record):
    """A job is shown as this public JSON."""

    id: str
    state: JobState
    method: JobMethod
    request: TakenJob  # its method or a parameter of it may be gone by now
    hints: GivenHints | None = None  # of a job in a later phase of an audit: what it was given
    progress: Progress
    summary: Summary | None = None
    details: dict[str, Any] | None = None  # of a property that was decided: its answer, as its finding tells it
    error: JobError | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def links(self) -> dict[str, str]:
        """Returns where to go from here."""
        here = f"/v1/jobs/{self.id}"
        return {
            "self": here,
            "findings": f"{here}/findings",
            "adversarials": f"{here}/adversarials",
            "events": f"{here}/events",
            "cancel": f"{here}/cancel",
            "model": f"/v1/models/{self.request['model_id']}",
            **({"samples": f"/v1/samples/{self.request['samples_id']}"} if self.request.get("samples_id") else {}),
        }
