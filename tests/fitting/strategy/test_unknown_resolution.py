"""Resolution that a file does not state: found where the curve shows it, left out where it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.api import fit
from sasnet_plugin.fitting.strategy.hypothesis import Supposed
from sasnet_plugin.fitting.strategy.search import Resolved, _error, resolution_of
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.grid import WIDE_Q, pinhole_matrix
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

Q = np.geomspace(0.005, 0.35, 130)


def measured(relative: float, absolute: float) -> Curve:
    """A sphere of 120 Å with 1 % noise, and no word on its resolution."""
    clean = call("sphere", WIDE_Q, {"radius": 120.0, "sld": 4.0, "sld_solvent": 1.0}).intensity
    exact = pinhole_matrix(Q, np.hypot(relative * Q, absolute)) @ clean
    exact = exact + 1e-4 * exact.max()
    sigma = 0.01 * exact
    noise = np.random.default_rng(1).standard_normal(Q.size)
    return Curve(Q, exact + sigma * noise, sigma, file="sphere.dat")


def search(curve: Curve, bank: Bank) -> Resolved | None:
    assert curve.dintensity is not None
    start: dict[str, Any] = {"radius": 119.0, "sld": 4.0, "sld_solvent": 1.0}
    return resolution_of(Task(curve, curve.dintensity, "sphere", None, starts=(start,)), bank)


@pytest.mark.parametrize("relative", [0.04, 0.1])
def test_a_relative_width_is_found(bank: Bank, relative: float) -> None:
    found = search(measured(relative, 0.0), bank)
    assert found is not None
    assert found.supposed.relative == pytest.approx(relative, rel=0.45)
    # The choice of widths is coarse, but what is left over is not: without one χ²/n is above 50.
    assert found.chisq / Q.size < 3.0


def test_an_absolute_width_is_found(bank: Bank) -> None:
    found = search(measured(0.0, 1.5e-3), bank)
    assert found is not None
    assert found.supposed.absolute == pytest.approx(1.5e-3, rel=0.45)


def test_a_sharp_curve_needs_none(bank: Bank) -> None:
    assert search(measured(0.002, 0.0), bank) is None


def test_a_model_that_imitates_the_resolution_is_fitted_again_with_it(bank: Bank) -> None:
    """A peak narrower than the resolution: without one the fit has too short a correlation length."""
    true = {"porod_scale": 0.0, "peak_scale": 10.0, "peak_pos": 0.07, "correlation_length": 1000.0}
    clean = call("broad_peak", WIDE_Q, true).intensity
    exact = pinhole_matrix(Q, 0.05 * Q) @ clean
    exact = exact + 1e-3 * exact.max()
    sigma = 0.005 * exact
    curve = Curve(Q, exact + sigma * np.random.default_rng(2).standard_normal(Q.size), sigma)
    assert curve.dintensity is not None
    start = true | {"correlation_length": 250.0, "porod_exp": 3.0, "width_exp": 2.0, "shape_exp": 1.0}
    found = resolution_of(
        Task(curve, curve.dintensity, "broad_peak", None, starts=(start,), budget=Budget(12.0)), bank
    )
    assert found is not None
    assert found.supposed.relative == pytest.approx(0.05, rel=0.03)
    # The peak's exponents make up for the rest: no longer a quarter of the truth.
    assert found.parameters["correlation_length"] == pytest.approx(1000.0, rel=0.25)
    assert found.chisq / Q.size < 1.5


def test_the_fit_says_that_it_used_one() -> None:
    result = fit(measured(0.08, 0.0), models=["sphere"], workers=1)
    assert result.best is not None
    assert result.curve.dq is not None
    assert any("gives no resolution" in note for note in result.notes)
    assert result.best.parameters["radius"].value == pytest.approx(120.0, rel=0.02)
    stated = replace(measured(0.08, 0.0), dq=0.08 * Q)
    assert not any("gives no resolution" in note for note in fit(stated, models=["sphere"], workers=1).notes)


def test_a_systematic_error_of_some_per_cent_is_no_resolution() -> None:
    """Another model may fit far better with one; spheres of a tenth's spread do not ask for it."""
    rng = np.random.default_rng(0)
    q = np.geomspace(0.02, 0.8, 300)
    clean = call("sphere", q, {"radius": 32.0, "sld": 4.0, "sld_solvent": 1.0, "radius_pd": 0.1,
                               "radius_pd_n": 80, "radius_pd_nsigma": 4.0}).intensity  # fmt: skip
    clean = clean / clean.max() + 1e-3 * (0.5 + 0.5 * q)
    kernel = np.exp(-(np.subtract.outer(np.log(q), np.log(q)) ** 2) / 2 / 0.3**2) + 1e-9 * np.eye(q.size)
    off = clean * (1 + 0.03 * np.linalg.cholesky(kernel) @ rng.standard_normal(q.size))
    sigma = np.sqrt((0.01 * off) ** 2 + off * 1e-4)
    curve = Curve(q, off + sigma * rng.standard_normal(q.size), sigma, file="spheres.dat")
    result = fit(curve, models=["sphere", "polymer_micelle"], workers=1)
    assert not any("gives no resolution" in note for note in result.notes)
    sphere = next(one for one in result.fits if one.model == "sphere")
    radius = sphere.parameters["radius"]
    assert radius.error is not None
    assert abs(radius.value - 32.0) < 2.5 * radius.error < 1.6


def test_a_size_holds_whether_a_width_or_the_instrument_washes_its_fringes_out() -> None:
    """What large bodies of a distribution scatter counts more: by 6 σ² the radius would be too small."""
    result = fit(measured(0.04, 0.0), workers=1)
    assert result.best is not None
    assert result.verified
    radius = result.best.parameters["radius"]
    assert radius.error is not None
    assert abs(radius.value - 120.0) < 3 * radius.error
    assert radius.error < 1.5


def test_the_error_of_a_width_is_from_other_widths_alone() -> None:
    """The same width again, from other parameters, says nothing of it; it would be known exactly."""
    found = Resolved(Supposed(0.0, 1e-3), {}, 100.0)
    again = Resolved(Supposed(0.0, 1e-3), {}, 104.0)
    wider = Resolved(Supposed(0.0, 1.2e-3), {}, 101.0)
    assert _error(found, [found, again, wider]) == pytest.approx(np.log(1.2))
    early = Resolved(Supposed(0.0, 1.01e-3), {}, 100.2)  # a fit that ended a little early
    assert _error(found, [found, early, wider]) == pytest.approx(np.log(1.2))
    assert _error(found, [found, again]) == 1.0
