"""Uncertainties that are no noise: how many points count, and what that makes of weights and errors."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.assess import discrepancy
from sasnet_plugin.fitting.assessment.goodness_of_fit import as_independent, describe_share, independent_share
from sasnet_plugin.fitting.evidence.marginal import weigh_fits
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.types import Curve

N = 400
Q = np.geomspace(0.005, 0.3, N)


def running(correlation: float, size: float, rng: np.random.Generator) -> np.ndarray:
    """Residuals of which each is correlated with the next."""
    drawn = rng.standard_normal(N)
    for i in range(1, N):
        drawn[i] = correlation * drawn[i - 1] + np.sqrt(1 - correlation**2) * drawn[i]
    return size * drawn


def level(residual: np.ndarray, name: str = "flat", value: float = 1.0) -> ModelFit:
    """A fit of a constant, with the residuals in units of uncertainties of 1."""
    error = 1 / np.sqrt(N)  # of independent points
    parameters = {"background": Parameter(value, error, "1/cm", False, 0.0, 2.0)}
    chisq = float(np.sum(residual**2))
    return ModelFit(
        name, None, parameters, {}, chisq, chisq / (N - 1), chisq + np.log(N), 0.5, 0.1, 10 - residual
    )


def measured() -> Curve:
    return Curve(Q, np.full(N, 10.0), dintensity=np.ones(N))


@pytest.mark.parametrize("correlation", [0.6, 0.9])
def test_as_many_points_count_as_the_correlation_leaves(correlation: float) -> None:
    rng = np.random.default_rng(4)
    shares = [
        independent_share(measured(), np.ones(N), [level(running(correlation, 0.3, rng))]) for _ in range(40)
    ]
    assert np.mean(shares) == pytest.approx((1 - correlation) / (1 + correlation), rel=0.2)


def test_noise_counts_whole_whatever_its_size() -> None:
    rng = np.random.default_rng(5)
    fits = [level(running(0.0, size, rng)) for size in (0.1, 0.5, 1.0)]
    assert all(independent_share(measured(), np.ones(N), [fit]) == 1 for fit in fits)
    # Residuals as large as the uncertainties, or these taken from the scatter: as they are.
    assert independent_share(measured(), np.ones(N), [level(running(0.9, 1.2, rng))]) == 1
    unknown = Curve(Q, np.full(N, 10.0))
    assert independent_share(unknown, np.ones(N), [level(running(0.9, 0.3, rng))]) == 1


def test_errors_are_those_that_repeated_measurements_scatter_by() -> None:
    rng = np.random.default_rng(6)
    size = 0.3
    means, errors = [], []
    for _ in range(60):
        residual = running(0.9, size, rng)
        fit = level(residual - residual.mean())
        share = independent_share(measured(), np.ones(N), [fit])
        means.append(residual.mean())
        errors.append(as_independent(fit, share).parameters["background"].error or 0.0)
    # The uncertainties themselves are too large, by 1/size.
    assert np.std(means) == pytest.approx(size * np.mean(errors), rel=0.35)
    assert np.std(means) > 3 * size / np.sqrt(N)


def test_a_second_component_comes_not_first_by_what_neighbours_share_within_the_errors() -> None:
    def first(rest: np.ndarray) -> str:
        alone, both = level(rest), level(0.5 * rest, "flat+power_law")
        assert alone.chisq - both.chisq > 50, "overwhelming, were the points independent"
        curve = Curve(Q, np.full(N, 10.0), dintensity=np.ones(N))
        return (
            weigh_fits(discrepancy(curve, np.ones(N), [alone, both]), [alone, both], [0.9, 0.025])
            .fits[0]
            .name
        )

    rest = running(0.95, 0.6, np.random.default_rng(7))
    assert f"the {N} points count as" in describe_share(
        N, independent_share(measured(), np.ones(N), [level(rest)])
    )
    assert first(rest) == level(rest).name
    assert first(np.random.default_rng(8).permutation(rest)) == "flat+power_law"
