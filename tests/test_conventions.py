"""The lines of docs/conventions.md that are marked "Test", each checked against the library itself."""

from __future__ import annotations

import re
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

REPOSITORY = Path(__file__).parent.parent
PAGE = (REPOSITORY / "docs" / "conventions.md").read_text(encoding="utf-8")
MEAN, WIDTH = 100.0, 0.3
Q = np.linspace(0.01, 0.2, 20)


def test_the_page_speaks_of_the_versions_installed_here() -> None:
    stated = dict(re.findall(r"(sasmodels|sasdata|bumps|periodictable) (\d[\d.]*\d)", PAGE))
    assert stated == {name: version(name) for name in ("sasmodels", "sasdata", "bumps", "periodictable")}


def test_the_findings_named_on_the_page_exist() -> None:
    named = set(re.findall(r"`(\w+\.sh)`", PAGE))
    assert named
    assert named <= {path.name for path in (REPOSITORY / "findings").glob("*.sh")}


def moments(distribution: str) -> tuple[float, float, float]:
    """Return mean, standard deviation and median of one of sasmodels' distributions."""
    from sasmodels.weights import get_weights

    radii, weights = get_weights(distribution, 2001, WIDTH, 8.0, MEAN, (0, np.inf), True)
    weights = weights / weights.sum()
    mean = float(radii @ weights)
    deviation = float(np.sqrt(weights @ (radii - mean) ** 2))
    return mean, deviation, float(np.interp(0.5, np.cumsum(weights), radii))


@pytest.mark.parametrize(
    ("distribution", "mean", "deviation"),
    [
        ("gaussian", MEAN, WIDTH * MEAN),
        ("schulz", MEAN, WIDTH * MEAN),
        ("rectangle", MEAN, WIDTH * MEAN),
        ("uniform", MEAN, WIDTH * MEAN / 3**0.5),
    ],
)
def test_the_width_of_a_distribution_about_its_mean(distribution: str, mean: float, deviation: float) -> None:
    found = moments(distribution)
    assert found[0] == pytest.approx(mean, rel=0.005)
    assert found[1] == pytest.approx(deviation, rel=0.01)


def test_the_value_of_a_lognormal_distribution_is_its_median() -> None:
    mean, deviation, median = moments("lognormal")
    assert median == pytest.approx(MEAN, rel=0.005)
    assert mean == pytest.approx(MEAN * np.exp(WIDTH**2 / 2), rel=0.005)
    assert deviation == pytest.approx(mean * np.sqrt(np.expm1(WIDTH**2)), rel=0.01)


@pytest.mark.parametrize(("nsigma", "share"), [(3.0, 0.19), (8.0, 0.61)])
def test_a_lognormal_distribution_is_cut_symmetrically_and_loses_its_largest_particles(
    nsigma: float, share: float
) -> None:
    from sasmodels.weights import get_weights

    width = 0.5
    radii, weights = get_weights("lognormal", 4001, width, nsigma, MEAN, (0, np.inf), True)
    assert radii.max() == pytest.approx(MEAN * (1 + nsigma * width))
    whole = MEAN**3 * np.exp((6**2 - 3**2) / 2 * width**2)  # <R^6> / <R^3>
    assert (weights @ radii**6) / (weights @ radii**3) / whole == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize(("distribution", "in_sasview"), [("gaussian", 3), ("lognormal", 8), ("schulz", 8)])
def test_the_range_of_a_distribution_in_scripts_and_in_sasview(distribution: str, in_sasview: int) -> None:
    from sasmodels.bumps_model import Model
    from sasmodels.core import load_model
    from sasmodels.direct_model import get_mesh
    from sasmodels.weights import DISTRIBUTIONS

    model = load_model("sphere")
    assert DISTRIBUTIONS[distribution].default["nsigmas"] == in_sasview
    assert Model(model).radius_pd_nsigma.value == 3
    given = {"radius": MEAN, "radius_pd": 0.1, "radius_pd_n": 35, "radius_pd_type": distribution}
    radii = next(points for value, points, _ in get_mesh(model.info, given, dim="1d") if value == MEAN)
    assert (radii.min(), radii.max()) == pytest.approx((70, 130))


