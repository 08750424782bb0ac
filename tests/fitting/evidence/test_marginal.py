"""The marginal likelihood is the integral that it says, and decides as it should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.evidence.discrepancy import Discrepancy
from sasnet_plugin.fitting.evidence.marginal import Evidence, evidence
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.types import Curve

from .simulated import CLEAN, STATED, Q, fitted, least_squares, shared, widths


def of(measured: np.ndarray, fit: ModelFit) -> Evidence:
    return evidence(Discrepancy(Curve(Q, measured, STATED), STATED), fit)


def noisy(seed: int, off: np.ndarray | float = 0.0) -> np.ndarray:
    return CLEAN + off + STATED * np.random.default_rng(seed).standard_normal(Q.size)


def test_the_integral_is_that_of_a_gaussian_process_over_all_errors() -> None:
    """Summed over the same grid of errors, each by the determinant and inverse of its whole covariance."""
    measured = noisy(7, shared(0.03, 0.3, np.random.default_rng(7))[:, 0])
    fit, _ = least_squares(measured, np.stack([CLEAN, CLEAN * np.log(Q / 0.07)], axis=1) / STATED[:, None])
    among = Discrepancy(Curve(Q, measured, STATED), STATED)
    residual, prior = (measured - fit.theory) / STATED, widths(fit)
    slopes = np.stack(list(fit.derivatives.values()), axis=1) * prior
    parts, shapes = [], among.shapes(fit.theory)
    step = np.log(among.ratios[1] / among.ratios[0])
    for columns in (slopes, np.column_stack([slopes, among.drifts])):
        both = np.eye(Q.size) + columns @ columns.T
        lost = residual @ np.linalg.solve(both, residual) + np.linalg.slogdet(both)[1]
        parts.append(-0.5 * lost + np.log(1 - np.exp(-among.ratios[0] / 0.01)) - np.log(2))
        for shape in shapes:
            for ratio in among.ratios:
                size = ratio * shape.share
                smooth = ratio**2 * (shape.vectors * shape.values) @ shape.vectors.T
                whole = both + smooth
                lost = residual @ np.linalg.solve(whole, residual) + np.linalg.slogdet(whole)[1]
                before = np.log(size * step / 0.01) - size / 0.01 - np.log(2 * len(shapes))
                parts.append(-0.5 * lost + before)
    most = max(parts)
    direct = -2 * (most + np.log(np.sum(np.exp(np.array(parts) - most))))
    # Larger noise than stated suits some of the errors a little better.
    assert of(measured, fit).minus_two_log == pytest.approx(direct, abs=1.0)


def test_a_parameter_costs_the_share_of_its_prior_that_the_data_leave() -> None:
    measured = noisy(3)
    slope = CLEAN * np.cos(60 * Q) / STATED
    lost = [of(measured, fitted(measured, CLEAN, slope[:, None] * f)).minus_two_log for f in (1.0, 10.0)]
    alone = of(measured, fitted(measured, CLEAN)).minus_two_log
    # Ten times as well known: a tenth of the share.
    assert lost[1] - lost[0] == pytest.approx(2 * np.log(10), abs=0.1)
    assert lost[0] > alone + 5
    nothing = of(measured, fitted(measured, CLEAN, 1e-4 * slope[:, None])).minus_two_log
    assert nothing == pytest.approx(alone, abs=0.1)


def test_a_component_that_has_no_curve_at_these_values_changes_nothing() -> None:
    """A power law of a large exponent: what its scale does is a number whose square is 0."""
    measured = noisy(6, shared(0.03, 0.3, np.random.default_rng(6))[:, 0])
    slope = CLEAN / STATED
    fit = fitted(measured, CLEAN, slope[:, None])
    beside = replace(
        fit,
        parameters={**fit.parameters, "B_scale": Parameter(1.0, None, "", False, 0.0, np.inf)},
        derivatives={**fit.derivatives, "B_scale": 1e-200 * slope},
    )
    assert of(measured, beside).minus_two_log == of(measured, fit).minus_two_log


def test_an_expensive_model_pays_for_its_parameters_without_slopes() -> None:
    measured = noisy(5)
    few, many = (
        replace(fitted(measured, CLEAN, np.tile(CLEAN / STATED, (k, 1)).T), derivatives={}) for k in (3, 6)
    )
    assert of(measured, many).minus_two_log > of(measured, few).minus_two_log + 15


def test_a_smooth_error_of_some_per_cent_costs_far_less_than_its_chi_squared() -> None:
    """A model with parameters to spare takes it up: to χ² alone it would be certain."""
    wave = 0.03 * CLEAN * np.sin(2 * np.log(Q))
    measured = noisy(9, wave)
    simple = of(measured, fitted(measured, CLEAN)).minus_two_log
    assert fitted(measured, CLEAN).chisq - fitted(measured, CLEAN + wave).chisq > 500
    assert 0 < simple - of(measured, fitted(measured, CLEAN + wave)).minus_two_log < 45


def test_what_no_instrument_does_is_a_wrong_model() -> None:
    wave = 0.4 * CLEAN * np.sin(3 * np.log(Q))
    measured = noisy(9, wave)
    lost = of(measured, fitted(measured, CLEAN)).minus_two_log
    assert lost - of(measured, fitted(measured, CLEAN + wave)).minus_two_log > 60


def test_of_two_bad_fits_none_is_certain_for_a_per_cent_of_misfit() -> None:
    rng = np.random.default_rng(2)
    rough = 20 * STATED * rng.standard_normal(Q.size)
    measured = CLEAN + rough
    one, other = fitted(measured, CLEAN), fitted(measured, CLEAN + 0.005 * rough)
    assert one.chisq - other.chisq > 500
    assert 0 < of(measured, one).minus_two_log - of(measured, other).minus_two_log < 3


def test_no_sample_is_where_no_prior_is() -> None:
    measured = noisy(8)
    fit = fitted(measured, CLEAN, (CLEAN / STATED)[:, None])
    inside, below = (
        replace(fit, parameters={"length": Parameter(value, 0.05, "Ang", False, 0.0, 2.0)}, derivatives={})
        for value in (1.5, 0.5)
    )
    # Ten of its standard deviations below an atom.
    assert of(measured, below).minus_two_log - of(measured, inside).minus_two_log == pytest.approx(100, abs=1)
