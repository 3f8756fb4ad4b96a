"""A property to be decided of a model: what was asked, and what a worker needs, frozen when it was admitted."""

from pydantic import Field

from jobs.request import Positive
from jobs.spec import QueueName
from models.cards import ModelCard
from models.record import Record

METHOD, VERSION = "property", "1"  # as a job's method is told
DECIDE = "decide"  # the kind of work
QUEUE: QueueName = "compute"
SECONDS = 300.0  # where none are given
HAND_OVER_SECONDS = 60.0  # of a job beyond them: a step of a search may go on for long


class PropertyFile(Record):
    """A property file is VNN-LIB text that the library keeps while the job is there."""

    sha256: str
    size_bytes: int


class PropertyRequest(Record):
    """A property request says which property to decide of which model, and how long to look for an answer."""

    model_id: str
    property: PropertyFile
    seconds: Positive = SECONDS


class PropertySpec(Record):
    """A property spec holds all that a worker needs to decide a property: it is one piece of work, about no samples."""

    request: PropertyRequest
    method_version: str = VERSION
    model: ModelCard
    shape: tuple[int, ...]  # of the model's input: a witness has it
    outputs: int  # numbers that the graph gives out for a row
    indices: tuple[int, ...] = Field((0,), min_length=1, max_length=1)  # the one line of its answer

    @property
    def stages(self) -> tuple[tuple[str, int], ...]:
        """Names the kinds of work that the job consists of, and how many chunks each has."""
        return ((DECIDE, 1),)
