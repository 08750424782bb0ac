"""How far a fit misses the points, and how far neighbours scatter, whatever uncertainties are stated.

χ² is as good as the uncertainties it divides by. The scatter of neighbouring residuals about each other needs
none (J. von Neumann et al., Ann. Math. Stat. 12 (1941) 153), and no smooth misfit adds to it.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Floats
from ...types import Curve
from ..result.model_fit import Misfit, ModelFit
from ..settings import ASSESSMENT

#: Standard deviation of a normal distribution over the median of its absolute values.
_NORMAL = 1.4826


def misfit_of(curve: Curve, dintensity: Floats, fit: ModelFit) -> Misfit | None:
    """Compare a fit's misfit with the scatter of neighbouring points; None for too few points."""
    # Only the ratio of scatter to uncertainty depends on the size of `dintensity`.
    residual = curve.intensity - fit.theory
    relative = dintensity / np.maximum(np.abs(fit.theory), 1e-300)
    # Points near the background say nothing of a share of I.
    clear = relative <= np.quantile(relative, ASSESSMENT.clear_share)
    if np.count_nonzero(clear) < ASSESSMENT.least_clear or not np.all(np.isfinite(residual)):
        return None
    share = (residual / np.abs(fit.theory))[clear]
    return Misfit(
        relative=float(np.sqrt(np.mean(share**2))),
        scatter=_scatter(share),
        over_stated=_scatter(residual / dintensity),
    )


def _scatter(values: Floats) -> float:
    """Standard deviation of independent noise in a series, without what is smooth in it."""
    return float(_NORMAL * np.median(np.abs(np.diff(values))) / np.sqrt(2))
