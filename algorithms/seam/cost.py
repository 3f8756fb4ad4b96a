"""What asking costs: rows sent for labels or scores, and Jacobians taken."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """A cost is what one sample makes a run spend: rows sent, Jacobians taken."""

    queries: int = 0
    gradients: int = 0