def intensity(model: str, q: NDArray[np.float64], **parameters: float | str) -> NDArray[np.float64]:
    """Evaluate a model of sasmodels without resolution."""
    from sasmodels.direct_model import Iq

    return np.asarray(Iq(model, q, **parameters))


def test_a_size_distribution_is_weighted_by_number_and_divided_by_the_mean_volume() -> None:
    from sasmodels.weights import get_weights

    radii, weights = get_weights("gaussian", 80, WIDTH, 3.0, MEAN, (0, np.inf), True)
    volumes = 4 / 3 * np.pi * radii**3
    expected = 1e-4 * (weights @ volumes**2) / (weights @ volumes)
    pd: dict[str, Any] = {"radius_pd": WIDTH, "radius_pd_n": 80, "radius_pd_nsigma": 3.0}
    found = intensity("sphere", np.array([1e-6]), radius=MEAN, sld=1, sld_solvent=0, background=0, **pd)
    assert found[0] == pytest.approx(expected, rel=1e-6)


def test_pinhole_resolution_is_one_standard_deviation_of_a_gaussian_that_is_cut() -> None:
    from sasmodels.resolution import Pinhole1D

    sigma = 0.005
    q = np.linspace(0.07, 0.13, 601)
    smear = Pinhole1D(q, np.full(q.size, sigma))
    line = np.zeros(smear.q_calc.size)
    line[np.argmin(np.abs(smear.q_calc - 0.1))] = 1
    response = smear.apply(line)
    mean = response @ q / response.sum()
    found = np.sqrt(response @ (q - mean) ** 2 / response.sum())
    assert 0.96 * sigma < found < sigma
    reached = q[response > 0] - 0.1
    assert -reached.min() == pytest.approx(3.0 * sigma, rel=0.02)  # q is low where the line lies high
    assert reached.max() == pytest.approx(2.5 * sigma, rel=0.02)


def test_the_mean_of_the_pinhole_window_lies_above_q() -> None:
    from sasmodels.resolution import Pinhole1D
    from scipy.stats import truncnorm

    sigma = 0.005
    q = np.linspace(0.07, 0.13, 601)
    smear = Pinhole1D(q, np.full(q.size, sigma))
    shift = (smear.apply(smear.q_calc) - q)[300] / sigma
    assert shift == pytest.approx(truncnorm(-2.5, 3).mean(), abs=0.002)
    assert shift == pytest.approx(0.013, abs=0.002)


def test_the_resolution_of_a_pattern_is_along_and_across_q_in_sasmodels() -> None:
    from sasmodels.data import Data2D
    from sasmodels.resolution2d import Pinhole2D

    along, across = 0.01, 0.002
    x, y = np.array([0.1, 1e-9]), np.array([1e-9, 0.1])  # on the horizontal axis, on the vertical one
    pattern = Data2D(x=x, y=y, z=np.ones(2), dx=np.full(2, along), dy=np.full(2, across))
    resolution = Pinhole2D(pattern, accuracy="xhigh")
    weights = np.asarray(resolution.q_calc_weights)
    qx, qy = (np.reshape(each, (weights.size, 2)) for each in resolution.q_calc)
    for radial, tangential in ((qx[:, 0] - 0.1, qy[:, 0]), (qy[:, 1] - 0.1, qx[:, 1])):
        for offset, sigma in ((radial, along), (tangential, across)):
            assert np.sqrt(np.average(offset**2, weights=weights)) == pytest.approx(sigma, rel=0.05)
            assert np.abs(offset).max() <= 3 * sigma


