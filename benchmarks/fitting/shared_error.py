"""A systematic error of simulated curves: one that neighbours share, as real instruments leave it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: ln q over which such an error changes: between these.
LENGTHS = (0.2, 0.6)


def shared_error(q: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """(n,) one draw of unit variance, Gaussian in ln q with a length that is drawn from `LENGTHS`."""
    length = rng.uniform(*LENGTHS)
    log_q = np.log(q)
    kernel = np.exp(-(np.subtract.outer(log_q, log_q) ** 2) / 2 / length**2) + 1e-9 * np.eye(q.size)
    return np.asarray(np.linalg.cholesky(kernel) @ rng.standard_normal(q.size))
