"""Steps of methods answered by a truth: for tests of what asks, without a driver and without a model."""

from collections.abc import Callable
from typing import Any


def answered(step: Any, truth: Callable[[Any], Any]) -> Any:
    """Send a step the truth about everything it yields, and return what it found."""
    try:
        asked = next(step)
        while True:
            answer = truth(asked)
            asked = step.send(bool(answer) if getattr(answer, "ndim", 0) == 0 else answer)
    except StopIteration as end:
        return end.value
