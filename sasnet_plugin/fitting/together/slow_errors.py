"""The slow error of each curve of a sample, as large as the other curves leave room for it.

Residuals at the best fit are too small a measure: parameters have taken up what they could. For one curve the
others' likelihood is the prior of the parameters, Gaussian about where these curves alone would put them, and
the curve's slow error is integrated under it as that of a single curve is (`evidence.marginal`); with as many
curves as it takes for one to change nothing any more, in turn. One that is too small to be seen is still as
likely as it is: without it the values of half of all samples are too sure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arrays import Floats
from ..evidence.discrepancy import Discrepancy
from ..evidence.marginal import marginal
from ..evidence.shared_error import SharedError, weight_columns

#: Times that each curve is looked at; a third changes errors by less than a tenth.
_ROUNDS = 2
#: Of what all curves tell of a parameter, as much as is always known of it, so that none is left open.
_KNOWN = 1e-6


def slow_errors(
    discrepancies: Sequence[Discrepancy],
    theories: Sequence[Floats],
    residuals: Sequence[Floats],
    slopes: Sequence[Floats],
    prior: tuple[Floats, Floats],
    begin: Sequence[SharedError],
) -> list[SharedError]:
    """Estimate the correlated error of each curve at the best fit."""
    # `residuals` in uncertainties, `slopes` (n_i, k) by each parameter, `prior` residuals (m,) and slopes (m,
    # k) of other knowledge.
    shared_errors = list(begin)
    information = [
        compute_information(e, r, s) for e, r, s in zip(shared_errors, residuals, slopes, strict=True)
    ]
    prior_information = prior[1].T @ prior[1], prior[1].T @ prior[0]
    floor = (
        _KNOWN
        * (prior_information[0] + sum(curve_information[0] for curve_information in information)).diagonal()
    )
    for _ in range(_ROUNDS):
        for i, curve in enumerate(discrepancies):
            rest = [curve_information for j, curve_information in enumerate(information) if j != i]
            precision = (
                prior_information[0]
                + sum(
                    (curve_information[0] for curve_information in rest), np.zeros_like(prior_information[0])
                )
                + np.diag(floor)
            )
            pull = prior_information[1] + sum(
                (curve_information[1] for curve_information in rest), np.zeros_like(prior_information[1])
            )
            if not np.all(np.isfinite(precision)):
                continue
            values, vectors = np.linalg.eigh(precision)
            width = vectors / np.sqrt(np.maximum(values, values[-1] * 1e-14))
            residual_left = residuals[i] - slopes[i] @ (width @ (width.T @ pull))
            shared_errors[i] = marginal(
                curve, theories[i], residual_left, slopes[i] @ width, threshold=-np.inf
            ).shared
            information[i] = compute_information(shared_errors[i], residuals[i], slopes[i])
    return shared_errors


def compute_information(error: SharedError, residual: Floats, slopes: Floats) -> tuple[Floats, Floats]:
    """What a curve tells of the parameters under a slow error: precision (k, k), and gradient (k,)."""
    weighed = weight_columns(error, slopes)
    return slopes.T @ weighed, weighed.T @ residual
