"""Errors that neighbours share are found in residuals, and taken from what the evidence says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.assess import assess, misfits, ranked, systematic_errors
from sasnet_plugin.fitting.assessment.systematic_error import systematic_error, widened
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.types import Curve

Q = np.geomspace(0.01, 0.5, 180)
#: Intensity over three decades, with minima.
CLEAN = 1.0 / (1 + (Q / 0.03) ** 2) ** 2 * (1.05 + np.cos(60 * Q)) + 1e-4
STATED = 0.01 * CLEAN


def shared(relative: float, length: float, rng: np.random.Generator, count: int = 1) -> np.ndarray:
    """(n, count) errors of I with Matérn's correlation, ν = 3/2."""
    root = np.linalg.cholesky(matern(length) + 1e-10 * np.eye(Q.size))
    return CLEAN[:, None] * relative * (root @ rng.standard_normal((Q.size, count)))


def matern(length: float) -> np.ndarray:
    far = np.sqrt(3) * np.abs(np.subtract.outer(np.log(Q), np.log(Q))) / length
    return (1 + far) * np.exp(-far)


def fitted(measured: np.ndarray, theory: np.ndarray, parameters: int = 3, name: str = "sphere") -> ModelFit:
    chisq = float(np.sum(((measured - theory) / STATED) ** 2))
    known = {f"p{i}": Parameter(1.0, 0.01, "", False, 0.0, 2.0) for i in range(parameters)}
    bic = chisq + parameters * np.log(Q.size)
    return ModelFit(name, None, known, {}, chisq, chisq / (Q.size - parameters), bic, 0.5, 0.1, theory)


@pytest.mark.parametrize(("relative", "length"), [(0.02, 0.1), (0.03, 0.3), (0.1, 0.3)])
def test_size_of_a_shared_error_is_found(relative: float, length: float) -> None:
    rng = np.random.default_rng(3)
    found = []
    for error in shared(relative, length, rng, 12).T:
        measured = CLEAN + error + STATED * rng.standard_normal(Q.size)
        found.append(systematic_error(Curve(Q, measured, STATED), STATED, fitted(measured, CLEAN)).relative)
    assert np.median(found) == pytest.approx(relative, rel=0.35)


def test_a_component_that_has_no_curve_at_these_values_changes_nothing() -> None:
    """A power law of a large exponent: what its scale does is a number whose square is 0."""
    rng = np.random.default_rng(6)
    measured = CLEAN + shared(0.03, 0.3, rng)[:, 0] + STATED * rng.standard_normal(Q.size)
    curve, slope = Curve(Q, measured, STATED), CLEAN / STATED
    fit = replace(fitted(measured, CLEAN), derivatives={"A_scale": slope})
    beside = replace(fit, derivatives={"A_scale": slope, "B_scale": 1e-200 * slope})
    assert systematic_error(curve, STATED, beside).relative == systematic_error(curve, STATED, fit).relative


@pytest.mark.parametrize("factor", [0.5, 1.0, 4.0])
def test_independent_noise_of_any_size_is_no_shared_error(factor: float) -> None:
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(20):
        measured = CLEAN + factor * STATED * rng.standard_normal(Q.size)
        error = systematic_error(Curve(Q, measured, STATED), STATED, fitted(measured, CLEAN))
        found += error.relative > 0
    assert found <= 1


def test_the_likelihood_is_that_of_the_covariance() -> None:
    rng = np.random.default_rng(7)
    measured = CLEAN + shared(0.05, 0.25, rng)[:, 0] + STATED * rng.standard_normal(Q.size)
    found = systematic_error(Curve(Q, measured, STATED), STATED, fitted(measured, CLEAN))
    gain = found.size / STATED
    covariance = found.noise**2 * np.eye(Q.size) + np.outer(gain, gain) * matern(found.length)
    residual = (measured - CLEAN) / STATED
    _, log_determinant = np.linalg.slogdet(covariance)
    direct = residual @ np.linalg.solve(covariance, residual) + log_determinant
    assert found.minus_two_log - found.cost == pytest.approx(direct, abs=1e-6)


def test_parameters_follow_to_where_they_are_likeliest_under_the_shared_error() -> None:
    rng = np.random.default_rng(17)
    measured = CLEAN + shared(0.05, 0.25, rng)[:, 0] + STATED * rng.standard_normal(Q.size)
    curve, fit = Curve(Q, measured, STATED), fitted(measured, CLEAN)
    slope = CLEAN * np.log(Q / 0.07) / STATED
    found = systematic_error(curve, STATED, replace(fit, derivatives={"p0": slope}))
    gain = found.size / STATED
    covariance = found.noise**2 * np.eye(Q.size) + np.outer(gain, gain) * matern(found.length)
    residual = (measured - CLEAN) / STATED
    # Generalised least squares in the slope (A. C. Aitken, Proc. R. Soc. Edinb. 55 (1935) 42).
    inverse = np.linalg.inv(covariance)
    moved = residual - slope * (slope @ inverse @ residual) / (slope @ inverse @ slope)
    direct = moved @ inverse @ moved + np.linalg.slogdet(covariance)[1]
    assert found.minus_two_log - found.cost == pytest.approx(direct, abs=1e-4)
    assert found.minus_two_log < systematic_error(curve, STATED, fit).minus_two_log


