"""Oriented images fitted by generalised least squares: an uneven detector in the likelihood.

A first fit goes by counting. Then the instrument's own values are fitted with the body's (`oriented.FAULTS`),
and how unevenly its detector counts is estimated from the residuals (`unevenness`): they are whitened by
their covariance, and fitted again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ....arrays import Floats
from .oriented import OrientedImage, brightness
from .oriented_settings import FAULTS, SETTINGS
from .unevenness import LENGTHS, Unevenness, Whitening, bumps_at, covariance, unevenness

#: Over what parameters are moved for derivatives, in their unit; others by a share of their value.
_STEPS = {"radius_pd": 0.01, "p2": 0.01, "director": 0.5, **dict.fromkeys(FAULTS, 0.1)}
_RELATIVE = 0.01


@dataclass(frozen=True)
class Linear:
    """A problem made linear where it stands."""

    #: residuals, expected: (n,), counts about expected ones, and these.
    residuals: Floats
    expected: Floats
    names: tuple[str, ...]  #: Of the problem's parameters.
    jacobian: Floats  #: (n, p), of expected counts, by these, and by amplitudes.
    precision: Floats  #: (p,), 1 over the prior variance of each, 0 where there is none.

    def errors(self, white: Whitening) -> dict[str, float]:
        """Standard deviations of the parameters, (XᵀV⁻¹X + prior)⁻¹, with amplitudes free."""
        whitened = white.apply(self.jacobian)
        matrix = whitened.T @ whitened + np.diag(self.precision)
        size = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
        inverse = np.linalg.pinv(matrix / np.outer(size, size), rcond=1e-10, hermitian=True)
        deviations = np.sqrt(np.diag(inverse)) / size
        return dict(zip(self.names, map(float, deviations), strict=False))


def linear(problem: OrientedImage) -> Linear:
    """Derivatives of expected counts where a problem stands; it is left as it was."""
    amplitudes, expected = problem.amplitudes()
    columns = []
    for name, parameter in problem.pars.items():
        point, (low, high) = parameter.value, problem.limits[name]
        step = _STEPS.get(name, _RELATIVE * abs(point))
        ends = []
        for value in (max(point - step / 2, low), min(point + step / 2, high)):
            parameter.value = value
            ends.append((value, problem.terms() @ amplitudes))
        parameter.value = point
        columns.append((ends[1][1] - ends[0][1]) / (ends[1][0] - ends[0][0]))
    terms = problem.terms()
    prior = [1 / FAULTS[name] ** 2 if name in FAULTS else 0.0 for name in problem.pars]
    return Linear(
        problem.cells.counts - expected,
        expected,
        tuple(problem.pars),
        np.column_stack([*columns, terms]),
        np.array([*prior, *[0.0] * terms.shape[1]]),
    )


def refit_generalised(
    problem: OrientedImage, run: Callable[[OrientedImage], object]
) -> tuple[OrientedImage, dict[str, float], Unevenness]:
    """Refit a problem at its counting minimum with whitened residuals, and return it with the standard
    deviations of its parameters.
    """
    cells = problem.cells
    problem = replace(problem, start=problem.values(), bright=brightness(cells, problem.compute_expected()))
    run(problem)
    x, y = cells.geometry.qx[0], cells.geometry.qy[0]
    fields = [bumps_at(x, y, length) for length in LENGTHS]
    for refit in range(SETTINGS.refits + 1):
        linearised = linear(problem)
        size = unevenness(
            linearised.residuals, linearised.jacobian, linearised.expected, cells.pixels, fields
        )
        white = covariance(linearised.expected, cells.pixels, fields, size)
        if refit < SETTINGS.refits:
            bright = brightness(cells, linearised.expected)
            problem = replace(problem, start=problem.values(), whitening=white, bright=bright)
            run(problem)
    return problem, linearised.errors(white), size
