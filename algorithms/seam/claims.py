"""What may be concluded about one sample's true robust radius r*, typed by what it proves.

A method yields *claims*; the driver checks them and turns the best one into a *finding*.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Details = dict[str, Any]
Ended = Literal["finished", "budget", "cancelled"]


class Kind(StrEnum):
    UPPER_BOUND = "upper_bound"
    LOWER_BOUND = "lower_bound"
    SMOOTHED_LOWER_BOUND = "smoothed_lower_bound"
    ESTIMATE = "estimate"
    ABSTAINED = "abstained"
    MISCLASSIFIED = "misclassified"
    FOOLED = "fooled"  # of a class, not of a sample: an input that means nothing is answered with it


NO_NORM = "none"  # of findings that measure nothing


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim is about one sample of the conversation, its owner; details are what a finding tells beside it."""

    owner: int = 0
    details: Details = field(default_factory=dict)


@dataclass(frozen=True)
class Showing(Claim):
    """A `Showing` is a claim about a point. The driver measures it by itself, and asks the model again."""

    x_adv: NDArray[np.float32]  # (*shape)


@dataclass(frozen=True)
class UpperBound(Showing):
    """An `UpperBound` claims that x_adv is adversarial, so that r* <= its distance."""


@dataclass(frozen=True)
class Fooling(Showing):
    """A `Fooling` claims that x_adv is answered with the class that is aimed at: of no sample it bounds anything."""


@dataclass(frozen=True)
class LowerBound(Claim):
    """A `LowerBound` claims that no perturbation within radius changes the answer; `confidence` says how surely."""

    radius: float
    confidence: float = 1.0


@dataclass(frozen=True)
class Exact(Showing):
    """An `Exact` claims that nothing within radius changes the answer, and that x_adv, at that distance, does.

    Where the model does not say so, the radius stands alone.
    """

    radius: float

    confidence: ClassVar[float] = 1.0


@dataclass(frozen=True)
class SmoothedLowerBound(Claim):
    """A `SmoothedLowerBound` bounds r* of the smoothed classifier, and never joins a bracket of the base one."""

    radius: float
    confidence: float


@dataclass(frozen=True)
class Estimate(Claim):
    """An `Estimate` is a number near r* with no guarantee on either side."""

    value: float


@dataclass(frozen=True)
class Abstained(Claim):
    """An `Abstained` claims nothing: the method cannot say, and says why (a stable word)."""

    reason: str


@dataclass(frozen=True)
class Note(Claim):
    """A note holds diagnostics that are kept whatever the finding turns out to be."""

    details: Details


class Finding(BaseModel):
    """A finding is one sample's line in a job's answer, as stored and as shown.

    `details` holds what the method said, and what the driver found: of a point that the model confirmed, `trace` and
    `read_as`; of an end that `value` does not tell, `upper`, or `lower` with its `lower_confidence`.
    """

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    index: int  # row in the upload
    label: int
    predicted: int
    kind: Kind
    norm: str
    value: float | None
    confidence: float | None = None
    queries: int
    gradients: int
    ended: Ended
    details: Details = {}


@dataclass(frozen=True)
class Outcome:
    """An outcome is a finding, with the point that shows it where there is one."""

    finding: Finding
    x_adv: NDArray[np.float32] | None = None