def test_a_background_that_rises_with_q_is_told_from_a_wrong_model() -> None:
    rng = np.random.default_rng(23)
    rising = 1e-4 * (Q / Q[-1]) ** 1.2
    measured = CLEAN + rising + STATED * rng.standard_normal(Q.size)
    found = systematic_error(Curve(Q, measured, STATED), STATED, fitted(measured, CLEAN))
    at = int(np.argmax(rising / CLEAN))
    assert found.background == pytest.approx(rising[at] / CLEAN[at], rel=0.3)
    assert found.relative < 0.02
    assert found.size[at] == pytest.approx(rising[at], rel=0.3)
    assert "a background that changes along q" in found.words()
    flat = CLEAN * (1 + 0.1 * np.sin(4 * np.log(Q))) + STATED * rng.standard_normal(Q.size)
    assert systematic_error(Curve(Q, flat, STATED), STATED, fitted(flat, CLEAN)).background == 0


def test_what_parameters_take_up_of_a_background_is_not_said_of_the_background() -> None:
    rng = np.random.default_rng(31)
    rising = 1e-4 * (Q / Q[-1]) ** 1.2
    measured = CLEAN + rising + STATED * rng.standard_normal(Q.size)
    # One that is nearly such a background itself, so that only their difference is determined.
    slopes = np.stack([CLEAN, np.full(Q.size, 1e-4), 1e-4 * (Q / Q[-1]) ** 1.02], axis=1) / STATED[:, None]
    fit = replace(fitted(measured, CLEAN), derivatives={f"p{i}": c for i, c in enumerate(slopes.T)})
    curve = Curve(Q, measured, STATED)
    found = systematic_error(curve, STATED, replace(fit, derivatives=dict([*fit.derivatives.items()][:2])))
    nearly = systematic_error(curve, STATED, fit)
    assert nearly.background < found.background
    beside = np.column_stack([slopes[:, :2], *((Q / Q[-1]) ** power / STATED for power in (1, 2))])
    both = np.sqrt(np.diag(np.linalg.inv(beside.T @ beside)))[0]
    sure = {name: replace(p, error=1e-9) for name, p in fit.parameters.items()}
    of_two = replace(fit, parameters=sure, derivatives=dict([*fit.derivatives.items()][:2]))
    error = widened(curve, STATED, of_two, found).parameters["p0"].error
    assert error is not None
    assert both <= error < 2 * both


def test_widened_errors_are_those_that_repeated_measurements_show() -> None:
    rng = np.random.default_rng(11)
    slopes = np.stack([CLEAN, np.full(Q.size, 1e-3), CLEAN * np.cos(60 * Q)], axis=1) / STATED[:, None]
    error = shared(0.04, 0.3, rng, 400) + STATED[:, None] * rng.standard_normal((Q.size, 400))
    scatter = np.std(np.linalg.lstsq(slopes, error / STATED[:, None], rcond=None)[0], axis=1)
    measured = CLEAN + error[:, 0]
    curve, fit = Curve(Q, measured, STATED), fitted(measured, CLEAN)
    fit = replace(fit, derivatives={f"p{i}": column for i, column in enumerate(slopes.T)})
    fit = replace(fit, parameters={n: replace(p, error=1e-6) for n, p in fit.parameters.items()})
    found = systematic_error(curve, STATED, fit)
    true = replace(found, noise=1.0, parts=((0.3, 0.04 * CLEAN),))
    wide = widened(curve, STATED, fit, true)
    assert [p.error for p in wide.parameters.values()] == pytest.approx(list(scatter), rel=0.15)


def least_squares(measured: np.ndarray, slopes: np.ndarray) -> tuple[ModelFit, np.ndarray]:
    """A fit of CLEAN plus slopes (in units of STATED), and the values that it gives these."""
    values = np.linalg.lstsq(slopes, (measured - CLEAN) / STATED, rcond=None)[0]
    fit = fitted(measured, CLEAN + STATED * (slopes @ values), slopes.shape[1])
    derivatives = {f"p{i}": column for i, column in enumerate(slopes.T)}
    counting = np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)))
    parameters = {
        name: replace(p, error=float(error))
        for (name, p), error in zip(fit.parameters.items(), counting, strict=True)
    }
    return replace(fit, derivatives=derivatives, parameters=parameters), values


