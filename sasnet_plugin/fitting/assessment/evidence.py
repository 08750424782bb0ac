"""What speaks for a set of fits as a whole: sets can be compared whose curves differ in resolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.assess import misfits
from sasnet_plugin.fitting.assessment.systematic_error import each_error
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.types import Curve


def log_evidence(curve: Curve, dintensity: NDArray[np.float64], fits: Sequence[ModelFit]) -> float:
    """ln of the evidence of the fit that has most of it, each with the noise and shared error that suit it.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        Given or estimated.
    fits : sequence of ModelFit
        Those of a far larger χ² than the best count with independent residuals alone.

    Returns
    -------
    float
        -BIC/2 (Schwarz, Ann. Stat. 6 (1978) 461) plus ln of the network's probability; -inf without fits.

    Notes
    -----
    `assess.misfits` divides χ² by the least of the set it is given, which no two sets share.
    """
    if not fits:
        return -np.inf
    lost = np.array([error.minus_two_log for error in each_error(curve, dintensity, fits)])
    before = np.maximum([fit.probability for fit in fits], ASSESSMENT.least_prior)
    return float(np.max(np.log(before) - 0.5 * (lost + misfits(fits).penalty)))
