"""A clean curve of such a sample, and what an expert would accept as its name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..grid import N_WIDE, WIDE_Q

#: Curves are computed at every fifth point of the wide grid, 160 a decade, and interpolated between.
COARSE = np.arange(0, N_WIDE, 5)
COARSE_Q = WIDE_Q[COARSE]
#: Nothing is computed beyond: features end at 1 Å⁻¹, and resolution reaches a little further.
Q_TOP = 1.6


@dataclass(frozen=True)
class Body:
    """One sample."""

    kind: str  #: One of `drawn.BODIES`.
    #: (N_WIDE,), ln I(q) on the wide grid, any scale; constant beyond `Q_TOP`.
    log_intensity: NDArray[np.float64]
    rg: float  #: Radius of gyration, Å; NaN where there is none.
    #: Form models of sasmodels that an expert would accept as the first answer; empty: none.
    accepted: tuple[str, ...]
    #: From this largest q times Rg on (from this largest q, Å⁻¹, where there is no Rg) no single model
    #: explains the curve; infinite where some accepted model always may, 0 where none ever does.
    outside_from: float = np.inf
    second: float = 0.0  #: 1 with a second component, 0 without one, NaN where both may be said.
    second_below: float = np.inf  #: A window that begins above this, Å⁻¹, does not show the second component.
    named_from: float = 0.0  #: A window that ends below this, Å⁻¹, does not show what the names are of.

    def names(self, q_max: float) -> tuple[str, ...]:
        """What is accepted of a curve that ends at `q_max`, Å⁻¹; empty where it says nothing of it."""
        return self.accepted if q_max > self.named_from else ()

    def labels(self, q_min: float, q_max: float) -> tuple[float, float]:
        """Return in_scope (a single model explains a curve between two q, Å⁻¹) and second (it has a second
        component): 0, 1, or NaN if either may be said.
        """
        reach = q_max * (1.0 if np.isnan(self.rg) else self.rg)
        beyond = reach > self.outside_from and q_min < self.second_below
        second = self.second if beyond or self.second != 1 else np.nan
        return (0.0 if beyond else np.nan), second


def interpolate_on_wide_grid(q: NDArray[np.float64], intensity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate ln I on the wide grid from points to `Q_TOP`; a power law below the first."""
    from scipy.interpolate import CubicSpline

    log_i = np.log(np.maximum(intensity, 1e-12 * intensity.max()))
    x, log_wide_q = np.log(q), np.log(WIDE_Q)
    slope = (log_i[1] - log_i[0]) / (x[1] - x[0])
    inside = CubicSpline(x, log_i)(np.clip(log_wide_q, x[0], x[-1]))
    return np.asarray(inside + slope * np.minimum(log_wide_q - x[0], 0.0))
