"""Graphs rebuilt in torch, held against onnxruntime on ordinary rows before anything is said in their name."""

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import ModelFault, Refused
from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Rows, Scores
from algorithms.seam.questions.margins import Region, Relaxation
from algorithms.threats.threat import Box, Threat
from models.cards import Parity
from models.device import Device
from models.onnx.bounds.bounder import Bounder, bounder
from models.onnx.gradients.differentiator import Differentiator, differentiator
from models.onnx.network import Network
from models.onnx.stumbling import at, fails
from models.onnx.uploaded import close

RELAXATIONS: tuple[Relaxation, ...] = ("intervals", "crown")
BOUNDED, RIVALS = 2, 4  # rows and rivals of each that bounds are tried on: one more costs a backward pass


def compare_gradients(network: Network, rows: Rows, expected: Scores, device: Device) -> tuple[Parity | None, str]:
    """Find the parity of the scores, and why gradients are withheld, or ""."""
    try:
        return _gradients(network, differentiator(network, device), rows, expected)
    except (Refused, ModelFault) as error:
        return None, error.detail
    except Exception:  # gradients of other people's graphs may stumble in any way, and the model is good without them
        return None, fails("gradients", "")


def _gradients(network: Network, found: Differentiator, rows: Rows, expected: Scores) -> tuple[Parity, str]:
    scores, gradients = found.gradients(rows, lambda own, _positions: np.ones_like(own))
    finite = np.isfinite(expected) & np.isfinite(scores)
    difference = float(np.abs(scores - expected)[finite].max(initial=0.0))
    parity = Parity(max_abs_difference=difference, rows=len(rows))
    if not close(scores, expected, expected.astype(np.float16) if network.is_half else expected):
        where = at(found.first_to_differ(network.scores_alone(), rows, lambda own, theirs: close(own, theirs, theirs)))
        return parity, (
            f"The graph rebuilt for gradients answers otherwise than onnxruntime{where}; its scores differ by up to"
            f" {difference:.3g}."
        )
    if gradients.shape != rows.shape:
        return parity, "The gradients have another shape than the rows."
    return parity, ""


def compare_bounds(network: Network, rows: Rows, expected: Scores, device: Device) -> str:
    """Say why bounds are withheld, or "": at radius 0, in real arithmetic, they must be the margins themselves."""
    if network.rebuilt.bounded != network.rebuilt.scores:
        expected = network.session(device).ask(rows, str(network.rebuilt.bounded))
    finite = np.flatnonzero(np.isfinite(expected).all(axis=1))
    kept = finite[:: max(1, len(finite) - 1)][:BOUNDED]  # the first and the last: an image and a scaled table
    try:
        found = bounder(network, device, rounds=False, bucket=BOUNDED * RIVALS)
        return _bounds(found, rows[kept], expected[kept])
    except (Refused, ModelFault) as error:
        return error.detail
    except Exception:  # bounds of other people's graphs may stumble in any way, and the model is good without them
        return fails("bounds", "")


def _bounds(found: Bounder, rows: Rows, expected: Scores) -> str:
    labels, rivals = _ranked(expected)
    margins = expected.max(axis=1, keepdims=True) - np.take_along_axis(expected, rivals, axis=1)
    region = Region(rows, np.zeros(len(rows)), Threat(Norm.LINF, Box.unbounded()))
    for relaxation in RELAXATIONS:
        bounds = found.margins(region, labels, rivals, relaxation)
        if not close(bounds, margins, expected):
            difference = float(np.abs(bounds - margins).max())
            return f"The graph rebuilt for bounds answers otherwise than onnxruntime, by up to {difference:.3g}."
    return ""


def _ranked(scores: Scores) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n, K) -> the first class of each row (n,), and RIVALS at most from the runner-up to the last: (n, r)"""
    order = np.argsort(-scores, axis=1, kind="stable")
    ranks = np.unique(np.linspace(1, scores.shape[1] - 1, RIVALS).round().astype(np.int64))
    return order[:, 0], order[:, ranks]
