"""The columns of the input's change, and what they cost."""

import numpy as np

from algorithms.mathematics.norms import Norm
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.programs.expressions import Positions
from models.onnx.bounds.programs.program import ProgramDraft


def objective(draft: ProgramDraft, balls: Balls) -> tuple[Positions, Positions | None]:
    """Add the columns of the change in the first ball; return those upwards and, where they are others, downwards."""
    reach = float(balls.radii[0])
    below, above = (np.minimum(room[0].flatten().cpu().numpy(), reach) for room in (balls.below, balls.above))
    if balls.norm is Norm.L1:  # ||p - n||_1 = sum of p + n, where one of each two is 0
        zero = np.zeros(len(below))
        return draft.add_columns(zero, above, cost=1.0), draft.add_columns(zero, below, cost=1.0)
    d = draft.add_columns(-below, above)
    if balls.norm is Norm.L2:  # half the square of the distance, above planes that are laid as they are wanted
        draft.add_columns(np.zeros(1), np.full(1, len(d) * reach**2), cost=1.0)
    return d, None
