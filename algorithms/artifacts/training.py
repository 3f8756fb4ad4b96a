"""What training leaves to the next unit of work, as named arrays: weights, Adam's averages, the number of steps."""

from collections.abc import Mapping

import numpy as np

from algorithms.artifacts.wish import Declaration, Declared

FIRST, SECOND = "first.", "second."  # before a weight's name: averages of its gradients, and of their squares
STEPS = "steps"


def state(weights: Mapping[str, tuple[int, ...]]) -> Declaration:
    """Declares the state of training weights of these shapes."""
    each = {f"{part}{name}": Declared(shape) for part in ("", FIRST, SECOND) for name, shape in weights.items()}
    return {**each, STEPS: Declared((), dtype=np.int64)}
