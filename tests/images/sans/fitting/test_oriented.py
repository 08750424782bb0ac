"""The problem that bumps is given: rings and sectors, amplitudes, deviance, and the truth at its minimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.images.sans.fitting import OrientedImage, cells_of, deviance_roots
from sasnet_plugin.types import DataError
from tests.images.sans.fitting import rods

TRUTH = {"radius": rods.RADIUS, "aspect": rods.ASPECT, "radius_pd": rods.SPREAD, "p2": 0.6, "director": 30.0}


@pytest.fixture(scope="module")
def problem() -> OrientedImage:
    """Rods, at their truth."""
    return OrientedImage(cells_of(rods.rods()), "cylinder", dict(TRUTH))


def test_cells_hold_all_counts_and_at_the_truth_the_deviance_is_that_of_counting(
    problem: OrientedImage,
) -> None:
    image = rods.rods()
    inside = image.mask & (image.geometry.q > 6e-4)
    assert problem.cells.counts.sum() == pytest.approx(image.counts[inside].sum(), rel=1e-3)
    # The mean of χ² over its degrees of freedom is 1 ± √(2/n), and efficiencies add a little.
    assert 0.85 < problem.chisq() < 1.25
    found, expected = problem.amplitudes()
    assert expected.sum() == pytest.approx(problem.cells.counts.sum(), rel=0.01)
    assert np.all(found[:2] > 0)


@pytest.mark.parametrize(
    ("name", "value"), [("p2", 0.45), ("director", 38.0), ("radius", 46.0), ("aspect", 2.0)]
)
def test_away_from_the_truth_it_is_larger(problem: OrientedImage, name: str, value: float) -> None:
    before, par = problem.chisq(), problem.pars[name]
    par.value, kept = value, par.value
    assert problem.chisq() > before + 0.1
    par.value = kept


def test_a_deviance_is_twice_the_fall_of_the_likelihood() -> None:
    from scipy.stats import poisson

    n, m = np.array([0.0, 3.0, 40.0]), np.array([0.5, 3.0, 25.0])
    expected = 2 * (poisson.logpmf(n, np.maximum(n, 1e-300)) - poisson.logpmf(n, m))
    np.testing.assert_allclose(deviance_roots(n, m) ** 2, expected, atol=1e-9)
    assert deviance_roots(n, m)[2] > 0 > deviance_roots(n, m)[0]


def test_an_image_without_counts_is_refused() -> None:
    image = rods.rods()
    with pytest.raises(DataError, match="too little"):
        cells_of(replace(image, mask=np.zeros_like(image.mask)))
