"""Size distributions as sums of shifted curves, against sasmodels' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sasnet_plugin.simulate.clean import evaluate
from sasnet_plugin.simulate.grid import LN_STEP, WIDE_Q
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.polydispersity import find_scaling_size, size_distribution, spread, spread_sizes


def _wide(size: str, width: float, kind: str, points: int) -> dict[str, Any]:
    nsigma = 3.0 if kind == "gaussian" else 8.0
    return {f"{size}_pd": width, f"{size}_pd_type": kind, f"{size}_pd_n": points, f"{size}_pd_nsigma": nsigma}


@pytest.mark.parametrize("kind", ["gaussian", "lognormal", "schulz"])
@pytest.mark.parametrize("width", [0.05, 0.25])
def test_shifted_spheres_are_sasmodels_polydisperse_sphere(kind: str, width: float) -> None:
    parameters = {"radius": 60.0, "sld": 1.0, "sld_solvent": 6.0}
    # At least as many points as ours: a coarse distribution has fringes of its own.
    spread = parameters | _wide("radius", width, kind, 81)
    where = np.arange(np.searchsorted(WIDE_Q, 1.0))
    mono = np.log(call("sphere", WIDE_Q[where], parameters).intensity)
    found = spread_sizes(spread, "radius", where, mono)
    q = WIDE_Q[: found.size]
    exact = np.log(call("sphere", q, spread).intensity)
    seen = q * 60.0 < 15
    assert seen.sum() > 500
    # In absolute units too: intensity per mean volume.
    assert np.mean(np.abs(found - exact)[seen] < 0.01) >= 0.99
    assert found[0] == pytest.approx(exact[0], abs=3e-3)


def test_curve_ends_where_the_largest_size_is_no_longer_known() -> None:
    parameters = {"radius": 60.0, "sld": 1.0, "sld_solvent": 6.0} | _wide("radius", 0.2, "gaussian", 35)
    where = np.arange(np.searchsorted(WIDE_Q, 1.0))
    mono = np.log(call("sphere", WIDE_Q[where], {"radius": 60.0}).intensity)
    found = spread_sizes(parameters, "radius", where, mono)
    # Three sigmas of 0.2: the largest sphere is 1.6 times the mean one.
    assert WIDE_Q[found.size - 1] == pytest.approx(WIDE_Q[where[-1]] / 1.6, rel=0.03)


def test_a_slow_model_is_averaged_as_sasmodels_does() -> None:
    parameters = {"length_a": 80.0, "b2a_ratio": 1.4, "c2a_ratio": 2.0, "sld": 1.0, "sld_solvent": 6.0}
    spread = parameters | _wide("length_a", 0.15, "schulz", 11)
    clean = evaluate("rectangular_prism", spread)
    assert clean is not None
    at = np.arange(200, 780, 40)  # q from 3e-4 to 0.2
    exact = np.log(call("rectangular_prism", WIDE_Q[at], spread | {"length_a_pd_n": 35}).intensity)
    found = clean.log_intensity[at].astype(float)
    assert found - found[0] == pytest.approx(exact - exact[0], abs=0.01)


def test_only_a_single_length_is_rescaled() -> None:
    one = _wide("radius", 0.1, "gaussian", 35)
    assert find_scaling_size("sphere", {"radius": 50.0} | one) == "radius"
    assert find_scaling_size("sphere", {"radius": 50.0}) is None
    # A cylinder has a length besides, which does not grow with its radius.
    assert find_scaling_size("cylinder", {"radius": 50.0, "length": 400.0} | one) is None
    both = one | _wide("length", 0.1, "gaussian", 35)
    assert find_scaling_size("cylinder", {"radius": 50.0, "length": 400.0} | both) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_spread_sphere_is_sasmodels_polydisperse_sphere(seed: int) -> None:
    """A sphere's radius is all the lengths it has, so spreading all of them is polydispersity itself."""
    shift, weight = size_distribution(np.random.default_rng(seed))
    mono = np.log(call("sphere", WIDE_Q, {"radius": 60.0}).intensity)
    found = spread(mono, shift, weight)
    size = np.exp(LN_STEP * shift)
    each = np.array([call("sphere", WIDE_Q, {"radius": 60.0 * s}).intensity * s**3 for s in size])
    number = weight / size**6
    exact = np.log(number @ each)[: found.size]
    assert found - found[0] == pytest.approx(exact - exact[0], abs=0.05)
    assert WIDE_Q[found.size - 1] == pytest.approx(WIDE_Q[-1] / max(size.max(), 1.0), rel=0.01)


def test_distributions_to_spread_by_are_the_protocols() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for _ in range(300):
        shift, weight = size_distribution(rng)
        size = np.exp(LN_STEP * shift)
        number = weight / size**6
        mean = np.sum(number * size) / number.sum()
        widths.append(np.sqrt(np.sum(number * (size / mean - 1) ** 2) / number.sum()))
    assert np.quantile(widths, [0.02, 0.5, 0.98]) == pytest.approx([0.035, 0.165, 0.295], abs=0.03)
