"""Orientation averages: the finer quadrature, the limits of sasmodels' own, and cancellation at low q."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.simulate import priors
from sasnet_plugin.simulate.kernel import build
from sasnet_plugin.simulate.quick_models import quadrature


def _curve(model: Any, q: np.ndarray, pars: dict[str, Any]) -> np.ndarray:
    from sasmodels.direct_model import call_kernel

    return call_kernel(model.make_kernel([q]), {**pars, "background": 0.0})


def _own(name: str) -> Any:
    from sasmodels.core import build_model

    return build_model(priors.model_info(name), dtype="double", platform="dll")


def fine_model(name: str, n: int, folder: Path) -> Any:
    """A model with `n` points in each integral, in double precision."""
    return build(quadrature.set_quadrature(priors.model_info(name), n, folder))


def has_quadrature(name: str, folder: Path) -> bool:
    try:
        quadrature.set_quadrature(priors.model_info(name), 76, folder)
    except ValueError:
        return False
    return True


def deviation(intensity: np.ndarray, reference: np.ndarray) -> float:
    """The root mean square difference over the mean reference, of a few neighbouring q."""
    # Relative to the neighbourhood, not to each point, so that the bottom of a minimum does not decide.
    return float(np.sqrt(np.mean((intensity - reference) ** 2)) / np.mean(np.abs(reference)))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of nodes. What is compiled with one of them is compiled once."""
    return tmp_path_factory.mktemp("tables")


@pytest.mark.parametrize("n", [2, 7, 76, 1500])
def test_gauss_legendre_integrates_polynomials_and_oscillations(n: int) -> None:
    nodes, weights = quadrature.gauss_legendre(n)
    assert np.all(np.diff(nodes) > 0)
    assert weights.sum() == pytest.approx(2, abs=1e-12)
    assert (weights * nodes**2).sum() == pytest.approx(2 / 3, abs=1e-12)
    if n > 7:
        k = n / 2
        assert (weights * np.cos(k * nodes)).sum() == pytest.approx(2 * np.sin(k) / k, abs=1e-12)


def test_finer_quadrature_leaves_the_installed_sasmodels_as_it_is(tmp_path: Path) -> None:
    import sasmodels

    library = Path(sasmodels.__file__).parent / "models" / "lib"
    before = sorted(library.iterdir()), list(priors.model_info("cylinder").source)
    fine_model("cylinder", 53, tmp_path)
    assert (sorted(library.iterdir()), list(priors.model_info("cylinder").source)) == before


def test_finer_quadrature_of_an_ellipsoid_is_the_adaptive_one(tables: Path) -> None:
    pars = priors.sample_prior("ellipsoid", np.random.default_rng(3))
    size = priors.max_length("ellipsoid", pars)
    q = np.geomspace(0.1, 50, 30) / size
    fine = fine_model("ellipsoid", 300, tables)
    np.testing.assert_allclose(_curve(_own("ellipsoid"), q, pars), _curve(fine, q, pars), rtol=1e-4)


def test_a_model_without_quadrature_has_none_to_refine(tables: Path) -> None:
    assert not has_quadrature("sphere", tables)
    assert np.isinf(quadrature.q_valid("sphere", {"radius": 50.0}))
    with pytest.raises(ValueError, match="no rule of integration"):
        fine_model("sphere", 100, tables)


def test_limits_are_for_models_with_a_quadrature(tables: Path) -> None:
    assert all(has_quadrature(name, tables) for name in quadrature.LIMITS)


@pytest.mark.parametrize("name", ["tetrahedron", "truncated_tetrahedron", "prism"])
def test_python_polyhedra_hold_below_their_limit_and_fail_beyond(name: str, tables: Path) -> None:
    """500 points of a Fibonacci sphere resolve q up to the limit, and not four times as far."""
    pars = priors.sample_prior(name, np.random.default_rng(5))
    if name == "prism":
        pars |= {"radius_average": 20.0, "length": 1000.0}
    limit = quadrature.q_valid(name, pars)
    own, fine = _own(name), fine_model(name, 40000, tables)
    near = np.linspace(0.9, 1.0, 5)
    inside, outside = 0.9 * limit * near, 4 * limit * near
    assert deviation(_curve(own, inside, pars), _curve(fine, inside, pars)) < 0.02
    assert deviation(_curve(own, outside, pars), _curve(fine, outside, pars)) > 0.02


@pytest.mark.parametrize("name", ["truncated_octahedron", "elliptical_cylinder", "rectangular_prism"])
def test_compiled_models_hold_below_their_limit(name: str, tables: Path) -> None:
    pars = priors.sample_prior(name, np.random.default_rng(5))
    q = 0.5 * quadrature.q_valid(name, pars) * np.linspace(0.92, 1.08, 3)
    fine = fine_model(name, 500, tables)
    assert deviation(_curve(_own(name), q, pars), _curve(fine, q, pars)) < 0.02


