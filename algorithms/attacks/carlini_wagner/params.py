"""What may be asked of the attacks of Carlini & Wagner: presets, and the numbers behind them."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Counting, Measure, Norm
from algorithms.method import Params
from algorithms.searches.penalties.hinge import UnitsName
from algorithms.searches.penalties.variables import VariablesName


class Schedule(NamedTuple):
    """A schedule says how many constants, in linf tau, in l0 sets of features, are tried, from which c on, and how."""

    steps: int
    search_steps: int
    constant: float
    learning_rate: float


PAPER: dict[str, Any] = {"units": "box", "variables": "tanh", "last_rate": 1.0}
SCHEDULES = {
    ("quick", Norm.L2): Schedule(150, 6, 4.0, 0.2),
    ("paper", Norm.L2): Schedule(10_000, 9, 1e-3, 0.01),
    ("quick", Norm.LINF): Schedule(100, 12, 0.9, 0.05),
    ("paper", Norm.LINF): Schedule(1000, 60, 1e-5, 0.005),  # 0.9^53 < 1/256: the paper counts no tau
    ("quick", Counting.L0): Schedule(50, 20, 32.0, 0.2),
    ("paper", Counting.L0): Schedule(1000, 1000, 1e-3, 0.01),  # the paper counts no solves
}


class CarliniWagnerParams(Params):
    """Parameters name a preset, any of whose numbers may be given instead."""

    name: Literal["carlini_wagner"] = "carlini_wagner"
    preset: Literal["quick", "paper"] = "quick"
    confidence: float = Field(0.0, ge=0, le=1e6, description="kappa: by how much another class has to lead, in scores")
    units: UnitsName = Field(
        "sample",
        description="what lengths are measured in: sample: the distance to first order of the nearest rival, and "
        "scores by their slopes at the sample; box: as they come. paper: box",
    )
    variables: VariablesName = Field(
        "offset",
        description="what is moved: offset: the change itself, clipped to the box; tanh: its arc tangent in the box. "
        "paper: tanh",
    )
    steps: int | None = Field(None, ge=1, le=100_000, description="gradient steps of one descent; null: by preset")
    search_steps: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="l2: constants c that are tried; linf: tau that are; l0: solves; null: by preset",
    )
    constant: float | None = Field(None, gt=0, le=1e9, description="the first c; null: by preset")
    learning_rate: float | None = Field(None, gt=0, le=1e3, description="of Adam; null: by preset")
    last_rate: float = Field(
        0.01, gt=0, le=1, description="the last rate over the first: it falls as a cosine. 0.01, 1 by preset"
    )
    looks: int = Field(
        10,
        ge=0,
        le=1000,
        description="l2: in a descent, at a sample's loss: where it has not fallen since, the sample leaves",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("preset") == "paper":
            return PAPER | given
        return given

    def schedule(self, norm: Measure) -> Schedule:
        """Take the preset's numbers for this norm, and those that were given instead."""
        given = {name: getattr(self, name) for name in Schedule._fields}
        return SCHEDULES[self.preset, norm]._replace(**{name: n for name, n in given.items() if n is not None})

    def rate(self, schedule: Schedule, step: NDArray[np.int64]) -> Numbers:
        """Compute the rates of steps (m,): they fall as a cosine."""
        falling = (1 - self.last_rate) * (1 + np.cos(np.pi * (step / schedule.steps))) / 2
        return np.asarray(schedule.learning_rate * (self.last_rate + falling))
