"""Smearing against closed formulas, and against sasmodels on a q_calc that is fine enough."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import erf, ndtr

from sasnet_plugin.simulate.grid import N_SIGMA, WIDE_Q, pinhole_matrix, slit_matrix
from sasnet_plugin.simulate.kernel import call

Q = np.geomspace(0.003, 0.4, 90)


def test_rows_sum_to_one() -> None:
    for matrix in (pinhole_matrix(Q, 0.1 * Q), slit_matrix(Q, np.full(Q.size, 0.05))):
        assert matrix @ np.ones(WIDE_Q.size) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("make", [pinhole_matrix, slit_matrix])
def test_without_resolution_a_curve_is_only_interpolated(make: Callable) -> None:
    assert make(Q, np.zeros(Q.size)) @ WIDE_Q**-4.0 == pytest.approx(Q**-4.0, rel=1e-8)


@pytest.mark.parametrize("relative", [0.03, 0.1, 0.3])
@pytest.mark.parametrize("rg", [20.0, 100.0])
def test_pinhole_smeared_guinier_law_has_its_closed_form(relative: float, rg: float) -> None:
    # A Gaussian times a Gaussian is a Gaussian, cut off where the resolution function is.
    q = np.geomspace(0.002, 3 / rg, 60)
    sigma = relative * q
    a = rg**2 / 3
    broad = 1 + 2 * a * sigma**2
    mean, width = q / broad, sigma / np.sqrt(broad)
    low, high = q - N_SIGMA[0] * sigma, q + N_SIGMA[1] * sigma
    share = (ndtr((high - mean) / width) - ndtr((low - mean) / width)) / (
        ndtr(N_SIGMA[1]) - ndtr(-N_SIGMA[0])
    )
    exact = np.exp(-a * q**2 / broad) / np.sqrt(broad) * share
    found = pinhole_matrix(q, sigma) @ np.exp(-a * WIDE_Q**2)
    assert found == pytest.approx(exact, rel=2e-3)


def test_slit_smeared_guinier_law_has_its_closed_form() -> None:
    a, length = 50.0**2 / 3, np.full(Q.size, 0.04)
    exact = np.exp(-a * Q**2) * np.sqrt(np.pi / a) / 2 * erf(length * np.sqrt(a)) / length
    found = slit_matrix(Q, length) @ np.exp(-a * WIDE_Q**2)
    inside = Q < 0.1
    assert found[inside] == pytest.approx(exact[inside], rel=1e-3)


@pytest.mark.parametrize("length", [0.02, 0.1])
def test_slit_smeared_porod_law_has_its_closed_form(length: float) -> None:
    # (1/l) ∫₀ˡ (q² + u²)⁻² du; for l >> q it is pi/(4 l q³), the slit-smeared Porod law.
    exact = (length / (2 * Q**2 * (Q**2 + length**2)) + np.arctan(length / Q) / (2 * Q**3)) / length
    found = slit_matrix(Q, np.full(Q.size, length)) @ WIDE_Q**-4.0
    assert found == pytest.approx(exact, rel=5e-3)
    assert found[0] * 4 * length * Q[0] ** 3 / np.pi == pytest.approx(1.0, rel=0.1)


CURVES = {
    "sphere": {"radius": 90.0},
    "core_shell_sphere": {"radius": 60.0, "thickness": 15.0},
    "vesicle": {"radius": 80.0, "thickness": 20.0},
    "mono_gauss_coil": {"rg": 70.0},
    "teubner_strey": {"d": 150.0, "xi": 90.0},
}


def _fine(low: float, high: float) -> np.ndarray:
    return np.union1d(np.linspace(max(low, 1e-5), high, 12000), np.geomspace(max(low, 1e-5), high, 4000))


def _both(kind: str, relative: float) -> dict[str, np.ndarray]:
    """Relative errors over all curves: ours, and sasmodels' with the q_calc that it chooses itself."""
    from sasmodels.resolution import Pinhole1D, Slit1D

    errors: dict[str, list[np.ndarray]] = {"ours": [], "sasmodels": []}
    for name, parameters in CURVES.items():
        if kind == "pinhole":
            width = np.hypot(relative * Q, 5e-4)
            matrix = pinhole_matrix(Q, width)
            low, high = float(np.min(Q - 2.6 * width)), float(np.max(Q + 3.1 * width))
            fine, coarse = Pinhole1D(Q, width, q_calc=_fine(low, high)), Pinhole1D(Q, width)
        else:
            width = np.full(Q.size, relative)
            matrix = slit_matrix(Q, width)
            high = float(np.hypot(Q[-1], relative)) * 1.001
            fine = Slit1D(Q, q_length=width, q_calc=_fine(Q[0] * 0.999, high))
            coarse = Slit1D(Q, q_length=width)
        exact = fine.apply(call(name, fine.q_calc, parameters).intensity)
        own = coarse.apply(call(name, coarse.q_calc, parameters).intensity)
        errors["ours"].append(np.abs(matrix @ call(name, WIDE_Q, parameters).intensity / exact - 1))
        errors["sasmodels"].append(np.abs(own / exact - 1))
    return {key: np.concatenate(values) for key, values in errors.items()}


