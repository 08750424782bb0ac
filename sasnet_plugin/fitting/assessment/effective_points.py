"""How many points of a curve are independent, where the stated uncertainties are larger than any noise in it.

Uncertainties that hold a calibration or a smearing correction, too, are no scatter: all fits are within them
and the residuals run along q together. A difference of χ² that is shared by neighbours is then counted once
for each of them, and would decide between models, and narrow errors, as no independent points do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...arrays import Floats
from ...digits import significant
from ...types import Curve
from ..result.model_fit import ModelFit
from ..result.residuals import standardise_runs
from ..settings import ASSESSMENT


def independent_share(curve: Curve, dintensity: Floats, fits: Sequence[ModelFit]) -> float:
    """Estimate the share of points that count, from the nearest fit's residuals."""
    # Neighbours of equal sign have frequency 1/2 + arcsin(ρ)/π at correlation ρ (W. F. Sheppard, Phil. Trans.
    # R. Soc. A 192 (1899) 101). A mean of n such points is known as from n (1 - ρ)/(1 + ρ) independent ones
    # (G. V. Bayley and J. M. Hammersley, J. R. Stat. Soc. Suppl. 8 (1946) 184). The share is 1 for estimated
    # uncertainties, or small or random residuals, and leaves at least two points.
    if curve.dintensity is None or not fits:
        return 1.0
    nearest = min(fits, key=lambda fit: fit.reduced_chisq)
    residual = (curve.intensity - nearest.theory) / dintensity
    random = standardise_runs(residual) >= -ASSESSMENT.significant
    if nearest.reduced_chisq >= ASSESSMENT.too_large or random:
        return 1.0
    sign = residual[residual != 0] > 0
    same_signs = float(np.mean(sign[1:] == sign[:-1]))
    correlation = np.sin(np.pi * (same_signs - 0.5))
    return float(max((1 - correlation) / (1 + correlation), 2 / len(curve)))


def as_independent(fit: ModelFit, share: float) -> ModelFit:
    """The fit with the errors that so many of its points give."""
    factor = 1 / np.sqrt(share)
    parameters = {
        name: p if p.error is None else replace(p, error=float(factor * p.error))
        for name, p in fit.parameters.items()
    }
    components = tuple(
        c if c.error is None else replace(c, error=float(factor * c.error)) for c in fit.components
    )
    return replace(fit, parameters=parameters, components=components)


def describe_share(points: int, share: float) -> str:
    """What is made of it, for a user."""
    return (
        "The stated uncertainties are larger than the noise, and neighbouring residuals are correlated."
        f" So the {points} points count as {significant(points * share, 2)} in the comparison of models and"
        " in the errors of parameters."
    )
