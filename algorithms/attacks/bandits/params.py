"""What may be asked of bandits."""

from typing import Literal

from pydantic import Field

from algorithms.method import Params
from algorithms.searches.scores.margins import ScoreLoss


class BanditsParams(Params):
    name: Literal["bandits"] = "bandits"
    loss: ScoreLoss = Field("margin", description="what is climbed; paper: cross_entropy, flat on confident models")
    tile: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="tiles of the prior along each axis of an image; null: half of the axis, at most 50. Of a vector "
        "each feature is a tile",
    )
    exploration: float = Field(1.0, gt=0, le=100, description="length of the noise beside the prior")
    probe: float | None = Field(
        None,
        gt=0,
        le=10,
        description="eta: how far rows are probed, over the box's side; null: 0.1 in linf, 0.01 in l2",
    )
    online_rate: float | None = Field(
        None, gt=0, le=10, description="how fast the prior learns; null: 0.03 in linf, 0.25 in l2"
    )
    step_size: float | None = Field(
        None, gt=0, le=2, description="h: a step over the radius; null: 0.2 in linf, 0.1 in l2"
    )
    steps: int = Field(10_000, ge=1, le=1_000_000, description="steps at most, three queries each")
