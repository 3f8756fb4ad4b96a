"""What may be asked of the attacks of Carlini & Wagner: presets, and the numbers behind them."""

from typing import Any, Literal

from pydantic import Field, model_validator

from algorithms.attacks.carlini_wagner.variables import VariablesName
from algorithms.method import Params

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {},
    "paper": {
        "units": "box",
        "variables": "tanh",
        "steps": 10_000,
        "search_steps": 9,
        "constant": 1e-3,
        "learning_rate": 0.01,
        "last_rate": 1.0,
    },
}


class CarliniWagnerParams(Params):
    """Parameters name a preset, any of whose numbers may be given instead."""

    name: Literal["carlini_wagner"] = "carlini_wagner"
    preset: Literal["quick", "paper"] = "quick"
    confidence: float = Field(0.0, ge=0, le=1e6, description="kappa: by how much another class has to lead, in scores")
    units: Literal["sample", "box"] = Field(
        "sample",
        description="what lengths are measured in: sample: the distance to first order of the nearest rival, and "
        "scores by their slopes at the sample; box: as they come. paper: box",
    )
    variables: VariablesName = Field(
        "offset",
        description="what is moved: offset: the change itself, clipped to the box; tanh: its arc tangent in the box. "
        "paper: tanh",
    )
    steps: int = Field(150, ge=1, le=100_000, description="gradient steps for each constant. 150, 10,000 by preset")
    search_steps: int = Field(6, ge=1, le=40, description="constants c that are tried. 6, 9 by preset")
    constant: float = Field(4.0, gt=0, le=1e9, description="the first c. 4, 0.001 by preset")
    learning_rate: float = Field(
        0.2,
        gt=0,
        le=1e3,
        description="of Adam; in units of the sample over the root of the number of features. 0.2, 0.01 by preset",
    )
    last_rate: float = Field(
        0.01, gt=0, le=1, description="the last rate over the first: it falls as a cosine. 0.01, 1 by preset"
    )
    looks: int = Field(
        10,
        ge=0,
        le=1000,
        description="in a descent, at a sample's loss: where it has not fallen since, the sample leaves",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("preset"), str):
            return PRESETS.get(given["preset"], {}) | given
        return given
