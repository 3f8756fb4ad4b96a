"""What the tests of scores begin with: small random models, a sample, and the finding of a score through the driver."""

import numpy as np

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget, Method
from algorithms.seam.claims import Finding
from algorithms.threats.threat import Box, Threat
from tests.truths import ClosedForm, Linear, TinyReLU

UNBOUNDED = Box.unbounded()


def scored(
    row: Method,
    model: ClosedForm,
    x: np.ndarray,
    norm: Norm = Norm.L2,
    *,
    box: Box = UNBOUNDED,
    seed: int = 0,
    targets: np.ndarray | None = None,
    **params: object,
) -> Finding:
    """The finding of one sample, in row 3 of its upload, with this method's parameters; without a box or a budget."""
    threat = Threat(norm, box, targeted=None if targets is None else "given")
    samples = Samples(x[None].astype(np.float32), (3,), None, targets)
    [outcome] = run(model, samples, row, row.params(**params), threat, Budget(None), seed=seed)
    return outcome.finding


def linear(seed: int = 0, d: int = 12, classes: int = 5) -> Linear:
    rng = np.random.default_rng(seed)
    return Linear(rng.normal(size=(classes, d)), rng.normal(size=classes))


def tiny(seed: int, d: int = 2, hidden: int = 8, classes: int = 3) -> TinyReLU:
    rng = np.random.default_rng(seed)
    W, V = rng.normal(size=(hidden, d)), rng.normal(size=(classes, hidden))
    return TinyReLU(W, rng.normal(size=hidden), V, rng.normal(size=classes))


def sample(d: int = 12, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random(d).astype(np.float32)
