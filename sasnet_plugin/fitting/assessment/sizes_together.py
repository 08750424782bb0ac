"""Errors that hold a spread of all sizes together, where a fit has taken a resolution that no file states.

Particles of one shape and several sizes wash out fringes as a resolution does, and scatter as larger ones.
sasmodels spreads one size at a time, and not the distances of neighbours with it, so that no fit has this
(with a structure factor the local monodisperse approximation: J. S. Pedersen, J. Appl. Cryst. 27 (1994) 595).
Where the data show no difference the sizes of both are possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ...arrays import Floats
from ..problem.experiment import TimeUpError, starting_values
from ..problem.model_curves import ModelCurves
from ..result.covariance import errors_of
from ..settings import ASSESSMENT
from .held import Held, scale_sizes, sharp_sizes, size_factors


def errors_by_sizes_together(task: Held, deadline: float) -> dict[str, float]:
    """What adds to the errors of a fit, a standard deviation, for particles that are spread in size
    instead.
    """
    # Empty where the file states the resolution, or the particle has one size and no structure factor: a fit
    # may spread that itself.
    fit = task.fits[0]
    start = starting_values(fit)
    sizes = sharp_sizes(task, [start])
    free = [name for name in sizes if name in task.slopes]
    is_spread_by_fits = len(sizes) < 2 and fit.structure_factor is None
    if not task.supposed or is_spread_by_fits or not free:
        return {}
    errors: dict[str, float] = {}
    with suppress(TimeUpError):
        moved, chisq = _fit_sizes(task, start, sizes, free, deadline)
        size = free[0]
        wider = max(1.0, float(fit.parameters[size].error or 0.0) / errors_of(task.slopes)[size])
        weight = float(np.exp(-max(chisq - fit.chisq, 0.0) / 2 / wider**2))
        share = np.sqrt(weight / (1 + weight))
        errors = {name: float(share * abs(moved[name] - start[name])) for name in free}
    return errors


def _fit_sizes(
    task: Held, start: dict[str, Any], sizes: list[str], free: list[str], deadline: float
) -> tuple[dict[str, float], float]:
    """Mean sizes without a resolution but with a spread of all, and χ²."""
    from scipy.optimize import least_squares

    curve = replace(task.curves[0], dq=None)
    local = ModelCurves(curve, task.dintensities[0], task.name, fixed=task.given)
    local.deadline = deadline
    moved = partial(_move_sizes, start, free)
    residuals = partial(_residuals, local, moved, sizes)
    # Particles of w scatter as those larger by 6 w² of their size.
    first = np.append(np.full(len(free), -6 * ASSESSMENT.spread_width**2), ASSESSMENT.spread_width)
    limits = np.append(np.full(len(free), 0.5), ASSESSMENT.held_width)
    minimum = least_squares(
        residuals, first, bounds=(np.append(-limits[:-1], 0.0), limits), x_scale=0.01,
        max_nfev=ASSESSMENT.spread_steps, ftol=1e-4,
    )  # fmt: skip
    values = moved(minimum.x)
    return {name: float(values[name]) for name in free}, float(2 * minimum.cost)


def _move_sizes(start: Mapping[str, Any], free: list[str], codes: Floats) -> dict[str, Any]:
    """Parameters where free sizes have changed by so much in ln, the last number being the width."""
    return {
        **start,
        **{name: start[name] * np.exp(step) for name, step in zip(free, codes[:-1], strict=True)},
    }


def _residuals(
    local: ModelCurves, moved: Callable[[Floats], dict[str, Any]], sizes: list[str], codes: Floats
) -> Floats:
    """(n,), at the best scale and background."""
    factors, shares = size_factors((float(codes[-1]) / ASSESSMENT.held_width) ** 2)
    volumes, parameters = shares * factors**3, moved(codes)
    curves = np.array([local.intensity(scale_sizes(parameters, sizes, factor))[0] for factor in factors])
    mean = (volumes @ curves / volumes.sum())[None]
    return np.asarray(local.residual(mean, parameters, local.error(0.0))[0])