def test_angles_of_bornagain_are_radians() -> None:
    ba = pytest.importorskip("bornagain")
    delta, wavelength = 5e-6, 0.1  # nm
    sample = ba.Sample()
    sample.addLayer(ba.Layer(ba.RefractiveMaterial("air", (0.5,) * 3, 0.0, 0.0)))
    sample.addLayer(ba.Layer(ba.RefractiveMaterial("silicon", (0.5,) * 3, delta, 0.0)))
    scan = ba.AlphaScan(3, 0.005, 0.02)
    scan.setWavelength(wavelength)
    found = ba.SpecularSimulation(scan, sample).simulate().flatVector()
    above = 2 * np.pi / wavelength * np.sin(np.linspace(0.005, 0.02, 3))
    below = np.sqrt(above**2 - (2 * np.pi / wavelength) ** 2 * (1 - (1 - delta) ** 2))
    np.testing.assert_allclose(found, ((above - below) / (above + below)) ** 2, rtol=1e-6)


def test_a_resolution_narrower_than_the_distance_of_points_does_not_smear() -> None:
    from sasmodels.resolution import Pinhole1D

    smear = Pinhole1D(Q, np.full(Q.size, 0.1 * (Q[1] - Q[0])))
    inside = (smear.q_calc >= Q[0]) & (smear.q_calc <= Q[-1])
    np.testing.assert_allclose(smear.q_calc[inside], Q)
    fringes = 1 + np.cos(2000 * smear.q_calc)
    smeared = smear.apply(fringes)[1:-1]  # the ends have points beyond them
    np.testing.assert_allclose(smeared, 1 + np.cos(2000 * Q[1:-1]), atol=1e-5)


