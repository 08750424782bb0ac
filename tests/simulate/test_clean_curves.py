"""Clean curves: reproducible, true to sasmodels, cut where it cannot be trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.simulate.clean import SIZE_MAX, evaluate, simulate_clean
from sasnet_plugin.simulate.grid import N_WIDE, WIDE_Q, pinhole_matrix
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.priors import max_length
from sasnet_plugin.simulate.quick_models.cost_classes import cost_class
from sasnet_plugin.types import SimulationError


@pytest.mark.parametrize("name", ["sphere", "hardsphere", "core_shell_sphere"])
def test_the_same_generator_gives_the_same_curve(name: str) -> None:
    first, second = (simulate_clean(name, np.random.default_rng(1)) for _ in range(2))
    other = simulate_clean(name, np.random.default_rng(2))
    assert first.log_intensity.tobytes() == second.log_intensity.tobytes()
    assert first.parameters == second.parameters
    assert other.parameters != first.parameters


@pytest.mark.parametrize("name", ["sphere", "vesicle", "teubner_strey", "rpa"])
def test_curves_are_normalized_and_known_to_n_valid(name: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        clean = simulate_clean(name, rng)
        known = clean.log_intensity[: clean.n_valid]
        assert clean.log_intensity.shape == (N_WIDE,)
        assert np.max(known) == 0
        assert np.all(np.isfinite(known))
        assert np.all(np.isnan(clean.log_intensity[clean.n_valid :]))


def test_radius_of_gyration_of_a_sphere() -> None:
    for radius in (15.0, 80.0, 400.0):
        clean = evaluate("sphere", {"radius": radius, "sld": 1.0, "sld_solvent": 6.0})
        assert clean is not None
        assert 10**clean.log_rg == pytest.approx(np.sqrt(3 / 5) * radius, rel=0.02)
        assert clean.radius_effective == pytest.approx(radius)
        assert clean.max_length == pytest.approx(2 * radius)


def test_no_radius_of_gyration_without_a_guinier_region() -> None:
    clean = evaluate("power_law", {"power": 3.0})
    assert clean is not None
    assert np.isnan(clean.log_rg)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("cylinder", {"radius": 25.0, "length": 300.0, "sld": 4.0, "sld_solvent": 1.0}),
        ("ellipsoid", {"radius_polar": 150.0, "radius_equatorial": 50.0, "sld": 4.0, "sld_solvent": 1.0}),
    ],
)
def test_fewer_points_and_a_spline_are_the_curve_itself(name: str, parameters: dict[str, float]) -> None:
    assert cost_class(name) == "medium"
    clean = evaluate(name, parameters)
    assert clean is not None
    exact = call(name, WIDE_Q, parameters).intensity
    found = np.exp(clean.log_intensity.astype(float)) * exact[0]
    found[clean.n_valid :] = 0.0
    # As any instrument sees it: the bottom of a minimum, off by some per cent, is filled by resolution.
    q = np.geomspace(1e-3, 0.3, 200)
    matrix = pinhole_matrix(q, 0.03 * q)
    assert np.mean(np.abs(matrix @ found / (matrix @ exact) - 1) < 0.01) >= 0.99


def test_curves_stop_where_the_orientation_average_does() -> None:
    parameters = {"length_a": 600.0, "exponent_p": 3.0, "sld": 4.0, "sld_solvent": 1.0}
    from sasnet_plugin.simulate.quick_models.quadrature import LIMITS

    clean = evaluate("superball", parameters, truncated=True)
    size = max_length("superball", parameters)
    assert clean is not None
    assert size is not None
    assert WIDE_Q[clean.n_valid - 1] <= LIMITS["superball"] / size < WIDE_Q[clean.n_valid]


def test_the_truncated_prior_draws_no_large_bodies_of_costly_models() -> None:
    for truncated in (True, False):
        rng = np.random.default_rng(4)
        drawn = [
            simulate_clean("cylinder", rng, monodisperse=True, truncated=truncated).max_length
            for _ in range(6)
        ]
        assert (max(drawn) <= SIZE_MAX["medium"]) == truncated


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("cylinder", {"radius": 400.0, "length": 2e4, "sld": 4.0, "sld_solvent": 1.0}),
        ("triaxial_ellipsoid", {"radius_equat_minor": 30.0, "radius_equat_major": 40.0, "radius_polar": 9e3}),
    ],
)
def test_beyond_the_trusted_average_a_curve_is_kept_as_it_is_or_averaged(
    name: str, parameters: dict[str, float]
) -> None:
    cut = evaluate(name, parameters, truncated=True)
    own, mean = (evaluate(name, parameters, averaged=averaged) for averaged in (False, True))
    assert cut is not None
    assert own is not None
    assert mean is not None
    assert cut.n_valid < 3500
    assert own.n_valid == mean.n_valid == N_WIDE
    # Where it can be trusted it is the same curve but for the points it is interpolated from.
    trusted = slice(0, cut.n_valid - 250)
    assert np.mean(np.abs(mean.log_intensity[trusted] - cut.log_intensity[trusted]) < 0.02) > 0.97
    # Beyond, the average has the level of sasmodels' own curve and less of its noise.
    beyond = slice(cut.n_valid + 250, N_WIDE - 250)
    off = own.log_intensity[beyond].astype(float) - mean.log_intensity[beyond]
    assert np.mean(np.exp(off)) == pytest.approx(1.0, abs=0.1)
    rough = [np.std(np.diff(c.log_intensity[beyond].astype(float), 2)) for c in (own, mean)]
    assert rough[1] < 0.2 * rough[0]


def test_parameters_that_give_no_curve_are_refused() -> None:
    # A core-shell sphere matched out everywhere scatters nothing.
    matched = {"radius": 50.0, "thickness": 10.0, "sld_core": 1.0, "sld_shell": 1.0, "sld_solvent": 1.0}
    assert evaluate("core_shell_sphere", matched) is None


def test_monodisperse_leaves_size_distributions_out() -> None:
    rng = np.random.default_rng(5)
    spread = [simulate_clean("sphere", rng) for _ in range(20)]
    single = [simulate_clean("sphere", rng, monodisperse=True) for _ in range(20)]
    assert 3 <= sum("radius_pd" in clean.parameters for clean in spread) <= 18
    assert not any("radius_pd" in clean.parameters for clean in single)


def test_a_users_model_file_is_simulated(plugin: Path) -> None:
    rng = np.random.default_rng(6)
    sizes = []
    for _ in range(10):
        clean = simulate_clean(str(plugin), rng)
        rg = clean.parameters["rg"]
        sizes.append(rg)
        inside = rg * WIDE_Q < 3
        assert clean.log_intensity[inside] == pytest.approx(-((rg * WIDE_Q[inside]) ** 2) / 3, abs=3e-4)
    # Without a random() of its own: a tenth to ten times the default.
    assert 6 <= min(sizes) < 60 < max(sizes) <= 600


def test_a_model_that_is_always_invalid_ends_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "dark.py"
    path.write_text(
        'import numpy as np\nname = "dark"\ntitle = description = "no intensity"\ncategory = "none"\n'
        'parameters = [["rg", "Ang", 60.0, [0, np.inf], "", "size"]]\n'
        "def random():\n    return {'rg': np.random.uniform(10, 100)}\n"
        "def Iq(q, rg):\n    return 0 * q\nIq.vectorized = True\n",
        encoding="utf-8",
    )
    with pytest.raises(SimulationError, match="dark.*none of"):
        simulate_clean(str(path), np.random.default_rng(7))
