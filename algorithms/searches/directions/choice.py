"""Which law of directions a method draws by: from a sample and the method's parameters."""

from algorithms.artifacts.basis import BASIS
from algorithms.artifacts.decoder import Decoder
from algorithms.artifacts.decoding import TrainedDecoder
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.windows import Canvas
from algorithms.seam.case import Case
from algorithms.searches.directions.bilinear import Bilinear
from algorithms.searches.directions.decoded import Decoded
from algorithms.searches.directions.full import Full
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.directions.low_frequencies import LowFrequencies
from algorithms.searches.directions.params import DirectionSpace, SpaceParams
from algorithms.searches.directions.spanning import Spanning, part

SMALLEST_IMAGE = 8  # pixels a side: half of fewer, or of features that have no order, leaves out too much


def directions(
    case: Case, params: SpaceParams, norm: Norm = Norm.L2, *, of_images: DirectionSpace = "dct"
) -> DirectionLaw:
    """Make the law of directions, which draws offsets of l2 length 1. A cohort's is that of any of its cases.

    `norm` is what the offsets are even in where all of the space is drawn from: l2, the sphere; linf, the cube.
    `of_images` is the space that images are given where none is asked for; what is no image has all of its space.
    """
    space = params.directions or (of_images if has_detail(Canvas.of(case.x.shape)) else "full")
    if space == "dct":
        return LowFrequencies.of(case.x.shape, params.frequencies)
    if space == "bilinear":
        return Bilinear.of(case.x.shape, params.grid)
    if space == "spanning":
        return Spanning(part(case.prepared[BASIS], params.subspace, params.rank))
    if space == "decoder":
        layers = Decoder(params.blocks).layers(case.x.shape)
        return Decoded(TrainedDecoder(layers, case.prepared))
    return Full(norm)


def widening(
    case: Case, params: SpaceParams, norm: Norm = Norm.L2, *, of_images: DirectionSpace = "dct"
) -> tuple[DirectionLaw, ...]:
    """Make the laws that a walk draws by, the next where one has no more to give: as asked, or what fits the sample.

    That is, for images, a space without fine detail, and then all of it: a model may listen to fine detail alone.
    """
    law = directions(case, params, norm, of_images=of_images)
    return (law, Full(norm)) if params.directions is None and not isinstance(law, Full) else (law,)


def has_detail(canvas: Canvas) -> bool:
    """Tell images that can do without their fine detail from tables and very small images."""
    return min(canvas.height, canvas.width) >= SMALLEST_IMAGE
