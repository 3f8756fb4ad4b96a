"""What may be asked of `zoo`: presets, and the numbers behind them."""

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator

from algorithms.attacks.zoo.steps import OptimizerName
from algorithms.method import Params
from algorithms.searches.penalties.hinge import UnitsName
from algorithms.searches.penalties.variables import VariablesName

MOST_GRIDS = 8

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Counts = Annotated[
    tuple[Count, ...],
    BeforeValidator(lambda given: tuple(given) if isinstance(given, list) else given),
    Field(max_length=MOST_GRIDS),
]


class ZooSchedule(NamedTuple):
    """A schedule says how many constants are tried, from which c on, and in how many steps of which rate each."""

    steps: int
    search_steps: int
    constant: float
    learning_rate: float


PAPER: dict[str, Any] = {
    "optimizer": "adam",
    "units": "box",
    "even_share": 1.0,
    "last_rate": 1.0,
    "looks": 30,  # every 100 steps
}
SCHEDULES = {
    ("quick", "newton"): ZooSchedule(60, 6, 4.0, 0.5),
    ("quick", "adam"): ZooSchedule(60, 6, 4.0, 1.0),
    ("paper", "newton"): ZooSchedule(3000, 9, 0.01, 0.01),  # as their code has it for MNIST
    ("paper", "adam"): ZooSchedule(3000, 9, 0.01, 0.01),
}


class ZooParams(Params):
    """Parameters name a preset, any of whose numbers may be given instead."""

    name: Literal["zoo"] = "zoo"
    preset: Literal["quick", "paper"] = Field(
        "quick", description="all numbers below by one word; any of them may be given instead"
    )
    optimizer: OptimizerName = Field("newton", description="how coordinates move: newton or adam. paper: adam")
    coordinates: int = Field(
        128, ge=1, le=10_000, description="drawn in a step, at two queries each; all of them where there are fewer"
    )
    difference: float = Field(
        0.01,
        gt=0,
        le=0.25,
        description="how far apart a point and those beside it are, as a share of each side of the box, and at most a "
        "tenth of the distance to first order; wider on plateaus",
    )
    confidence: float = Field(0.0, ge=0, le=1e6, description="kappa: by how much another class has to lead, in scores")
    units: UnitsName = Field(
        "sample",
        description="what lengths are measured in: sample: the distance to first order of the nearest rival, and "
        "scores by their slopes at the sample, as the first step finds them; box: as they come. paper: box",
    )
    variables: VariablesName = Field(
        "offset",
        description="what is moved: offset: the change itself, clipped to the box; tanh: its arc tangent in the box, "
        "with adam",
    )
    grids: Counts | None = Field(
        None,
        description="points along the sides of the grids that are attacked one after the other, bilinearly resized; "
        "null: all features",
    )
    grow_at: Counts | None = Field(
        None, description="of each descent, the steps at which the next grids begin, and the optimizer afresh"
    )
    even_share: float = Field(
        0.1,
        gt=0,
        le=1,
        description="share of the draws that all coordinates have alike; the rest go by how far their neighborhoods "
        "have moved. paper: 1",
    )
    steps: int | None = Field(None, ge=1, le=1_000_000, description="of one descent; null: by preset")
    search_steps: int | None = Field(None, ge=1, le=1000, description="constants c that are tried; null: by preset")
    constant: float | None = Field(None, gt=0, le=1e9, description="the first c; null: by preset")
    learning_rate: float | None = Field(None, gt=0, le=1e3, description="null: by preset")
    last_rate: float = Field(
        0.05, gt=0, le=1, description="the last rate over the first: it falls as a cosine. paper: 1"
    )
    looks: int = Field(
        4,
        ge=0,
        le=1000,
        description="in a descent, at a sample's least loss: where it has not fallen since, the sample leaves. "
        "paper: 30",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("preset") == "paper":
            return PAPER | given
        return given

    @model_validator(mode="after")
    def _move_a_tanh_by_adam(self) -> Self:
        if self.variables == "tanh" and self.optimizer == "newton":
            raise ValueError(
                "variables tanh goes with optimizer adam: where a tanh is flat, Newton's steps have no end"
            )
        return self

    @model_validator(mode="after")
    def _grow_from_grid_to_grid(self) -> Self:
        grids, steps = self.grids or (), self.grow_at or ()
        if len(steps) != max(0, len(grids) - 1):
            raise ValueError("grow_at names the step at which each grid but the first begins; grids, the grids")
        if list(steps) != sorted(set(steps)):
            raise ValueError("grow_at names steps one after the other, each later than the one before")
        return self

    @property
    def schedule(self) -> ZooSchedule:
        """Take the preset's numbers, and those that were given instead."""
        given = {name: getattr(self, name) for name in ZooSchedule._fields}
        preset = SCHEDULES[self.preset, self.optimizer]
        return preset._replace(**{name: n for name, n in given.items() if n is not None})
