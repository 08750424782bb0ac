"""What is not small-angle scattering is named and refused; what only resembles it is read."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.data.scope import likeness
from sasnet_plugin.data.shadow import percus_yevick
from sasnet_plugin.types import DataError

CASES = [
    ("reflectometry_data/NR_Ni_up_state.txt", "reflectometry"),
    ("reflectometry_data/NR_Ni_down_state.txt", "reflectometry"),
    ("dls_data/dls_monodisperse.dat", "DLS"),
    ("dls_data/dls_polydisperse.dat", "DLS"),
    ("sesans_data/sphere_isis.ses", "SESANS"),
    ("sesans_data/sphere2micron.ses", "SESANS"),
    ("sesans_data/sphere2micron_long.ses", "SESANS"),
    ("1d_data/CoreXY_ShellZ.txt", "scattering length density"),
    ("1d_data/beam profile.DAT", "primary beam"),
    ("2d_data/BAM_2D.h5", "two-dimensional"),
    ("2d_data/P_New.sans", "two-dimensional"),
    ("2d_data/SILIC010_noheader_3col.DAT", "two-dimensional"),
    ("2d_data/exp18_14_igor_2dqxqy.dat", "two-dimensional"),
    ("magnetic_data/S50_unpol_2D.dat", "two-dimensional"),
    ("convertible_files/YBCO_12685__ISIS2D.txt", "two-dimensional"),
    ("convertible_files/LMOG_100254_merged_ISIS2D.txt", "two-dimensional"),
    ("convertible_files/FIT2D_I.TXT", "one column"),
    ("convertible_files/X25001.L2D", "binary"),
    ("media/testdata_help.rst", "no table"),
]


@pytest.mark.parametrize(("name", "what"), CASES)
def test_refused_by_content(example_data: Path, tmp_path: Path, name: str, what: str) -> None:
    source = example_data.parent / name
    with pytest.raises(DataError, match=what):
        load(source)
    # Neither the folder nor the name gives it away; .ses and .sans name their own format.
    if source.suffix not in (".sans",):
        plain = shutil.copy(source, tmp_path / ("data" + (".h5" if source.suffix == ".h5" else ".txt")))
        with pytest.raises(DataError):
            load(plain)


def _fresnel(q: np.ndarray, edge: float) -> np.ndarray:
    root = np.sqrt((q**2 - edge**2).astype(complex))
    return np.abs((q - root) / (q + root)) ** 2


@pytest.mark.parametrize("resolution", [0.0, 0.03, 0.08])
@pytest.mark.parametrize("edge", [0.01, 0.022])
def test_fresnel_is_reflectivity(resolution: float, edge: float) -> None:
    q = np.geomspace(0.005, 0.25, 200)
    shifts = np.linspace(-2.5, 2.5, 41)
    weight = np.exp(-(shifts**2) / 2)
    smeared = np.array([np.average(_fresnel(x * (1 + resolution * shifts), edge), weights=weight) for x in q])
    assert likeness(q, smeared) == "certain"


@pytest.mark.parametrize("radius", [20.0, 100.0, 400.0])
def test_normalised_form_factors_are_not(radius: float) -> None:
    q = np.geomspace(0.0005, 0.5, 300)
    x = q * radius
    sphere = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    assert likeness(q, sphere) != "certain"
    assert likeness(q, np.exp(-(x**2) / 3)) != "certain"
    assert likeness(q, 1 / (1 + x**2) ** 2) != "certain"


def test_normalised_sphere_is_read(write) -> None:
    q = np.geomspace(0.002, 0.3, 150)
    x = 60 * q
    (curve,) = load(write(q, (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 1e-4))
    assert len(curve) == 150


def test_orso_header(write, guinier) -> None:
    path = write(*guinier, name="sample.ort", header="# # ORSO reflectivity data file | 1.1 standard")
    with pytest.raises(DataError, match="reflectometry"):
        load(path)


def test_a_curve_that_rises_beyond_its_plateau_is_no_reflectivity() -> None:
    """Nothing reflects more than all: the peak of a lamellar stack is above the plateau before it."""
    q = np.geomspace(0.01, 0.5, 300)
    plateau = 1 / (1 + (q / 0.03) ** 24)
    peak = 30 * np.exp(-(((q - 0.1) / 0.004) ** 2)) + 1e-3
    assert likeness(q, plateau + 1e-6) == "certain"
    assert likeness(q, plateau + peak) != "certain"


@pytest.mark.parametrize("level", [1.0, 3e4])
@pytest.mark.parametrize("footprint", [False, True])
def test_reflectivities_are_refused_whatever_their_scale_and_footprint(level: float, footprint: bool) -> None:
    """Fresnel's law of a silicon surface with neutrons: q_c = 4 √(π 2.07e-6) = 0.0102 Å⁻¹."""
    q, edge = np.geomspace(0.004, 0.15, 200), 4 * np.sqrt(np.pi * 2.07e-6)
    s = np.sqrt(q.astype(complex) ** 2 - edge**2)
    reflected = np.abs((q - s) / (q + s)) ** 2 + 1e-7
    if footprint:  # a beam wider than the sample up to 0.8 of the edge
        reflected *= np.minimum(q / (0.8 * edge), 1.0)
    assert likeness(q, level * reflected) == "certain"


