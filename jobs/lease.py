"""The right to do a piece of work, and what doing it gave."""

from time import monotonic
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from algorithms.seam.claims import Finding
from jobs.spec import JobSpec
from jobs.summary import Preparation
from models.cards import ModelCard

Work = Literal["inspect", "prepare", "run", "report"]  # the stage a unit of work belongs to


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lease(_Record):
    """A lease is the right to compute one chunk until it expires. A later one of the same chunk has a higher fence."""

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
        """Counts from the moment it is read: a lease waits for a runner, and a runner for its model."""
        return self.deadline - monotonic()


class ChunkResult(_Record):
    """A result is what computing one chunk gave and cost."""

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
