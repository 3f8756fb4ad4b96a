"""Names for the arrays that formulas take and give."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = Any  # numpy or torch: array-api-compat tells which
Numbers = NDArray[np.float64]  # statistics and distances are computed in double precision
Mask = NDArray[np.bool_]
