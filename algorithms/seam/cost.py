"""What asking costs: rows sent for labels or scores, and Jacobians taken."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """What one sample costs: rows sent, Jacobians taken."""

    queries: int = 0
    gradients: int = 0
