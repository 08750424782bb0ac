"""Names of the types of arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Of double precision.
Floats = NDArray[np.float64]
