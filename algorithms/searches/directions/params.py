"""Which directions a method draws: the parameters that all methods which draw any have in common."""

from typing import Literal, Self

from pydantic import Field, model_validator

from algorithms.artifacts.basis import Basis
from algorithms.artifacts.decoder import Decoder
from algorithms.artifacts.wish import Wish
from algorithms.method import Params
from algorithms.searches.directions.spanning import Subspace

DirectionSpace = Literal["full", "dct", "bilinear", "spanning", "decoder"]


class SpaceParams(Params):
    """Parameters of directions are the space they are drawn from, and its size. None: one that fits the samples."""

    directions: DirectionSpace | None
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


class DirectionParams(SpaceParams):
    """DirectionParams are of methods that draw from all of the space unless told otherwise."""

    directions: DirectionSpace = Field(
        "full",
        description="all of the input space, its low frequencies, coarse grids, the span of auxiliary samples, "
        "or what the decoder of an auto-encoder makes that is trained on them",
    )


class ImageDirectionParams(SpaceParams):
    """ImageDirectionParams are of methods whose papers draw low frequencies, which are of images alone."""

    directions: DirectionSpace | None = Field(
        None,
        description="full: all of the input space, dct: its low frequencies, bilinear: coarse grids, spanning: the "
        "span of auxiliary samples, decoder: what the decoder of an auto-encoder makes that is trained on them; null: "
        "dct for images of 8 x 8 pixels or more, else full",
    )
    # A third or a quarter in the papers, whose images have 224 pixels a side. GeoDA's median l2 on a plain network of
    # 28 x 28 pixels at 1,000 queries: 2.5 with a quarter, 2.2 with a third, 1.8 with half, 2.3 with all.
    frequencies: float = Field(0.5, gt=0, le=1, description="with dct: share of the frequencies of each axis")


def wants(params: SpaceParams) -> Wish | None:
    """Tell what has to be made of auxiliary samples before directions can be drawn."""
    if params.directions == "decoder":
        return Decoder(params.blocks)
    return Basis(least=params.rank or 1) if params.directions == "spanning" else None
