"""What is known of a property in the end."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Answer = Literal["sat", "unsat", "unknown", "timeout"]


@dataclass(frozen=True)
class PropertyVerdict:
    """A verdict is what is known of a property. `inputs` and `outputs`: what onnxruntime answered, of a sat."""

    answer: Answer
    domains: int = 0  # parts of the property's boxes that were bounded
    inputs: NDArray[np.float32] | None = None
    outputs: NDArray[np.float32] | None = None
    reason: str | None = None  # why it is unknown

    def witness(self) -> list[str]:
        """Write inputs and outputs in lines as the competition has them: ((X_0 number) ... (Y_0 number) ...)."""
        if self.inputs is None or self.outputs is None:
            return []
        named = [
            f"({name}_{i} {float(number)!r})"
            for name, values in (("X", self.inputs), ("Y", self.outputs))
            for i, number in enumerate(values)
        ]
        return [f"({named[0]}", *named[1:-1], f"{named[-1]})"]
