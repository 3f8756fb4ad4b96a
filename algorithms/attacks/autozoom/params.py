"""What may be asked of AutoZOOM."""

from typing import Literal

from pydantic import Field

from algorithms.searches.directions.params import DirectionParams


class AutoZOOMParams(DirectionParams):
    name: Literal["autozoom"] = "autozoom"
    directions: Literal["full", "dct", "bilinear", "spanning", "decoder"] = Field(
        "bilinear",
        description="what is searched and decoded to a change: coarse grids, low frequencies, the span of auxiliary "
        "samples, what the decoder of an auto-encoder takes that is trained on them, or all features",
    )
    grid: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="with bilinear: points of the grid along each axis; null: half of the axis, at most 32; all "
        "features of tables and of very small images",
    )
    iterations: int = Field(5000, ge=1, le=1_000_000, description="steps at most; mostly the budget ends the search")
    learning_rate: float = Field(
        0.01, gt=0, le=10, description="of Adam, a step of each number searched, over the box's side"
    )
    difference: float = Field(
        1e-3,
        gt=0,
        le=0.25,
        description="how far apart the point of an estimate and those beside it are, a number searched, over the "
        "box's side; wider on plateaus. paper: size^-1.5",
    )
    fine_directions: int = Field(
        4, ge=1, le=1000, description="q: random directions of an estimate after the first success; 1 before"
    )
    confidence: float = Field(0.0, ge=0, le=1e6, description="kappa: by how much another class has to lead, in scores")
    constant: float = Field(
        0.1, gt=0, le=1e9, description="the first c, of the hinge over that of the sample, beside mean squares"
    )
    switch: int = Field(100, ge=1, le=1_000_000, description="steps after which c is changed, without a new beginning")