def test_errors_hold_what_parameters_take_up_of_a_shared_error() -> None:
    """Seven smooth parameters leave little of it in the residuals; their intervals cover all the same."""
    rng = np.random.default_rng(41)
    t = (np.log(Q) - np.log(Q).mean()) / np.ptp(np.log(Q))
    slopes = 100 * np.stack([np.cos(k * np.pi * (t + 0.5)) for k in range(7)], axis=1)
    covered, by_the_likeliest = [], []
    for error in shared(0.03, 0.5, rng, 24).T:
        measured = CLEAN + error + STATED * rng.standard_normal(Q.size)
        fit, values = least_squares(measured, slopes)
        curve = Curve(Q, measured, STATED)
        found = systematic_error(curve, STATED, fit)
        likeliest = replace(found, parts=((found.length or 1.0, found.size),))
        for its, kept in ((found, covered), (likeliest, by_the_likeliest)):
            wide = widened(curve, STATED, fit, its).parameters
            kept.append([abs(v) < (wide[f"p{i}"].error or 0.0) for i, v in enumerate(values)])
    assert 0.55 < np.mean(covered) < 0.85
    assert np.mean(by_the_likeliest) < 0.45


def test_errors_hold_what_a_background_that_changes_along_q_does_to_values() -> None:
    """The model has a constant one, so that a length takes up a part of what rises with q."""
    rng = np.random.default_rng(43)
    length = CLEAN * (Q / 0.1) ** 2 / (1 + (Q / 0.1) ** 2)
    slopes = np.stack([CLEAN, np.full(Q.size, 1e-4), length], axis=1) / STATED[:, None]
    rising = 2e-4 * (Q / Q[-1]) ** 1.5
    fit, values = least_squares(CLEAN + rising + STATED * rng.standard_normal(Q.size), slopes)
    curve = Curve(Q, CLEAN + rising, STATED)
    error = systematic_error(curve, STATED, fit)
    assert error.background > 0
    wide = widened(curve, STATED, fit, error).parameters["p2"].error
    assert wide is not None
    by_counting = np.sqrt(np.linalg.inv(slopes.T @ slopes)[2, 2])
    assert abs(values[2]) > 5 * by_counting
    assert 0.5 * abs(values[2]) < wide < 3 * abs(values[2])


def test_a_model_that_takes_the_error_up_does_not_rule_out_the_simple_one() -> None:
    rng = np.random.default_rng(19)
    error = shared(0.02, 0.5, rng)[:, 0]
    measured = CLEAN + error + STATED * rng.standard_normal(Q.size)
    curve = Curve(Q, measured, STATED)
    # Fifteen parameters more, and nothing left.
    fits = [fitted(measured, CLEAN), fitted(measured, CLEAN + error, 18, "raspberry")]
    assert ranked(fits)[0].model == "raspberry"
    order = ranked(fits, None, misfits(fits, systematic_errors(curve, STATED, fits)))
    assert order[0].model == "sphere"
    # What no instrument does is no excuse.
    wrong = CLEAN * (1 + 0.4 * np.sin(3 * np.log(Q)))
    fits = [fitted(measured, wrong), fitted(measured, CLEAN + error, 18, "raspberry")]
    order = ranked(fits, None, misfits(fits, systematic_errors(curve, STATED, fits)))
    assert order[0].model == "raspberry"


def test_smooth_residuals_put_no_fit_above_one_that_is_nearer_with_no_more_parameters() -> None:
    rng = np.random.default_rng(29)
    measured = CLEAN * (1 + 0.02 * rng.standard_normal(Q.size))
    curve = Curve(Q, measured, STATED)
    smooth = CLEAN * (1 + 0.05 * np.sin(2 * np.log(Q)))
    fits = [fitted(measured, smooth, 5, "raspberry"), fitted(measured, CLEAN, 4, "sphere")]
    assert fits[1].chisq < fits[0].chisq
    compared = misfits(fits, systematic_errors(curve, STATED, fits))
    assert compared.chisq[1] <= compared.chisq[0]
    assert ranked(fits, [0.5, 0.5], compared)[0].model == "sphere"


def test_two_models_that_differ_by_less_than_the_shared_error_keep_their_weight() -> None:
    rng = np.random.default_rng(17)
    measured = CLEAN + shared(0.03, 0.3, rng)[:, 0] + STATED * rng.standard_normal(Q.size)
    curve = Curve(Q, measured, STATED)
    # The rival bends by a per cent, towards the error by chance.
    bent = CLEAN * (
        1 + 0.01 * np.sign(np.sum((measured - CLEAN) / CLEAN * np.log(Q / 0.07))) * np.log(Q / 0.07)
    )
    fits = [fitted(measured, CLEAN), fitted(measured, bent, 5, "ellipsoid")]
    independent = ranked(fits)
    order = ranked(fits, None, misfits(fits, systematic_errors(curve, STATED, fits)))
    assert independent[0].model == "ellipsoid"
    assert order[0].model == "sphere"
    result = assess(curve, STATED, fits)
    assert not result.verified
    (sentence,) = [n for n in result.notes if n.startswith("None of these models explains")]
    assert "within a systematic error of" in sentence
    assert "sphere" in sentence
