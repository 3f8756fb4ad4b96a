"""What asking costs: rows sent for labels or scores, and Jacobians taken."""

from typing import NamedTuple


class Cost(NamedTuple):
    """A cost is what one sample makes a run spend: rows sent, Jacobians taken."""

    queries: int = 0
    gradients: int = 0
