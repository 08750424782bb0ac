"""A model fitted along a series of curves."""

import numpy as np
import pytest

from sasnet_plugin.batch.live.line import Fitted
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve


def measured(name: str, values: dict[str, float], seed: int) -> Curve:
    q = np.geomspace(0.005, 0.3, 100)
    clean = 0.02 + call(name, q, values).intensity * values["scale"]
    sigma = 0.02 * clean
    return Curve(q, clean + sigma * np.random.default_rng(seed).standard_normal(q.size), sigma)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sphere", {"radius": 50.0, "scale": 0.01}),
        ("core_shell_sphere", {"radius": 50.0, "thickness": 15.0, "sld_core": 1.0, "scale": 0.01}),
    ],
)
def test_a_series_that_goes_on_after_a_pause_has_the_scale_that_it_had(
    name: str, values: dict[str, float]
) -> None:
    """With sasmodels' own contrast: that which a search began with is another each time."""
    before = Fitted(name)
    first = before.fit(measured(name, values, 1))["scale"]
    follows = before.fit(measured(name, values | {"radius": 52.0}, 2))["scale"]
    goes_on = Fitted(name).fit(measured(name, values | {"radius": 54.0}, 3))["scale"]
    for value, error in (first, follows, goes_on):
        assert value == pytest.approx(values["scale"], abs=3 * error)
        assert error < 0.3 * value