@pytest.mark.parametrize("relative", [0.03, 0.05, 0.12])
def test_pinhole_is_that_of_sasmodels_within_one_percent(relative: float) -> None:
    assert np.mean(_both("pinhole", relative)["ours"] < 0.01) >= 0.99


@pytest.mark.parametrize("half_length", [0.02, 0.06, 0.1])
def test_slit_is_that_of_sasmodels_within_one_percent(half_length: float) -> None:
    assert np.mean(_both("slit", half_length)["ours"] < 0.01) >= 0.99


@pytest.mark.parametrize(("kind", "relative"), [("pinhole", 0.03), ("slit", 0.06)])
def test_the_q_that_sasmodels_chooses_itself_is_too_coarse_to_compare_with(
    kind: str, relative: float
) -> None:
    # Why q_calc is given above: by default sasmodels integrates on about the measured points.
    errors = _both(kind, relative)
    assert np.mean(errors["sasmodels"] < 0.01) < 0.99
    assert np.quantile(errors["ours"], 0.99) < np.quantile(errors["sasmodels"], 0.99) / 2


def test_q_below_the_beam_is_seen_from_the_other_side() -> None:
    # sigma = q: part of the Gaussian lies at negative q, where I(-q) = I(q); a constant stays a constant
    # and a Guinier law stays below its forward value.
    q = np.array([0.002])
    smeared = pinhole_matrix(q, q) @ np.exp(-((WIDE_Q * 100) ** 2) / 3)
    assert np.exp(-((5 * 0.002 * 100) ** 2) / 3) < smeared[0] < 1.0


def test_fringes_of_a_large_monodisperse_sphere_survive_fine_resolution() -> None:
    """1,500 Å at synchrotron resolution: fringes up to 0.5 Å⁻¹, the last ones closer than its width."""
    from sasmodels.resolution import Pinhole1D

    from sasnet_plugin.simulate.clean import evaluate

    q = np.linspace(0.005, 0.5, 400)
    sigma = 0.005 * q
    clean = evaluate("sphere", {"radius": 1500.0, "sld": 1.0, "sld_solvent": 6.0})
    assert clean is not None
    fine = Pinhole1D(q, sigma, q_calc=np.linspace(0.0049, 0.51, 40_000))
    exact = fine.apply(call("sphere", fine.q_calc, {"radius": 1500.0}).intensity)
    found = pinhole_matrix(q, sigma) @ np.exp(clean.log_intensity.astype(float))
    ratio = found / exact
    assert np.mean(np.abs(ratio / np.median(ratio) - 1) < 0.01) >= 0.99