@pytest.mark.parametrize(
    "radii", [(500.0, 500.0, 10.0), (500.0, 177.0, 245.0), (160.0, 20.0, 500.0), (500.0, 67.0, 58.0)]
)
def test_triaxial_ellipsoids_hold_below_their_limit(radii: tuple[float, float, float], tables: Path) -> None:
    axes = ("radius_equat_minor", "radius_equat_major", "radius_polar")
    pars = dict(zip(axes, radii, strict=True)) | {"sld": 4.0, "sld_solvent": 1.0}
    fine = fine_model("triaxial_ellipsoid", 900, tables)
    own = _own("triaxial_ellipsoid")
    for share in (0.25, 0.5, 0.9):
        q = share * quadrature.q_valid("triaxial_ellipsoid", pars) * np.linspace(0.92, 1.08, 3)
        assert deviation(_curve(own, q, pars), _curve(fine, q, pars)) < 0.02


def test_pringle_series_holds_to_its_limit_and_not_beyond() -> None:
    """Against the series summed to order 25 with our own integrals."""
    pars = {
        "radius": 100.0,
        "thickness": 10.0,
        "alpha": 0.001,
        "beta": 0.0035,
        "sld": 1.0,
        "sld_solvent": 0.0,
    }
    limit = quadrature.q_valid("pringle", pars)
    assert limit == pytest.approx(quadrature.PRINGLE_ORDER / 35.0)
    q = np.array([0.5, 1.0, 3.0]) * limit
    error = np.abs(_curve(_own("pringle"), q, pars) / _pringle_series(q, pars, orders=25) - 1)
    assert np.all(error[:2] < 0.02)
    assert error[2] > 0.05


def _pringle_series(q: np.ndarray, pars: dict[str, float], orders: int) -> np.ndarray:
    """Karatrantos and co-workers' orientation average as in sasmodels' pringle page, any number of orders."""
    from scipy.special import jv

    nodes, weights = quadrature.gauss_legendre(120)
    radius, psi = pars["radius"], (nodes + 1) * np.pi / 4
    r = (nodes + 1) * radius / 2
    result = []
    for value in q:
        across, along = value * np.sin(psi)[:, None], value * np.cos(psi)[:, None]
        total = np.zeros_like(psi)
        for n in range(orders + 1):
            part = weights * r * jv(n, pars["beta"] * along * r**2) * jv(2 * n, across * r) / (2 * radius)
            phase = pars["alpha"] * along * r**2
            squares = (part * np.sin(phase)).sum(1) ** 2 + (part * np.cos(phase)).sum(1) ** 2
            total += squares * (2 if n else 1)
        sinc = np.sinc(value * pars["thickness"] / 2 * np.cos(psi) / np.pi)
        result.append((weights * 4 * np.sin(psi) * total * sinc**2).sum() * np.pi / 4)
    volume = np.pi * radius**2 * pars["thickness"]
    return 1e-4 * volume * (pars["sld"] - pars["sld_solvent"]) ** 2 * np.array(result)


@pytest.mark.parametrize("name", ["rpa", "squarewell", "hayter_msa", "spherical_sld", "binary_hard_sphere"])
def test_curves_are_quiet_above_q_quiet(name: str) -> None:
    """Within 1e-5 of one q a curve is a parabola; what is left of it is rounding noise."""
    rng = np.random.default_rng(21)
    for _ in range(10):
        pars = priors.sample_prior(name, rng)
        q = quadrature.q_quiet(name, pars) * (1 + 1e-5 * np.arange(-3, 4))
        intensity = _curve(_own(name), q, pars)
        x = np.linspace(-1, 1, 7)
        rest = intensity - np.polyval(np.polyfit(x, intensity, 2), x)
        assert np.abs(rest).max() < 5e-3 * np.abs(intensity).mean()


def test_q_quiet_is_zero_where_nothing_cancels() -> None:
    assert quadrature.q_quiet("sphere", {"radius": 50.0}) == 0.0


def test_the_published_table_is_what_the_code_trusts(repository: Path, tables: Path) -> None:
    text = (repository / "docs" / "prior.md").read_text(encoding="utf-8")
    table = text.split("<!-- quadrature: begin -->")[1].split("<!-- quadrature: end -->")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.split("\n") if "|" in line
    ]
    lowest = {row[0]: row[1] for row in rows[2:]}
    assert set(lowest) == {name for name in priors.form_models() if has_quadrature(name, tables)}
    for name, limit in quadrature.LIMITS.items():
        assert float(lowest[name]) == limit
    limited = {name for name, value in lowest.items() if value != "none"}
    assert limited - set(quadrature.LIMITS) == {"bcc_paracrystal", "fcc_paracrystal"}  # fail at small q
