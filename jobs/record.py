"""What is written down of a job: what it was asked, what a worker needs for it, what came back."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, computed_field

from algorithms.mathematics.norms import Norm
from algorithms.seam.claims import Finding
from algorithms.seam.threat import Box, Threat
from jobs.request import Goal, JobRequest
from jobs.states import JobState
from jobs.summary import Preparation, Summary
from models.cards import ModelCard, SamplesCard

QueueName = Literal["compute", "inspect", "probe"]  # jobs on uploaded models; their inspections; all of endpoints
Work = Literal["inspect", "prepare", "run", "report"]  # the stage a unit of work belongs to
# One for all features; one a feature, in the flat order of the sample; or nested like a sample, where an axis of one
# number stands for the whole axis.
Bound = float | tuple[Any, ...]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ThreatSpec(_Record):
    """The admitted threat in plain JSON. `lower` and `upper` null: unbounded."""

    norm: Norm
    lower: Bound | None
    upper: Bound | None
    epsilon: float | None
    goal: Goal

    def threat(self, shape: tuple[int, ...]) -> Threat:
        """The algorithms' word for it; bounds other than numbers take the shape of a sample."""
        box = Box.unbounded()
        if self.lower is not None and self.upper is not None:
            box = Box(_bound(self.lower, shape), _bound(self.upper, shape))
        return Threat(norm=self.norm, box=box, epsilon=self.epsilon, targeted=self.goal_rule)

    @property
    def goal_rule(self) -> Literal["random", "least_likely", "runner_up", "given"] | None:
        if self.goal == "untargeted":
            return None
        return "given" if isinstance(self.goal.targeted, list) else self.goal.targeted


def _bound(values: Bound, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    array = np.asarray(values, np.float32)
    if array.ndim < 2:
        return array.reshape(shape) if array.ndim else array
    return np.array(np.broadcast_to(array, shape))


class JobSpec(_Record):
    """All a worker needs to compute a job, frozen when it was admitted."""

    request: JobRequest  # as echoed to the caller: defaults filled
    model: ModelCard
    samples: SamplesCard
    auxiliary: SamplesCard | None = None  # what the `prepare` stage works on; None: the job has none
    indices: tuple[int, ...]  # the selected rows of the upload, in the order of the answer
    targets: tuple[int, ...] | None = None  # one a selected row; None: untargeted, or chosen by a rule
    threat: ThreatSpec
    chunk_size: int = Field(ge=1)
    queue: QueueName = "compute"

    @property
    def chunks(self) -> int:
        return -(-len(self.indices) // self.chunk_size)

    def rows(self, chunk: int) -> tuple[int, ...]:
        """The chunk's rows of the upload."""
        return self.indices[chunk * self.chunk_size : (chunk + 1) * self.chunk_size]

    def targets_of(self, chunk: int) -> tuple[int, ...] | None:
        """The chunk's given targets, beside `rows`."""
        return self.targets and self.targets[chunk * self.chunk_size : (chunk + 1) * self.chunk_size]


class Progress(_Record):
    """Of one chunk when a worker beats, of the whole job when the API shows it."""

    samples_done: int = 0
    samples_total: int = 0
    queries: int = 0
    gradients: int = 0
    fraction: float = 0.0
    eta_seconds: float | None = None


class Lease(_Record):
    """The right to compute one chunk until it expires. A later lease of the same chunk has a higher fence."""

    tenant: str
    job_id: str
    chunk: int
    fence: int
    attempt: int
    worker_id: str
    work: Work
    spec: JobSpec | None  # for `prepare` and `run`
    model: ModelCard | None
    prepared: Preparation | None = None  # for `run`, where the job had a `prepare` stage
    sealed: str | None = Field(None, repr=False)  # the ciphertext of an endpoint's credential
    indices: tuple[int, ...]  # this chunk's rows of the upload
    deadline: float  # the job's, on the monotonic clock of the worker's machine

    @property
    def seconds_left(self) -> float:
        """Counted when it is read: a lease waits for a runner, and a runner for its model."""
        return self.deadline - monotonic()


class ChunkResult(_Record):
    """What computing one chunk gave and cost."""

    findings: tuple[Finding, ...]
    adversarials: str | None = None  # sha256 of an npz {index, x, label} in the library
    queries: int = 0
    gradients: int = 0
    http_calls: int = 0
    seconds: float = 0.0
    device: str
    isolation: str
    versions: dict[str, str] = {}
    warnings: tuple[str, ...] = ()


class JobError(_Record):
    """Why a job ended without success."""

    code: str
    detail: str


class Job(_Record):
    """The public JSON of a job."""

    id: str
    state: JobState
    request: JobRequest
    progress: Progress
    summary: Summary | None = None
    error: JobError | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def links(self) -> dict[str, str]:
        here = f"/v1/jobs/{self.id}"
        return {
            "self": here,
            "findings": f"{here}/findings",
            "adversarials": f"{here}/adversarials",
            "events": f"{here}/events",
            "cancel": f"{here}/cancel",
            "model": f"/v1/models/{self.request.model_id}",
            "samples": f"/v1/samples/{self.request.samples_id}",
        }


class KeyRecord(_Record):
    """An API key as stored: never the secret itself."""

    id: str
    tenant: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")  # it becomes part of store keys
    scopes: frozenset[str]
    secret_hash: str  # of the secret part, hex
    name: str = ""
    created_at: datetime
    last_used_at: datetime | None = None


class WorkerRecord(_Record):
    """A worker that has beaten within the last lease or two."""

    id: str
    kind: QueueName
    info: dict[str, Any] = {}


class Backlog(_Record):
    """How much there is to do. `jobs` by state; of the ended states it counts all that ever came there."""

    jobs: dict[JobState, int]
    chunks_waiting: int  # messages that no worker has taken
    chunks_running: int


T = TypeVar("T")


class Page(_Record, Generic[T]):
    """`next_cursor` null: there is no more."""

    items: tuple[T, ...]
    next_cursor: str | None = None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """A page of `Job` is called `JobPage` in the OpenAPI document."""
        return f"{params[0].__name__}Page"


@dataclass(frozen=True)
class Idempotency:
    """A client's key, made one of its call (method, path), and the fingerprint (query, body) of what came with it."""

    key: str
    fingerprint: str

    @property
    def digest(self) -> str:
        """The key as a part of a store key: clients may write anything into it."""
        return hashlib.sha256(self.key.encode()).hexdigest()
