"""Cards: what is known of a model or of samples without opening them. The public JSON is these classes."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from typing_extensions import TypeAliasType

from algorithms.seam.access import Access
from models.class_names import NamedClasses, NamesByColumn
from models.kinds import KindName
from models.record import Record

ModelState = Literal["inspecting", "ready", "refused", "unverified"]
OutputKind = Literal["logits", "probabilities", "labels"]
# What an upload may say that its output is. An alias, for it to have a name in the OpenAPI document.
Meaning = TypeAliasType("Meaning", Literal["logit", "probability", "decision", "label"])


LARGEST = float(np.finfo(np.float32).max)  # preprocessing is computed in float32
WHOLE = re.compile(r"u?int[0-9]*|bool", re.IGNORECASE)  # datatypes of whole numbers
FiniteNumber = Annotated[float, Field(strict=True, ge=-LARGEST, le=LARGEST)]  # strict: "2" and true are no numbers
PerChannel = FiniteNumber | Annotated[list[FiniteNumber], Field(min_length=1, max_length=4096)]


class Preprocessing(Record):
    """A preprocessing takes each row x to (x - subtract) / divide, prepended to the graph.

    Lists run along the channel axis: the first of a row, or of an image (H, W, C) the last.
    """

    subtract: PerChannel = 0.0
    divide: PerChannel = 1.0

    @model_validator(mode="after")
    def _divisor_is_not_zero(self) -> "Preprocessing":
        divisors = self.divide if isinstance(self.divide, list) else [self.divide]
        if not np.all(np.asarray(divisors, np.float32)):
            raise ValueError("divide must not be zero, nor so small that float32 makes it zero")
        return self


class ModelInput(Record):
    name: str
    dtype: str
    shape: tuple[int, ...]  # without the batch axis
    batch: int | None  # None: any; a number: the fixed size it is served in
    whole_features: tuple[int, ...] = ()  # of a row, counted flat: read as whole numbers or as categories


class ModelOutput(Record):
    name: str
    classes: int
    kind: OutputKind


class Reads(Record):
    """A reading tells which output speaks for a model, what its numbers are, and how that is known.

    One number a row is a `logit` or a `decision`, of which class 1 has all above 0, or a `probability`, of which it has
    all above 1/2. Of several numbers a row, `logits` or `probabilities`, the largest is the answer.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    output: str
    as_: Meaning | Literal["logits", "probabilities"] = Field(validation_alias="as", serialization_alias="as")
    because: Literal["graph", "values", "told"]  # `values`: guessed by what it answered to rows that were tried


class Withheld(Record):
    """A withheld access could have been offered by this model, and says why it is not."""

    offer: Access
    reason: str
    by_kind: bool = False  # its kind of function has none: no other export would offer it


class Parity(Record):
    """Parity sets the scores of the gradient path against those of onnxruntime, on random rows."""

    max_abs_difference: float
    rows: int


class Refusal(Record):
    code: str
    detail: str


def _is_no_whole_number(dtype: object) -> object:
    if isinstance(dtype, str) and WHOLE.fullmatch(dtype):
        raise ValueError(
            "attacks change rows by fractions, which whole numbers cannot carry; let the endpoint take float32 or"
            " float64 and round for itself, if it must"
        )
    return dtype


class EndpointInput(Record):
    """An endpoint's input says what one row is: `shape` without the batch axis, `dtype` on the wire."""

    shape: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, max_length=8)]
    dtype: Annotated[Literal["float32", "float64"], BeforeValidator(_is_no_whole_number)] = "float32"


class EndpointOutput(Record):
    """An endpoint's output says what it answers for a row, of how many classes, or of which, named by column."""

    kind: OutputKind
    classes: Annotated[
        Annotated[int, Field(ge=2, le=100_000), Tag("count")] | Annotated[NamesByColumn, Tag("names")],
        Discriminator(lambda given: "names" if isinstance(given, list | tuple) else "count"),
    ]

    @property
    def named(self) -> NamedClasses:
        """Returns the classes: by them labels are read."""
        if isinstance(self.classes, int):
            return NamedClasses(self.classes, None)
        return NamedClasses(len(self.classes), self.classes)


TRIES = 3  # of one request that fails


