"""What may be asked of second-order CLEVER."""

from typing import Annotated, Literal

from pydantic import Field

from algorithms.method import Params


class SecondOrderParams(Params):
    """Parameters are how many points are drawn, how closely each is looked at, and within which ball."""

    name: Literal["clever_second_order"] = "clever_second_order"
    batches: int = Field(20, ge=1, le=2000, description="N_b: maxima the law is fitted to")
    batch_size: int = Field(32, ge=1, le=65_536, description="N_s: points a maximum")
    steps: int = Field(8, ge=1, le=100, description="Lanczos steps at a point, for each rival: a Hessian product each")
    radius: Literal["auto"] | Annotated[float, Field(gt=0, le=1e6)] = Field(
        "auto", description="R of the ball; auto: about where the score equals R"
    )
    rivals: int = Field(9, ge=1, le=1000, description="classes looked at, those with the highest logits")
