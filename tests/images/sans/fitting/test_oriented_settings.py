"""Settings of fits of images agree with physics and with one another."""

from __future__ import annotations

from sasnet_plugin.images.sans.fitting import FAULTS, SETTINGS, OrientedImage, cells_of
from tests.images.sans.fitting import rods


def test_an_order_parameter_stays_between_axes_across_and_along() -> None:
    low, high = SETTINGS.limits["p2"]
    assert -0.5 < low < 0 < high < 1
    assert SETTINGS.limits["radius"][0] < rods.RADIUS < SETTINGS.limits["radius"][1]


def test_what_an_instrument_does_is_fitted_within_its_prior() -> None:
    """Each has a range that holds three prior standard deviations of a usual instrument, or ends at none."""
    start = {"radius": 40.0, "aspect": 4.0, "radius_pd": 0.1, "p2": 0.6, "director": 30.0}
    cells = cells_of(rods.rods(0.6))
    problem = OrientedImage(cells, "cylinder", start, bright=None)
    assert not set(FAULTS) & set(start)
    assert all(size > 0 for size in FAULTS.values())
    assert set(start) <= set(problem.limits)
    limits = OrientedImage(cells, "cylinder", start, bright=cells.counts / cells.counts.max()).limits
    assert all(limits[name][0] <= 0 and limits[name][1] >= 3 * size for name, size in FAULTS.items())
