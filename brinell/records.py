"""What the service answers, as typed dictionaries: exactly the JSON of the API, so that nothing is lost on the way."""

from typing import Any, Generic, Literal, TypedDict, TypeVar

Item = TypeVar("Item")

ModelState = Literal["inspecting", "ready", "refused", "unverified"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled", "expired"]
ENDED = frozenset({"succeeded", "failed", "cancelled", "expired"})


class Page(TypedDict, Generic[Item]):
    items: list[Item]
    next_cursor: str | None


class Reason(TypedDict):
    """Why a model was refused, or a job failed."""

    code: str
    detail: str


class Model(TypedDict):
    """A model under audit. What its inspection finds out is null until it is `ready`."""

    id: str
    kind: str
    name: str
    state: ModelState
    refusal: Reason | None
    sha256: str
    size_bytes: int
    input: dict[str, Any] | None
    output: dict[str, Any] | None
    preprocessing: dict[str, Any] | None
    opset: int | None
    offers: list[str]
    withheld: list[dict[str, str]]
    parity: dict[str, Any] | None
    endpoint: dict[str, Any] | None
    credential: dict[str, Any] | None
    probe: dict[str, Any] | None
    created_at: str


class Samples(TypedDict):
    id: str
    name: str
    count: int
    shape: list[int]  # without the leading count
    dtype: str
    labelled: bool
    label_minimum: int | None
    label_maximum: int | None
    minimum: float
    maximum: float
    sha256: str


class Method(TypedDict):
    name: str
    version: str
    family: str
    threat_model: str
    needs: list[str]
    norms: list[str]
    goals: list[str]
    epsilon: str
    proves: str
    reference: str
    params_schema: dict[str, Any]


class Progress(TypedDict):
    samples_done: int
    samples_total: int
    queries: int
    gradients: int
    fraction: float
    eta_seconds: float | None


class Job(TypedDict):
    id: str
    state: JobState
    request: dict[str, Any]
    progress: Progress
    summary: dict[str, Any] | None
    error: Reason | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    links: dict[str, str]


class Finding(TypedDict):
    """One sample's line in a job's answer. `index` is its row in the upload."""

    index: int
    label: int
    predicted: int
    kind: str
    norm: str
    value: float | None
    confidence: float | None
    queries: int
    gradients: int
    ended: str
    details: dict[str, Any]
