"""Shared errors have the covariance that they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.evidence.discrepancy import Discrepancy, correlation
from sasnet_plugin.fitting.evidence.marginal import evidence, widen_by_shared_error
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.result.residuals import SharedError
from sasnet_plugin.types import Curve

from .simulated import CLEAN, STATED, Q, fitted, least_squares, shared

# --- Shared errors have the covariance that they say.


def test_a_shape_is_matern_s_covariance_of_its_level() -> None:
    for shape in Discrepancy(Curve(Q, CLEAN, STATED), STATED).shapes(CLEAN):
        gain = shape.level / STATED
        direct = correlation(np.log(Q), shape.length) * np.outer(gain, gain)
        found = (shape.vectors * shape.values) @ shape.vectors.T
        # Points within a cell share all of it.
        assert np.linalg.norm(found - direct) < 0.05 * np.linalg.norm(direct)


def test_many_points_at_one_q_are_no_more_shapes() -> None:
    q = np.sort(np.concatenate([Q, Q * 1.0001, Q * 1.0002]))
    curve = Curve(q, np.interp(q, Q, CLEAN), np.interp(q, Q, STATED))
    dense = Discrepancy(curve, curve.dintensity)  # type: ignore[arg-type]
    assert dense.shapes(curve.intensity)[0].values.size <= Q.size
    assert dense.shapes(curve.intensity)[0].vectors.shape[0] == q.size
    # Three times as many points: the variance of their sum grows by as much.
    once = Discrepancy(Curve(Q, CLEAN, STATED), STATED)
    assert dense.shapes(curve.intensity)[0].values[-1] == pytest.approx(
        3 * once.shapes(CLEAN)[0].values[-1], rel=0.05
    )


def test_neighbours_are_alike_and_far_points_are_not() -> None:
    found = correlation(np.array([0.0, 0.01, 3.0]), 0.3)
    assert np.diag(found) == pytest.approx(1.0)
    assert found[0, 1] > 0.99
    assert found[0, 2] < 1e-5


def test_a_level_is_no_lower_than_what_is_known_of_it() -> None:
    """Where a curve is nothing but noise about zero, an error is no share of that."""
    noise = 1e-3 * np.random.default_rng(1).standard_normal(Q.size)
    data = Discrepancy(Curve(Q, noise, np.full(Q.size, 1e-3)), np.full(Q.size, 1e-3))
    assert np.all(data.local_mean > 1e-4)
    assert np.all(np.isfinite(data.ratios))


# --- Errors that neighbours share are found in residuals, and held by parameters' errors.


def among(measured: np.ndarray) -> Discrepancy:
    return Discrepancy(Curve(Q, measured, STATED), STATED)


def found_in(measured: np.ndarray, fit: ModelFit) -> SharedError:
    return evidence(among(measured), fit).shared


@pytest.mark.parametrize(("relative", "length"), [(0.02, 0.1), (0.03, 0.3), (0.08, 0.3)])
def test_size_of_a_shared_error_is_found(relative: float, length: float) -> None:
    rng = np.random.default_rng(3)
    found = []
    for error in shared(relative, length, rng, 12).T:
        measured = CLEAN + error + STATED * rng.standard_normal(Q.size)
        found.append(found_in(measured, fitted(measured, CLEAN)).relative)
    assert np.median(found) == pytest.approx(relative, rel=0.4)


@pytest.mark.parametrize("factor", [0.5, 1.0, 4.0])
def test_independent_noise_of_any_size_is_no_shared_error(factor: float) -> None:
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(20):
        measured = CLEAN + factor * STATED * rng.standard_normal(Q.size)
        error = found_in(measured, fitted(measured, CLEAN))
        found += error.relative > 0
        assert error.noise == pytest.approx(max(factor, 1.0), rel=0.2)
    assert found <= 2


def test_a_background_that_rises_with_q_is_told_from_a_wrong_model() -> None:
    rng = np.random.default_rng(23)
    rising = 1e-4 * (Q / Q[-1]) ** 1.2
    measured = CLEAN + rising + STATED * rng.standard_normal(Q.size)
    found = found_in(measured, fitted(measured, CLEAN))
    at = int(np.argmax(rising / CLEAN))
    assert 0.4 * rising[at] / CLEAN[at] < found.background < 1.5 * rising[at] / CLEAN[at]
    assert "a background that changes along q" in found.words()
    flat = CLEAN * (1 + 0.1 * np.sin(4 * np.log(Q))) + STATED * rng.standard_normal(Q.size)
    assert found_in(flat, fitted(flat, CLEAN)).background == 0


def test_errors_are_those_that_repeated_measurements_show_and_no_larger() -> None:
    """A shared error is in an error once: not as its variance and as how far least squares move by it."""
    rng = np.random.default_rng(11)
    slopes = np.stack([CLEAN, np.full(Q.size, 1e-3), CLEAN * np.cos(60 * Q)], axis=1) / STATED[:, None]
    off, errors = [], []
    for error in shared(0.02, 0.3, rng, 100).T:
        measured = CLEAN + error + STATED * rng.standard_normal(Q.size)
        fit, values = least_squares(measured, slopes)
        off.append(values)
        errors.append([p.error for p in widen_by_shared_error(among(measured), fit).parameters.values()])
    truth, stated = (np.sqrt(np.mean(np.square(column), axis=0)) for column in (off, errors))
    assert stated == pytest.approx(truth, rel=0.3)
    assert 0.6 < np.mean(np.abs(off) < np.array(errors)) < 0.76
    # Where the shared error has moved a value far, its error is larger than elsewhere.
    far = np.abs(off) > truth
    assert np.mean(np.array(errors)[far] / stated[far.nonzero()[1]]) > np.mean(
        np.array(errors)[~far] / stated[(~far).nonzero()[1]]
    )


def test_errors_hold_what_parameters_take_up_of_a_shared_error() -> None:
    """Seven smooth parameters leave little of it in the residuals; their intervals cover all the same."""
    rng = np.random.default_rng(41)
    t = (np.log(Q) - np.log(Q).mean()) / np.ptp(np.log(Q))
    slopes = 100 * np.stack([np.cos(k * np.pi * (t + 0.5)) for k in range(7)], axis=1)
    covered, by_counting = [], []
    for error in shared(0.03, 0.5, rng, 24).T:
        measured = CLEAN + error + STATED * rng.standard_normal(Q.size)
        fit, values = least_squares(measured, slopes)
        wide = widen_by_shared_error(among(measured), fit).parameters
        for its, kept in ((wide, covered), (fit.parameters, by_counting)):
            kept.append([abs(v) < (its[f"p{i}"].error or 0.0) for i, v in enumerate(values)])
    assert 0.45 < np.mean(covered) < 0.85
    assert np.mean(by_counting) < 0.3


def test_errors_hold_what_a_background_that_changes_along_q_does_to_values() -> None:
    """The model has a constant one, so that a length takes up a part of what rises with q."""
    rng = np.random.default_rng(43)
    length = CLEAN * (Q / 0.1) ** 2 / (1 + (Q / 0.1) ** 2)
    slopes = np.stack([CLEAN, np.full(Q.size, 1e-4), length], axis=1) / STATED[:, None]
    rising = 2e-4 * (Q / Q[-1]) ** 1.5
    measured = CLEAN + rising + STATED * rng.standard_normal(Q.size)
    fit, values = least_squares(measured, slopes)
    error = found_in(measured, fit)
    assert error.background > 0
    wide = widen_by_shared_error(among(measured), fit).parameters["p2"].error
    by_counting = fit.parameters["p2"].error
    assert wide is not None
    assert by_counting is not None
    assert abs(values[2]) > 5 * by_counting
    assert 0.5 * abs(values[2]) < wide < 3 * abs(values[2])


def test_an_error_that_is_not_seen_adds_little() -> None:
    """Smooth errors below the noise are as likely as their prior says: errors hold them, not more."""
    measured = CLEAN + STATED * np.random.default_rng(1).standard_normal(Q.size)
    fit = fitted(measured, CLEAN, (CLEAN / STATED)[:, None])
    grown = widen_by_shared_error(among(measured), replace(fit, derivatives={}))
    before, after = fit.parameters["p0"].error, grown.parameters["p0"].error
    assert before is not None
    assert after is not None
    assert before < after < 2 * before
