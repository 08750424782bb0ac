"""Number distributions of sizes with a given number mean and relative standard deviation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sizes_of(shape: str, mean: float, relative: float, points: int = 81) -> tuple[Array, Array]:
    """Sizes and the share of particles that have each, of this number mean and relative deviation.

    "gaussian"; "schulz" (G. V. Schulz, Z. Phys. Chem. B 43 (1939) 25); "lognormal".
    """
    if relative == 0:
        return np.array([mean]), np.array([1.0])
    if shape == "gaussian":
        size = mean * (1 + relative * np.linspace(-min(5.0, 0.99 / relative), 5, points))
        density = np.exp(-0.5 * ((size / mean - 1) / relative) ** 2)
        return size, density / density.sum()
    spread = np.sqrt(np.log1p(relative**2))
    size = np.exp(np.linspace(-6 * spread, 7 * spread, 2 * points - 1)) * mean
    if shape == "schulz":
        k = 1 / relative**2
        density = np.exp(k * np.log(size / mean) - k * (size / mean - 1))
    elif shape == "lognormal":
        median = mean * np.exp(-(spread**2) / 2)
        density = np.exp(-0.5 * (np.log(size / median) / spread) ** 2)
    else:
        raise ValueError(f"{shape}: no size distribution of the benchmarks")
    kept = (
        density > 1e-12 * density.max()
    )  # the sum is over ln size, whose density is size times that of size
    return size[kept], density[kept] / density[kept].sum()