def _hard_spheres(q: np.ndarray, radius: float, fraction: float) -> np.ndarray:
    """Percus-Yevick's structure factor on the form factor of spheres."""
    x = q * radius
    return (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 * percus_yevick(fraction, 2 * x)


@pytest.mark.parametrize("fraction", [0.2, 0.3, 0.4, 0.5])
@pytest.mark.parametrize("low", [0.3, 0.8, 1.2])
def test_concentrated_spheres_are_no_reflectivity(fraction: float, low: float) -> None:
    """They have a plateau or a ramp, and an edge, but scatter more beyond than Fresnel's law leaves."""
    q = np.geomspace(low / 60, 20 / 60, 150)
    curve = _hard_spheres(q, 60, fraction)
    for level in (curve.max(), curve[0], 1e-3):
        assert likeness(q, curve / level + 1e-5) != "certain"


def _fresnel_file(write, header: str) -> Path:
    q = np.geomspace(0.005, 0.15, 150)
    reflected = _fresnel(q, 0.0102) + 1e-7
    return write(q, reflected, 0.02 * reflected, header=header)


def test_a_user_who_gives_the_unit_of_q_insists_on_a_curve(write) -> None:
    path = _fresnel_file(write, "q I dI")
    with pytest.raises(DataError, match=r"reflectometry.*--q-unit"):
        load(path)
    (curve,) = load(path, q_unit="A")
    assert any("specular reflectivity" in note for note in curve.notes)


def test_an_absolute_intensity_is_no_reflectivity(write) -> None:
    """Reflectivities have no unit; 1/cm is that of small angles."""
    (curve,) = load(_fresnel_file(write, "q (1/A) I (1/cm) dI (1/cm)"))
    assert any("specular reflectivity" in note for note in curve.notes)


def test_columns_named_r_and_dr_are_a_reflectivity(write, guinier) -> None:
    with pytest.raises(DataError, match="reflectometry"):
        load(write(*guinier, header="q (1/A)  R  dR"))


@pytest.mark.parametrize("disorder", [0.02, 0.05, 0.1])
def test_multilamellar_vesicles_are_no_reflectivity(write, disorder: float) -> None:
    """Fifteen bilayers at 62 Å: the first order stands where reflectivities have their edge."""
    from sasnet_plugin.simulate.kernel import call

    q = np.linspace(0.02, 0.45, 430)
    layers = {"thickness": 38.0, "d_spacing": 62.0, "Nlayers": 15.0, "sigma_d": disorder}
    intensity = call("lamellar_stack_paracrystal", q, layers).intensity
    intensity = intensity / intensity[0] + 1e-4
    for rows in ((q, intensity, 0.02 * intensity), (q, intensity, 0.02 * intensity, 0.02 * q)):
        (curve,) = load(write(*rows, header="# SAXS, azimuthal average"))
        assert len(curve) == q.size


def test_an_image_as_text_is_named(tmp_path: Path) -> None:
    counts = np.random.default_rng(4).poisson(40.0, (64, 48))
    np.savetxt(tmp_path / "image.txt", counts, fmt="%d")
    with pytest.raises(DataError, match="looks like an image, with 48 columns out of order. Images as text"):
        load(tmp_path / "image.txt")
    wide = np.random.default_rng(4).poisson(4.0, (256, 256))
    np.savetxt(tmp_path / "image.txt", wide, fmt="%d")
    with pytest.raises(DataError, match="like an image.* Images as text are not read; save it as TIFF"):
        load(tmp_path / "image.txt")
