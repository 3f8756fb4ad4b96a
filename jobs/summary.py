"""All findings of a succeeded job in a few numbers."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from jobs.record import ChunkResult, JobSpec


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Part):
    """A rate and its Clopper-Pearson 95 % interval."""

    value: float
    low: float
    high: float


class Spread(_Part):
    mean: float
    median: float
    min: float
    max: float


class QueryCount(_Part):
    total: int
    mean: float
    median: float
    max: int
    http_calls: int


class Summary(_Part):
    """All findings of a succeeded job in a few numbers."""

    counts: dict[str, int]
    samples: int
    labels: Literal["given", "predicted"]
    clean_accuracy: Interval | None
    value: Spread | None
    value_correct: Spread | None
    success_rate: Interval | None
    queries: QueryCount
    gradients: int
    seconds: float
    device: str
    isolation: str
    versions: dict[str, str]
    warnings: tuple[str, ...]


def summarize(spec: "JobSpec", results: "list[ChunkResult]") -> Summary:
    """Of all chunks of a job, in their order."""
    raise NotImplementedError
