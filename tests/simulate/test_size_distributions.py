"""The range of a size distribution: what of the scattering it holds, against textbook distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.size_distributions import (
    adapt_ranges,
    count_points,
    count_sizes,
    distribution_keywords,
    find_density,
    find_nsigma,
)

KINDS = ("gaussian", "schulz", "lognormal")
WIDTHS = (0.03, 0.1, 0.25, 0.4, 0.6)


def weighted(kind: str, width: float, power: int) -> Any:
    """The distribution of scipy whose density is R^power times that of the sizes; None for a Gaussian."""
    if kind == "lognormal":
        return stats.lognorm(width, scale=np.exp(power * width**2))
    return stats.gamma(1 / width**2 + power, scale=width**2)


def share_within(kind: str, width: float, low: float, high: float, power: int = 6) -> float:
    """Share of R⁶, or another power, between two sizes over the centre."""
    if kind != "gaussian":
        of_power = weighted(kind, width, power)
        return float(of_power.cdf(high) - of_power.cdf(low))
    size = np.linspace(0, 1 + 12 * width, 200_001)
    density = size**power * stats.norm(1, width).pdf(size)
    return float(density[(size >= low) & (size <= high)].sum() / density.sum())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("size", "power"), [("radius", 6), ("length", 2)])
def test_the_range_holds_what_scatters(kind: str, width: float, size: str, power: int) -> None:
    """Spheres as the square of their volume, rods as the square of their length."""
    reach = find_nsigma(kind, width, size) * width
    assert 0.999 < share_within(kind, width, max(1 - reach, 0), 1 + reach, power) < 0.9998


def test_eight_widths_are_too_few_of_a_broad_log_normal_distribution() -> None:
    assert share_within("lognormal", 0.4, 0, 1 + 8 * 0.4) == pytest.approx(0.88, abs=0.005)
    assert find_nsigma("lognormal", 0.4) > 20


def _sphere(q: NDArray[np.float64], radius: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.outer(q, radius)
    return radius**6 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", WIDTHS)
def test_sasmodels_sum_is_the_integral_over_sizes(kind: str, width: float) -> None:
    q = np.geomspace(1e-3, 0.2, 60)
    size = np.exp(np.linspace(-3, 5.5, 8001))
    density = stats.norm(1, width).pdf(size) if kind == "gaussian" else weighted(kind, width, 0).pdf(size)
    share = density * size
    exact = _sphere(q, 40 * size) @ share / (share @ size**3)
    keywords = distribution_keywords("radius", kind, width, 61)
    found = call("sphere", q, {"radius": 40.0, "radius_pd": width, **keywords}).intensity
    found *= np.mean(exact / found)
    # Between the fringes of narrow distributions a little of what lies above them is not seen.
    assert np.all(np.abs(found - exact) < 2e-3 * exact + 1e-4 * exact[0] / (1 + (40 * q) ** 4))


@pytest.mark.parametrize("kind", KINDS)
def test_points_stay_as_close_while_a_width_grows(kind: str) -> None:
    start = {"radius_pd": 0.1, **distribution_keywords("radius", kind, 0.1, 35)}
    moved = adapt_ranges({**start, "radius_pd": 0.4}, start)
    assert moved["radius_pd_nsigma"] == find_nsigma(kind, 0.4)
    distances = [2 * p["radius_pd_nsigma"] / (p["radius_pd_n"] - 1) for p in (start, moved)]
    assert distances[1] == pytest.approx(distances[0], rel=0.15)
    assert adapt_ranges(start, start) == start
    assert count_points(kind, 0.1, find_density(kind, 0.1, start["radius_pd_n"])) == start["radius_pd_n"]


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_that_are_summed_are_counted(kind: str) -> None:
    from sasmodels.weights import get_weights

    keywords = distribution_keywords("radius", kind, 0.4, 35)
    size, _ = get_weights(
        kind, keywords["radius_pd_n"], 0.4, keywords["radius_pd_nsigma"], 50.0, (0, np.inf), True
    )
    assert count_sizes({"radius_pd": 0.4, **keywords}, "radius_pd") == pytest.approx(size.size, abs=1)
