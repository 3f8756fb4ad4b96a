"""The right to do a piece of work, and how the work is given back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

from pydantic import Field

from jobs.property import PropertySpec
from jobs.result import ChunkResult
from jobs.spec import JobSpec
from jobs.summary import Preparation
from models.cards import Endpoint, ModelCard
from models.record import Record


class _Right(Record):
    """The right to do one chunk of the work on a subject until it expires. A later one has a higher fence."""

    tenant: str
    subject_id: str  # of the model, job or audit that the work is about
    work: str  # its kind: a file of `workers/work/`
    chunk: int
    width: int = 1  # how many chunks, from that one on
    fence: int
    attempt: int

    @property
    def endpoint(self) -> Endpoint | None:
        """Returns the endpoint that the work calls; None: it calls none."""
        return None


class ModelLease(_Right):
    """The right to work on a model that is not ready yet: to inspect it, or to make it."""

    model: ModelCard
    sealed: str | None = Field(None, repr=False)  # the ciphertext of an endpoint's credential
    spec: str = "{}"  # JSON, which its kind reads with the record that it was written from
    deadline: float | None = None  # the work's, on the monotonic clock of the worker's machine; None: it has none

    @property
    def endpoint(self) -> Endpoint | None:
        """Returns the endpoint that the model is."""
        return self.model.endpoint

    @property
    def seconds_left(self) -> float | None:
        """Counts from the moment it is read; None: there is no end."""
        return None if self.deadline is None else self.deadline - monotonic()


class JobLease(_Right):
    """A job's lease is the right to compute one of its chunks, or what all its chunks need."""

    spec: JobSpec
    prepared: Preparation | None = None  # what an earlier stage of the job made
    sealed: str | None = Field(None, repr=False)  # the ciphertext of an endpoint's credential
    deadline: float  # the job's, on the monotonic clock of the worker's machine

    @property
    def model(self) -> ModelCard:
        """Returns the card of the model that the work is about."""
        return self.spec.model_of(self.work)

    @property
    def endpoint(self) -> Endpoint | None:
        """Returns the endpoint that the work calls; none is called by work in the queue of uploads."""
        return self.model.endpoint if self.spec.queue_of(self.work) == "probe" else None

    @property
    def is_last_stage(self) -> bool:
        """Tells whether the work is the job's own, chunk by chunk, and not what is made before it."""
        return self.work == self.spec.stages[-1][0]

    @property
    def indices(self) -> tuple[int, ...]:
        """Returns the rows of the upload that it is about."""
        return self.spec.rows(self.chunk, self.width)

    @property
    def seconds_left(self) -> float:
        """Counts from the moment it is read: a lease waits for a runner, and a runner for its model."""
        return self.deadline - monotonic()


class PropertyLease(_Right):
    """A property's lease is the right to decide it: a job, too, and one without samples."""

    spec: PropertySpec
    deadline: float  # the job's, on the monotonic clock of the worker's machine

    @property
    def model(self) -> ModelCard:
        """Returns the card of the model that the property is about."""
        return self.spec.model

    @property
    def is_last_stage(self) -> bool:
        """Tells that nothing is made before it."""
        return True

    @property
    def indices(self) -> tuple[int, ...]:
        """Returns the one line of its answer."""
        return self.spec.indices

    @property
    def seconds_left(self) -> float:
        """Counts from the moment it is read."""
        return self.deadline - monotonic()


class AuditLease(_Right):
    """The right to work on an audit whose jobs have ended."""


Lease = ModelLease | JobLease | PropertyLease | AuditLease


@dataclass(frozen=True)
class Commit:
    """A commit is what work gave, to be written down in one move, or not at all where its lease stands no more.

    `fields`: of the subject, as text or JSON. `digests`: bytes of the library that the subject holds from then on, and
    `given_up` those that it holds no more. `goes_on`: the chunk is not done with that, and begins anew, as its attempts
    do.
    `result`: of a chunk of a job; its adversarial points are held without being named again. `jobs`: of an audit, which
    goes on with them, be they none, instead of ending.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    digests: tuple[str, ...] = ()
    result: ChunkResult | None = None
    jobs: tuple[JobSpec, ...] | None = None
    goes_on: bool = False
    given_up: tuple[str, ...] = ()
