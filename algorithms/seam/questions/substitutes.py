"""AskSubstitute: how a loss would change with each row, were the model's steps the slopes that stand in for them.

For attacks alone, which show what they find: a score or a certificate that took these for gradients would be wrong.
"""

from dataclasses import dataclass
from typing import final

from algorithms.seam.access import Model
from algorithms.seam.questions.gradients import Differentiable, GradientQuestion


@final
@dataclass(frozen=True)
class AskSubstitute(GradientQuestion):
    """`AskSubstitute` is answered by the model's own scores, and by gradients of its substitutes."""

    @staticmethod
    def who(model: Model) -> Differentiable:
        found: Differentiable = model.substitutes
        return found