class Limits(Record):
    """Limits say how hard an endpoint may be pressed. The rate counts for all jobs on its origin together."""

    max_batch: Annotated[int, Field(ge=1, le=4096)] = 32  # rows a request
    concurrency: Annotated[int, Field(ge=1, le=64)] = 2  # requests under way at a time
    requests_per_second: Annotated[float, Field(ge=0.1, le=10_000, allow_inf_nan=False)] = 5.0
    burst: Annotated[int, Field(ge=1, le=10_000)] = 10  # requests that may come at once after a pause
    timeout_seconds: Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)] = 10.0  # of one whole request

    @property
    def longest_request_seconds(self) -> float:
        """Sum the seconds that one request may take with all its tries, waits that the endpoint asks for left out."""
        return TRIES * self.timeout_seconds


class Endpoint(Record):
    """An endpoint is a model that already serves: where, in which words, how hard it may be pressed.

    Its digest is of this JSON.
    """

    url: str
    origin: str  # scheme://host:port of the url
    protocol: str
    options: dict[str, Any]  # as the protocol's own Options have it
    input: EndpointInput
    output: EndpointOutput
    limits: Limits


class Probe(Record):
    """A probe is what a few requests to an endpoint showed.

    `decimals`: its scores are rounded to so many; null: not visibly. `classes`: a row is answered by the scores of so
    few, the likeliest; null: of all.
    """

    max_batch: int
    deterministic: bool
    decimals: int | None
    classes: int | None = Field(None, exclude_if=lambda classes: classes is None)


class CredentialFacts(Record):
    """A secret is written, never read. The fingerprint tells one from another."""

    set: Literal[True] = True
    fingerprint: str


class Inspection(Record):
    """An inspection is what opening the file in the sandbox, or asking the endpoint, found out."""

    input: ModelInput
    output: ModelOutput
    reads: Reads
    classes_named: NamesByColumn | None = None  # by column; None: nobody told
    label_output_differs: bool | None = None
    opset: int | None = None  # of an ONNX file
    offers: tuple[Access, ...]
    withheld: tuple[Withheld, ...] = ()
    substitutes: tuple[str, ...] = ()  # operators that `bpda` passes by substitutes for gradients
    parity: Parity | None = None
    probe: Probe | None = None  # of an endpoint


class ModelCard(Record):
    """A model card tells of a model under audit. The fields of its inspection are null until it is `ready`."""

    id: str
    kind: KindName
    name: str
    state: ModelState
    refusal: Refusal | None = None
    sha256: str
    size_bytes: int
    input: ModelInput | None = None
    output: ModelOutput | None = None
    output_told: Meaning | None = None  # by `output=` of the upload
    reads: Reads | None = None  # null, too, of a model that an older version inspected
    classes_named: NamesByColumn | None = None  # by column; null: nobody told
    label_output_differs: bool | None = None  # from the largest score beside it on some row; null: there are not both
    preprocessing: Preprocessing | None = None
    opset: int | None = None
    offers: tuple[Access, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    substitutes: tuple[str, ...] = ()  # operators that `bpda` passes by substitutes for gradients
    parity: Parity | None = None
    endpoint: Endpoint | None = None
    credential: CredentialFacts | None = None
    probe: Probe | None = None
    created_at: datetime

    @property
    def classes(self) -> NamedClasses:
        """Returns the classes of a model that is ready: by them labels are read."""
        assert self.output is not None
        return NamedClasses(self.output.classes, self.classes_named)

    def inspected(self, found: Inspection) -> "ModelCard":
        return self.model_copy(update={"state": "ready", **dict(found)})

    def refused(self, code: str, detail: str) -> "ModelCard":
        return self.model_copy(update={"state": "refused", "refusal": Refusal(code=code, detail=detail)})


class SamplesFacts(Record):
    """Facts of samples are what reading the upload once found out."""

    count: int
    shape: tuple[int, ...]  # without n
    dtype: str
    labelled: bool
    label_minimum: int | None  # of labels that are numbers
    label_maximum: int | None
    label_values: tuple[int, ...] | tuple[str, ...] | None = None  # those that occur, in order; null: more than LISTED
    minimum: float
    maximum: float


class SamplesCard(SamplesFacts):
    id: str
    name: str
    sha256: str
    size_bytes: int
    created_at: datetime
