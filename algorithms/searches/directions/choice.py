"""Which law of directions a method draws by: from a sample and the method's parameters."""

from algorithms.artifacts.basis import BASIS
from algorithms.artifacts.decoder import Decoder
from algorithms.artifacts.decoding import TrainedDecoder
from algorithms.mathematics.norms import Norm
from algorithms.seam.case import Case
from algorithms.searches.directions.bilinear import Bilinear
from algorithms.searches.directions.decoded import Decoded
from algorithms.searches.directions.full import Full
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.directions.low_frequencies import LowFrequencies
from algorithms.searches.directions.params import DirectionParams
from algorithms.searches.directions.spanning import Spanning, part


def directions(case: Case, params: DirectionParams, norm: Norm = Norm.L2) -> DirectionLaw:
    """Make the law of directions, which draws offsets of l2 length 1. A cohort's is that of any of its cases.

    `norm` is what the offsets are even in where all of the space is drawn from: l2, the sphere; linf, the cube.
    """
    if params.directions == "dct":
        return LowFrequencies.of(case.x.shape, params.frequencies)
    if params.directions == "bilinear":
        return Bilinear.of(case.x.shape, params.grid)
    if params.directions == "spanning":
        return Spanning(part(case.prepared[BASIS], params.subspace, params.rank))
    if params.directions == "decoder":
        layers = Decoder(params.blocks).layers(case.x.shape)
        return Decoded(TrainedDecoder(layers, case.prepared))
    return Full(norm)
