"""May this job run? Every refusal of a job that concerns its model, samples, method, threat and budget. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.record import JobSpec
from jobs.request import JobRequest
from models.manifest import ModelCard, SamplesCard


@dataclass(frozen=True)
class Rows:
    """The selected rows of the upload: x (m, *shape), y (m,)."""

    x: NDArray[np.float32]
    y: NDArray[np.int64] | None


def selected(request: JobRequest, samples: SamplesCard) -> tuple[int, ...]:
    """The rows of the upload that the job asks for, in the order of its answer."""
    raise NotImplementedError


def wants_rows(request: JobRequest) -> bool:
    """Whether `admit` must see the selected rows themselves: a box per feature, or given targets."""
    raise NotImplementedError


def admit(request: JobRequest, card: ModelCard, samples: SamplesCard, rows: Rows | None = None) -> JobSpec:
    """The job as it will run. Raises Refused(code, pointer), Conflict(model_not_ready).

    `rows` (of `selected`) is needed where `wants_rows` says so.
    """
    raise NotImplementedError