def test_slit_length_and_width_are_halves() -> None:
    from sasmodels.resolution import Slit1D
    from scipy.integrate import quad

    length, width = 0.02, 2e-5
    q = np.geomspace(1e-4, 1e-2, 200)
    at = 100
    long = Slit1D(q, q_length=length)
    smeared = long.apply(long.q_calc**-4.0)[at]
    half = quad(lambda u: (q[at] ** 2 + u * u) ** -2, 0, length)[0] / length
    whole = quad(lambda u: (q[at] ** 2 + u * u) ** -2, 0, length / 2)[0] / (length / 2)
    assert smeared == pytest.approx(half, rel=0.01)
    assert whole == pytest.approx(2 * half, rel=0.01)
    fine = np.linspace(9.5e-4, 1.05e-3, 401)
    wide = Slit1D(fine, q_length=1e-6, q_width=width)
    line = (np.abs(wide.q_calc - 1e-3) < 1e-8).astype(float)
    reached = fine[wide.apply(line) > 0]
    assert reached.max() - reached.min() == pytest.approx(2 * width, rel=0.05)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One curve in nm⁻¹ and m⁻¹, as sasdata reads it from canSAS XML and from NXcanSAS."""
    from sasdata.dataloader.data_info import Data1D
    from sasdata.dataloader.loader import Loader
    from sasdata.dataloader.readers.cansas_reader import Reader
    from sasdata.file_converter.nxcansas_writer import NXcanSASWriter

    folder = tmp_path_factory.mktemp("units")
    data = Data1D(10 * Q, 100 / Q, dy=1 / Q)
    data._xunit, data._yunit = data.x_unit, data.y_unit = "1/nm", "1/m"
    NXcanSASWriter().write([data], str(folder / "curve.h5"))
    Reader().write(str(folder / "curve.xml"), data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {kind: Loader().load(str(folder / f"curve.{kind}"))[0] for kind in ("xml", "h5")}


def test_sasdata_converts_q_always_and_the_intensity_of_xml_alone(saved: dict[str, Any]) -> None:
    np.testing.assert_allclose(saved["xml"].x, Q)
    np.testing.assert_allclose(saved["h5"].x, Q)
    np.testing.assert_allclose(saved["xml"].y, 1 / Q)
    np.testing.assert_allclose(saved["h5"].y, 100 / Q)


def test_periodictable_means_4_pi_sin_theta_over_lambda() -> None:
    """For carbon, sin θ/λ = 0.2 Å⁻¹: 3.581 electrons (International Tables C, 6.1.1.1)."""
    import periodictable

    assert float(periodictable.C.xray.f0(4 * np.pi * 0.2)) == pytest.approx(3.581, rel=0.01)


def test_scattering_length_densities_are_in_1e_minus_6_per_square_angstrom() -> None:
    """Heavy water: 6.37e-6 Å⁻²; a sphere in it scatters 1e-4 V Δρ² cm⁻¹ at q = 0."""
    import periodictable

    heavy = periodictable.neutron_sld("D2O", density=1.105)[0]
    assert heavy == pytest.approx(6.37, abs=0.03)
    found = intensity("sphere", np.array([1e-6]), radius=50, sld=heavy, sld_solvent=0, background=0)
    assert found[0] == pytest.approx(1e-4 * 4 / 3 * np.pi * 50**3 * heavy**2, rel=1e-6)


def test_a_natural_density_is_that_of_the_compound_without_deuterium() -> None:
    import periodictable

    as_written, natural = (periodictable.formula(f"D2O@{density}").density for density in ("1", "1n"))
    assert as_written == 1
    assert natural == pytest.approx(20.028 / 18.015, abs=1e-3)


def test_a_product_is_multiplied_by_its_volume_fraction() -> None:
    q = np.array([0.5])
    alone = intensity("sphere", q, radius=50, background=0)
    product = intensity("sphere@hardsphere", q, radius=50, volfraction=0.2, background=0)
    assert product[0] / alone[0] == pytest.approx(0.2, rel=0.01)  # S(q) is near 1 here


def test_the_scale_of_a_form_factor_is_a_volume_fraction_and_background_is_not_zero() -> None:
    q = np.array([0.01, 5.0])
    once, twice = (intensity("sphere", q, radius=50, scale=scale, background=0) for scale in (0.1, 0.2))
    np.testing.assert_allclose(twice, 2 * once)
    assert (intensity("sphere", q, radius=50, scale=0.1) - once)[1] == pytest.approx(1e-3)


def test_the_first_level_of_the_unified_model_is_the_largest() -> None:
    """The power law of the level in front ends at the radius of the next one, that of the last never."""
    q = np.array([0.5])
    large = {"rg": 300.0, "power": 2.0, "B": 1e-3, "G": 0.0}
    small = {"rg": 16.0, "power": 4.0, "B": 0.0, "G": 0.0}

    def unified(*levels: dict[str, float]) -> float:
        numbered = {f"{name}{i}": value for i, level in enumerate(levels, 1) for name, value in level.items()}
        return float(intensity("unified_power_Rg", q, level=2, background=0, **numbered)[0])

    power_law = large["B"] * q[0] ** -large["power"]
    assert unified(large, small) < 1e-6 * power_law
    assert unified(small, large) == pytest.approx(power_law, rel=0.01)


@pytest.mark.parametrize(
    ("model", "parameters", "full_width"),
    [
        ("gaussian_peak", {"sigma": 0.01}, 0.01 * 2 * np.sqrt(2 * np.log(2))),
        ("peak_lorentz", {"peak_hwhm": 0.01}, 0.02),
    ],
)
def test_the_width_of_a_peak(model: str, parameters: dict[str, float], full_width: float) -> None:
    q = np.linspace(0.05, 0.15, 4001)
    values = intensity(model, q, peak_pos=0.1, background=0, **parameters)
    above = q[values > values.max() / 2]
    assert above[-1] - above[0] == pytest.approx(full_width, rel=0.005)


def line(x: NDArray[np.float64], a: float = 1.0, b: float = 1.0) -> NDArray[np.float64]:
    return a + b * x


@pytest.fixture
def straight() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = np.linspace(0, 1, 40)
    return x, line(x) + np.random.default_rng(0).normal(0, 0.1, x.size)


def errors_by_bumps(x: NDArray[np.float64], y: NDArray[np.float64], dy: float, prior: float = 0) -> Any:
    """Fit a straight line; return the errors of both parameters and the problem."""
    from bumps.fitters import fit
    from bumps.names import Curve, FitProblem

    curve: Any = Curve(line, x, y, np.full(x.size, dy))
    curve.a.range(-10, 10)
    if prior:
        curve.b.dev(prior)
    else:
        curve.b.range(-10, 10)
    problem = FitProblem(curve)
    return dict(zip(problem.labels(), fit(problem, method="lm").dx, strict=True)), problem


def test_bumps_takes_the_errors_of_data_at_their_word_and_curve_fit_does_not(
    straight: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    from scipy.optimize import curve_fit

    errors, small = (errors_by_bumps(*straight, dy)[0] for dy in (0.1, 0.01))
    assert errors["b"] == pytest.approx(0.1 / np.sqrt(np.sum((straight[0] - 0.5) ** 2)), rel=0.01)
    assert small["b"] == pytest.approx(errors["b"] / 10, rel=0.01)
    scaled = [
        curve_fit(line, *straight, sigma=np.full(40, dy), absolute_sigma=False)[1][1, 1] for dy in (0.1, 0.01)
    ]
    assert scaled[0] == pytest.approx(scaled[1], rel=1e-6)


def test_chi_squared_of_bumps_is_reduced_and_counts_a_prior_as_a_point(
    straight: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    x, y = straight
    _, problem = errors_by_bumps(x, y, 0.1)
    total = float(np.sum(problem.residuals() ** 2))
    assert problem.nllf() == pytest.approx(total / 2)
    assert problem.chisq() == pytest.approx(total / (40 - 2))
    _, held = errors_by_bumps(x, y, 0.1, prior=0.5)
    assert held.dof == 40 + 1 - 2


def test_the_weight_of_a_data_set_counts_squared(
    straight: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    from bumps.names import Curve, FitProblem

    x, y = straight
    one, two = (Curve(line, x, y + shift, np.full(x.size, 0.1)) for shift in (0.0, 0.2))
    sums = [float(np.sum(curve.residuals() ** 2)) for curve in (one, two)]
    weighted = FitProblem([one, two], weights=[1, 0.3])
    assert np.sum(weighted.residuals() ** 2) == pytest.approx(sums[0] + 0.3**2 * sums[1])
    assert weighted.nllf() == pytest.approx((sums[0] + 0.3**2 * sums[1]) / 2)


def test_a_prior_counts_in_the_fit_of_bumps_but_not_in_its_errors(
    straight: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    x, y = straight
    free, problem = errors_by_bumps(x, y + 0.5 * x, 0.1)
    held, with_prior = errors_by_bumps(x, y + 0.5 * x, 0.1, prior=1e-3)
    slope = {
        name: dict(zip(p.labels(), p.getp(), strict=True))["b"]
        for name, p in (("free", problem), ("held", with_prior))
    }
    assert abs(slope["held"] - 1) < 0.01 < abs(slope["free"] - 1)
    assert held["b"] == pytest.approx(free["b"], rel=0.01)


def test_sasdata_marks_good_pixels_and_sasmodels_and_nxcansas_excluded_ones(tmp_path: Path) -> None:
    import h5py
    from sasdata.dataloader.data_info import Data2D
    from sasdata.dataloader.loader import Loader
    from sasdata.file_converter.nxcansas_writer import NXcanSASWriter
    from sasmodels.core import load_model
    from sasmodels.data import Data1D, load_data
    from sasmodels.direct_model import DirectModel

    axis = np.linspace(-0.1, 0.1, 16)
    qx, qy = (each.ravel() for each in np.meshgrid(axis, axis))
    q = np.hypot(qx, qy)
    good, ones, path = q > 0.03, np.ones(q.size), str(tmp_path / "pattern.h5")
    pattern = Data2D(data=ones, err_data=ones, qx_data=qx, qy_data=qy, q_data=q, mask=good)
    NXcanSASWriter().write([pattern], path)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["sasentry01/sasdata01/mask"][()].ravel(), ~good)
    np.testing.assert_array_equal(Loader().load(path)[0].mask, good)
    model = load_model("sphere")
    read = load_data(path)
    np.testing.assert_array_equal(read.mask, ~good)
    assert DirectModel(read, model).index.sum() == good.sum()
    curve = Data1D(Q, 1 / Q, dy=0.1 / Q)
    curve.mask[:3] = True
    assert DirectModel(curve, model).index.tolist() == [False] * 3 + [True] * (Q.size - 3)
