"""Which directions a method draws: the parameters that all methods which draw any have in common."""

from typing import Literal, Self

from pydantic import Field, model_validator

from algorithms.artifacts.basis import Basis
from algorithms.artifacts.decoder import Decoder
from algorithms.artifacts.wish import Wish
from algorithms.method import Params
from algorithms.searches.directions.spanning import Subspace


class DirectionParams(Params):
    """Parameters of directions are the space they are drawn from, and its size."""

    directions: Literal["full", "dct", "bilinear", "spanning", "decoder"] = Field(
        "full",
        description="all of the input space, its low frequencies, coarse grids, the span of auxiliary samples, "
        "or what the decoder of an auto-encoder makes that is trained on them",
    )
    frequencies: float = Field(0.25, gt=0, le=1, description="with dct: share of the frequencies of each axis")
    grid: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="with bilinear: points of the grid along each axis; null: half of the axis, at most 32",
    )
    subspace: Subspace = Field(
        "all", description="with spanning: the samples' whole span, or its strongest or weakest directions"
    )
    rank: int | None = Field(None, ge=1, description="with subspace top or bottom: how many directions")

    blocks: int | None = Field(
        None,
        ge=1,
        le=6,
        description="with decoder: how often it doubles images; null: from about 200 numbers, three times at the most",
    )

    @model_validator(mode="after")
    def _names_a_part_of_a_span_whole(self) -> Self:
        if self.subspace == "all" and self.rank is None:
            return self
        if self.directions != "spanning" or self.subspace == "all":
            raise ValueError("rank is of directions spanning with subspace top or bottom; leave it and subspace out")
        if self.rank is None:
            raise ValueError(f"subspace {self.subspace} is a part of the span; give rank, the number of directions")
        return self


def wants(params: DirectionParams) -> Wish | None:
    """Tell what has to be made of auxiliary samples before directions can be drawn."""
    if params.directions == "decoder":
        return Decoder(params.blocks)
    return Basis(least=params.rank or 1) if params.directions == "spanning" else None
