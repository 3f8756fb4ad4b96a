"""What float32 may do to a sum: the rounding model behind every bound.

A bound is about the model that is served, and that one computes in float32. Every operator is taken as an exact one
plus a disturbance: a number made by summing n products, in whatever order, with or without fused multiply-adds, is off
by at most gamma_n (|W| |x| + |b|), gamma_n = n u / (1 - n u), u = 2^-24 (Higham 2002, section 3.1). Disturbances enter
intervals and linear bounds as further inputs of known size, so they are carried to the margins with the network's own
slopes instead of its norms. Values beyond float32 may overflow: then nothing is known.
"""

import torch
from torch import Tensor

UNIT = 2.0**-24  # unit roundoff of float32
FOLDED = 16  # roundings more than the graph shows: onnxruntime folds scales and normalizations into weights
LARGEST = float(torch.finfo(torch.float32).max)
SMALLEST = 2.0**-126  # a float32 below it may be flushed to zero


def gamma(terms: int) -> float:
    n = terms + FOLDED
    return n * UNIT / (1 - n * UNIT)


def disturbance(magnitude: Tensor, terms: int) -> Tensor:
    """Bound what rounding changes of an output whose terms sum to `magnitude` in absolute value."""
    known = gamma(terms) * magnitude + (terms + FOLDED) * SMALLEST
    return torch.where(magnitude <= LARGEST, known, torch.inf)
