"""What every law of directions here promises beside drawing: how many dimensions its offsets have."""

from typing import Protocol

from algorithms.seam.questions.cloud import Directions


class DirectionLaw(Directions, Protocol):
    """A law is drawn from: offsets of l2 length 1, each as likely as its opposite."""

    def dimensions(self, d: int) -> int:
        """Count the dimensions of the space that offsets of d features are drawn from."""
        ...
