"""What may be asked of CLEVER: presets, and the numbers behind them."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from algorithms.method import Params

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"batches": 50, "batch_size": 128},
    "standard": {"batches": 100, "batch_size": 512},
    "paper": {"batches": 500, "batch_size": 1024, "radius": 5.0, "sampling": "uniform"},
}


class CleverParams(Params):
    """Parameters name a preset, any of whose numbers may be given instead."""

    name: Literal["clever"] = "clever"
    preset: Literal["quick", "standard", "paper"] = "quick"
    batches: int = Field(50, ge=1, le=2000, description="N_b: maxima the law is fitted to. 50, 100, 500 by preset")
    batch_size: int = Field(128, ge=1, le=65_536, description="N_s: points a maximum. 128, 512, 1024 by preset")
    radius: Literal["auto"] | Annotated[float, Field(gt=0, le=1e6)] = Field(
        "auto", description="R of the sampled ball, in its own norm; auto: about where the score equals R. paper: 5"
    )
    sampling: Literal["radial", "uniform"] = Field(
        "radial", description="points uniform in their distance, or in the ball's volume. paper: uniform"
    )
    ball: Literal["own", "l2"] = Field(
        "own", description="own: the ball of threat.norm; l2: as the authors' code has it"
    )
    rivals: Literal["all"] | Annotated[int, Field(ge=1)] = Field(
        "all", description="untargeted: every other class, or this many with the highest logits"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("preset"), str):
            return PRESETS.get(given["preset"], {}) | given
        return given
