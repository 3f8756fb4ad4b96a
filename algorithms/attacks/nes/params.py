"""What may be asked of NES."""

from typing import Literal

from pydantic import Field

from algorithms.searches.directions.params import DirectionParams
from algorithms.searches.scores.margins import ScoreLoss

Information = Literal["scores", "top_k", "labels"]


class NESParams(DirectionParams):
    name: Literal["nes"] = "nes"
    information: Information = Field(
        "scores",
        description="what is seen of an answer: all scores, the highest `top` of them, or the label alone, which is "
        "all that a model has to offer then",
    )
    top: int = Field(3, ge=1, le=1000, description="with top_k: how many classes are seen, with their scores")
    loss: ScoreLoss = Field("margin", description="what is climbed; paper: cross_entropy, flat on confident models")
    pairs: int = Field(25, ge=1, le=5000, description="antithetic pairs of an estimate; the paper's n is twice that")
    sigma: float = Field(1e-3, gt=0, le=1, description="how far the rows of an estimate spread, over the box's side")
    step_size: float = Field(
        0.2, gt=0, le=2, description="first step over the radius; halved where the loss is on a plateau"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="share of earlier estimates")
    steps: int = Field(1000, ge=1, le=1_000_000, description="estimates at most; mostly the budget ends the climb")
    smoothing: int = Field(
        10, ge=1, le=10_000, description="with labels: rows whose share of successes stands for a score. paper: 50"
    )
