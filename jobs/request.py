"""The body of `POST /v1/jobs`, as pydantic sees it. `admission.py` checks it against the model and the samples."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from algorithms.mathematics.norms import NORMS, Counting, Measure, Norm
from algorithms.method import Budget
from algorithms.registry import MethodParams
from models.record import Record

MAX_REPEATS = 1000
MAX_SAMPLES = 100_000  # of one job: its findings live in Redis
MOST_LEVELS = 65_536  # of a lattice, a feature: of 16-bit images

# Strict: "3" and true are not numbers.
Whole = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]


MEASURES = (*NORMS, *Counting)


def _known(word: object) -> object:
    """Refuses a word that is no norm by one sentence, not by one for each type of norm."""
    if word not in MEASURES:
        words = [f"'{each}'" for each in MEASURES]
        raise PydanticCustomError(
            "enum", "Input should be {words}", {"words": f"{', '.join(words[:-1])} or {words[-1]}"}
        )
    return word


class Targeted(Record):
    """A goal with targets has a rule that picks each sample's, or one label per selected sample."""

    targeted: Literal["random", "least_likely", "runner_up"] | Annotated[list[Whole], Field(min_length=1)]


Goal = Literal["untargeted"] | Targeted


class LatticeRequest(Record):
    """A lattice has `levels` values a feature, evenly from end to end of a bounded box."""

    levels: int = Field(strict=True, ge=2, le=MOST_LEVELS, description="256 are the values of 8-bit images.")


class ThreatRequest(Record):
    """`box` left out, null and given are three different things: ask `box_is_given`."""

    norm: Annotated[Measure, BeforeValidator(_known)] = Norm.L2
    pixelwise: bool = Field(
        False,
        strict=True,
        exclude_if=lambda pixelwise: not pixelwise,
        description="In l0, count pixels with all their channels instead of features.",
    )
    box: Annotated[list[Any], Field(min_length=2, max_length=2)] | None = None
    epsilon: Positive | None = None
    goal: Goal = "untargeted"
    lattice: LatticeRequest | None = Field(
        None,
        exclude_if=lambda lattice: lattice is None,
        description="Ask and report only rows whose every feature is one of these values.",
    )
    scale: Any = Field(None, exclude=True, description="Reserved.")
    frozen: Any = Field(None, exclude=True, description="Reserved.")

    @field_validator("pixelwise")
    @classmethod
    def _pixels_are_counted(cls, pixelwise: bool, info: ValidationInfo) -> bool:
        if pixelwise and not isinstance(info.data.get("norm"), Counting):
            raise ValueError("it says what l0 counts; leave it out, or set norm to l0")
        return pixelwise

    @field_validator("epsilon")
    @classmethod
    def _counts_are_whole(cls, epsilon: float | None, info: ValidationInfo) -> float | None:
        if epsilon is not None and isinstance(info.data.get("norm"), Counting) and not epsilon.is_integer():
            raise ValueError("l0 counts changes; give a whole number")
        return epsilon

    @property
    def box_is_given(self) -> bool:
        """Tells whether the request has a box, be it null."""
        return "box" in self.model_fields_set


class BudgetRequest(Record):
    """The most one sample may cost, and the most seconds the whole job may run. Null: no limit."""

    queries_per_sample: Count | None = Budget.queries
    gradients_per_sample: Count | None = Budget.gradients
    repeats: int = Field(
        Budget.repeats,
        strict=True,
        ge=1,
        le=MAX_REPEATS,
        exclude_if=lambda repeats: repeats == 1,
        description="Ask each row so often, a query each, and go by the majority: for models that answer at random.",
    )
    seconds: Positive | None = None


class Selection(Record):
    """A selection takes rows of the upload. `limit`: the first N; `indices`: these. Neither: all of them."""

    limit: Count | None = None
    indices: Annotated[list[Annotated[Whole, Field(ge=0)]], Field(min_length=1, max_length=MAX_SAMPLES)] | None = None

    @model_validator(mode="after")
    def _is_one_way_of_choosing(self) -> Self:
        if self.limit is not None and self.indices is not None:
            raise ValueError("give limit or indices, not both")
        if self.indices is not None and len(set(self.indices)) < len(self.indices):
            raise ValueError("indices must differ from each other")
        return self

    @model_serializer(mode="wrap")
    def _only_what_was_chosen(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value is not None}


class JobRequest(Record):
    """What to do to which model with which samples. Minimal: model_id, samples_id, method.name.

    A method about classes takes no samples: samples_id is left out, or null, and `samples` chooses classes.
    """

    model_id: str
    samples_id: str | None = None
    auxiliary_samples_id: str | None = Field(
        None, description="Samples beside those under audit, for a method that learns from some before it begins."
    )
    surrogate_model_id: str | None = Field(
        None,
        exclude_if=lambda model_id: model_id is None,
        description="Another model, which a method attacks first to try on model_id what it found there.",
    )
    method: MethodParams
    threat: ThreatRequest = ThreatRequest()
    budget: BudgetRequest = BudgetRequest()
    samples: Selection = Selection()
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0
