"""Parameters of `decision`."""

from typing import Literal

from pydantic import Field

from algorithms.method import Params
from algorithms.searches.labels.schedule import MOST_DIRECTIONS


class DecisionParams(Params):
    """Parameters of `decision` are how many points it looks at, and how wide."""

    name: Literal["decision"] = "decision"
    initial_directions: int = Field(
        30,
        ge=1,
        le=MOST_DIRECTIONS,
        description="points of the first cloud; their number grows as √k, k iterations on",
    )
    iterations: int = Field(1_000, ge=1, le=100_000, description="moves at most; mostly the budget ends the walk")
    width: float = Field(
        0.02, gt=0, le=1, description="radius of a cloud, as a share of the distance; larger for noisy models"
    )
    warm_samples: int = Field(
        16,
        ge=0,
        le=256,
        description="samples of the job that are walked from before the others, to show them where to begin: no more "
        "than one in eight, and none where a sample has fewer queries than twice `warm_queries`",
    )
    warm_queries: int = Field(
        500, ge=50, le=100_000, description="queries of each of them; all samples are charged them in equal parts"
    )
    tolerance: float = Field(1e-3, gt=0, le=0.1, description="precision of a way back, as a share of it")
