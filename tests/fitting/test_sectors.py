"""Sectors of oriented and of magnetic samples, against sasmodels in two dimensions and sums by numpy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.polynomial import legendre

from benchmarks.common import this_process
from benchmarks.fitting.orientations import draw_sample
from benchmarks.fitting.sectors import BINS, density_of_cosines, draw_magnetic, draw_oriented, order_of
from sasnet_plugin import cut_sectors, fit_image, load
from sasnet_plugin.cli.main import app
from sasnet_plugin.data.sample.described import read_description, sample_of, split_entries
from sasnet_plugin.data.sample.sample import SECTORS
from sasnet_plugin.data.sample.sectors import compare_sectors, separate_magnetism
from sasnet_plugin.data.sectors import find_sector, sector_of_name
from sasnet_plugin.fitting.api import fit_sample, fit_together
from sasnet_plugin.fitting.problem.oriented_particles import LENGTHS, Particle
from sasnet_plugin.fitting.strategy.oriented import SectorTask, fit_oriented, fit_particle
from sasnet_plugin.fitting.task import Budget, FitOptions
from sasnet_plugin.planning.next_measurement import next_measurement
from sasnet_plugin.report.exports.hdf5 import write_nxcansas
from sasnet_plugin.report.exports.sectors import list_source
from sasnet_plugin.report.exports.write_all import write_sample
from sasnet_plugin.report.page.reports import write_sample_report
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.orientations import FINE_DEGREE, order_parameter, sector_series
from sasnet_plugin.types import Curve, DataError, SasnetError, Sector

Q = np.geomspace(0.004, 0.3, 60)
SIZES = {
    "cylinder": {"radius": 20.0, "length": 400.0},
    "core_shell_cylinder": {"radius": 15.0, "thickness": 10.0, "length": 250.0, "sld_core": 1.0,
                            "sld_shell": 4.0, "sld_solvent": 6.0},
    "ellipsoid": {"radius_equatorial": 30.0, "radius_polar": 100.0},
    "lamellar": {"thickness": 40.0},
    "parallelepiped": {"length_a": 30.0, "length_b": 60.0, "length_c": 200.0},
}  # fmt: skip


def powder(name: str, values: dict[str, Any]) -> np.ndarray:
    from sasmodels.direct_model import call_kernel

    return np.asarray(call_kernel(load_model(name).make_kernel([Q]), values | {"background": 0.0}))


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("width", [0.0, 0.1])
def test_without_order_a_sector_is_the_powder_average(name: str, width: float) -> None:
    spread = f"{LENGTHS[name][1][0]}_pd"
    values = SIZES[name] | {spread: width, f"{spread}_n": 15, f"{spread}_nsigma": 3.0}
    sector = Particle(name, Q).average(values | {"p2": 0.0, "director": 20.0}, Sector(0.0, 15.0))
    assert sector == pytest.approx(powder(name, values), rel=1e-7)


@pytest.mark.parametrize("name", ["cylinder", "core_shell_cylinder", "ellipsoid"])
def test_axes_that_are_nearly_aligned_scatter_as_one_particle(name: str) -> None:
    """Short enough that the 12 degrees that are left do not matter."""
    from sasmodels.direct_model import call_kernel

    q = np.linspace(0.002, 0.01, 5)
    for azimuth in (0.0, 40.0, 90.0):
        turned = np.radians(azimuth)
        kernel = load_model(name).make_kernel([q * np.cos(turned), q * np.sin(turned)])
        aligned = call_kernel(kernel, SIZES[name] | {"theta": 90.0, "phi": 0.0, "background": 0.0})
        values = SIZES[name] | {"p2": 0.97, "director": 0.0}
        sector = Particle(name, q).average(values, Sector(azimuth, 2.0))
        assert sector == pytest.approx(np.asarray(aligned), rel=0.06)


@pytest.mark.parametrize(("strength", "turn"), [(2.0, 0.0), (8.0, 35.0), (14.0, 90.0)])
def test_density_of_cosines_is_a_sum_over_axes_and_azimuths(strength: float, turn: float) -> None:
    cosines = (np.arange(BINS) + 0.5) / BINS
    series = sector_series(order_parameter(strength), turn, 12.0)
    density = legendre.legvander(cosines, FINE_DEGREE)[:, ::2] @ series
    summed = density_of_cosines(strength, turn)
    assert order_parameter(strength) == pytest.approx(order_of(strength), abs=1e-5)
    for degree in (2, 4, 6):
        moment = legendre.legval(cosines, [0.0] * degree + [1.0])
        assert np.mean(density * moment) == pytest.approx(float(summed @ moment), abs=2e-3)


def tasks(index: int, model: str, fixed: dict[str, float] | None = None) -> SectorTask:
    _, _, curves = draw_oriented(index)
    sample = sample_of(curves)
    return SectorTask(sample, tuple(np.asarray(c.dintensity) for c in curves), model, fixed or {})


@pytest.mark.parametrize("index", [0, 3])
def test_sizes_order_and_direction_are_recovered(index: int) -> None:
    form, truth, _ = draw_oriented(index)
    fit = fit_particle(tasks(index, form), None, Budget())[0]
    assert fit.reduced_chisq < 1.3
    assert fit.parameters["p2"].value == pytest.approx(truth["p2"], abs=0.05)
    for name in ("radius", "length"):
        p = fit.parameters[name]
        assert p.error is not None
        assert abs(p.value - truth[name]) < 3.5 * p.error
    turned = fit.parameters["director"].value - truth["director"]
    assert abs((turned + 90) % 180 - 90) < 3
    # One scale and one background, and each curve says which sector it is.
    assert {"scale", "background"} <= fit.parameters.keys()
    assert all(own.keys() == {"azimuth", "half_width"} for own in fit.own)


def test_a_given_order_is_kept() -> None:
    fit = fit_particle(tasks(0, "cylinder", {"p2": 0.3}), None, Budget())[0]
    assert fit.parameters["p2"].value == 0.3
    assert fit.parameters["p2"].error is None


def test_layers_are_fitted_and_their_axes_lie_along_the_direction() -> None:
    values = {"thickness": 40.0, "p2": 0.5, "director": 25.0}
    rng, curves = np.random.default_rng(3), []
    for azimuth in (0.0, 60.0, 120.0):
        sector = Sector(azimuth, 12.0)
        intensity = 10 * Particle("lamellar", Q).average(values, sector)
        error = 0.02 * intensity + 1e-5
        measured = intensity + 0.01 + error * rng.standard_normal(Q.size)
        curves.append(Curve(Q, measured, error, file=f"{azimuth}.dat", sector=sector))
    result = fit_sample(this_process(), sample_of(curves), FitOptions(models=("lamellar",)))
    assert result.best is not None
    assert result.best.parameters["p2"].value == pytest.approx(0.5, abs=0.05)
    assert result.best.parameters["director"].value == pytest.approx(25, abs=3)


def test_a_box_is_told_from_a_cylinder_with_a_size_distribution_that_fits_too() -> None:
    shape, _, _, curves = draw_sample(104, seed=1)
    assert shape == "box"
    models = ("cylinder", "parallelepiped")
    result = fit_sample(this_process(), sample_of(curves), FitOptions(models=models))
    assert {fit.name for fit in result.fits if not fit.lacking()} == set(models)
    assert result.fits[0].name == "parallelepiped"


def test_other_models_and_structure_factors_are_refused() -> None:
    sample = tasks(0, "cylinder").sample
    with pytest.raises(SasnetError, match="sphere: sectors are fitted with cylinder"):
        fit_oriented(None, sample, (), FitOptions(models=("sphere",)))  # type: ignore[arg-type]
    with pytest.raises(SasnetError, match="without structure factor"):
        fit_oriented(None, sample, (), FitOptions(structure_factor="hardsphere"))  # type: ignore[arg-type]


def test_headline_names_order_and_direction_and_two_sectors_say_what_is_assumed(tmp_path: Path) -> None:
    _, _, curves = draw_oriented(3)
    result = fit_sample(this_process(), sample_of(curves), FitOptions(models=("cylinder",)))
    assert "order parameter P₂" in result.verdict.headline
    assert "Fits 2 sectors of one sample together" in result.verdict.headline
    assert "Two sectors do not determine the direction of alignment" in result.verdict.doubts[0]
    assert "--export" in result.verdict.next
    page = write_sample_report(result, tmp_path).read_text(encoding="utf-8")
    assert "half_width" in page
    assert "Each curve alone" not in page
    assert "×10¹" in page, "of the first of two curves that are moved apart"
    assert all(f'id="sample-{name}{k}"' in page for name in ("data", "line", "residual") for k in (1, 2))
    with pytest.raises(SasnetError, match="planned from isotropic curves"):
        next_measurement(result)


# --- Fits of sectors elsewhere.


@pytest.mark.parametrize("name", LENGTHS)
def test_a_plugin_model_is_the_curve_that_was_fitted(name: str, tmp_path: Path) -> None:
    from sasmodels.core import load_model as load_plugin
    from sasmodels.direct_model import call_kernel

    path, width = tmp_path / f"oriented_{name}.py", f"{LENGTHS[name][1][0]}_pd"
    path.write_text(list_source(name, path.stem), encoding="utf-8")
    kernel = load_plugin(str(path)).make_kernel([Q])
    values = SIZES[name] | {width: 0.1, f"{width}_n": 15, f"{width}_nsigma": 3.0, "director": 10.0}
    for order, azimuth in ((0.8, 60.0), (-0.3, 0.0)):
        axes = {"p2": order, "sharpness": 0.4, "tails": order}
        fitted = Particle(name, Q).average(values | axes, Sector(azimuth, 12.0))
        curve = axes | {"azimuth": azimuth, "half_width": 12.0, "background": 0.0}
        assert np.asarray(call_kernel(kernel, values | curve)) == pytest.approx(fitted, rel=1e-9)


def test_exports_start_at_the_fit_and_keep_angles(tmp_path: Path) -> None:
    from bumps.fitproblem import load_problem

    result = fit_sample(this_process(), sample_of(draw_oriented(3)[2]), FitOptions(models=("cylinder",)))
    assert result.best is not None
    plugin, project, script = write_sample(result, tmp_path, "sample")
    problem = load_problem(script)
    # The size distribution has more points here.
    assert 2 * problem.nllf() == pytest.approx(result.best.total, rel=2e-3)
    assert set(problem.labels()) == {name for name, p in result.best.parameters.items() if not p.fixed}
    for p in problem._parameters:
        assert p.value == pytest.approx(result.best.parameters[p.name].value)
    items = [
        item
        for item in json.loads(project.read_text()).values()
        if isinstance(item, dict) and "fit_params" in item
    ]
    for curve, item in zip(result.sample.curves, items, strict=True):
        page = item["fit_params"][-1]
        assert page["fitpage_model"] == [plugin.stem]
        assert curve.sector == Sector(float(page["azimuth"][1]), float(page["half_width"][1]))
    write_nxcansas(result.as_results()[1], tmp_path / "b.h5")
    assert load(tmp_path / "b.h5")[0].sector == result.sample.curves[1].sector


@pytest.mark.parametrize("name", ["cylinder", "core_shell_cylinder"])
def test_tables_of_a_search_are_the_curve(name: str) -> None:
    width = {"radius_pd": 0.1, "radius_pd_n": 15, "radius_pd_nsigma": 3.0, "radius_pd_type": "gaussian"}
    values = SIZES[name] | width | {"p2": 0.9, "director": 10.0}
    exact, quick = (Particle(name, Q, quick=quick).average(values, Sector(0, 12)) for quick in (False, True))
    assert quick / exact == pytest.approx(np.full(Q.size, quick[0] / exact[0]), rel=1e-3)


# --- What a file, a sample file and options say.


@pytest.mark.parametrize(
    ("lines", "name", "expected"),
    [
        (["Sector average: azimuth = 90 deg, half-width = 15 deg"], "", Sector(90, 15)),
        (["AVERAGE: SECTOR", "PHI = 0.0", "DPHI = 10.0"], "", Sector(0, 10)),
        (["sector angle: 30, width: 20"], "", Sector(30, 10)),
        ([], "12345rear_1D_2.0_14.0Phi-45.0_45.0", Sector(0, 45)),
        (["azimuth = 90, width = 10"], "", None),
        (["sector: public", "phi = 3"], "", None),
    ],
)
def test_sectors_in_headers_and_names(lines: list[str], name: str, expected: Sector | None) -> None:
    assert find_sector(lines, name) == expected


def write(path: Path, header: str) -> str:
    table = np.column_stack([Q, 1 / (1 + (50 * Q) ** 2), 0.02 / (1 + (50 * Q) ** 2)])
    np.savetxt(path, table, header=header)
    return str(path)


def test_a_text_file_says_its_sector_and_an_isotropic_one_says_none(tmp_path: Path) -> None:
    (curve,) = load(write(tmp_path / "a.dat", "Sector average, phi = 90, dphi = 12\nq I dI"))
    assert curve.sector == Sector(90, 12)
    (curve,) = load(write(tmp_path / "b.dat", "phi = 90\nq I dI"))
    assert curve.sector is None


def test_canonical_xml_and_hdf5_say_their_sector(tmp_path: Path) -> None:
    import h5py

    points = "".join(f"<Idata><Q unit='1/A'>{q}</Q><I unit='1/cm'>1.5</I></Idata>" for q in Q)
    terms = "<term name='sector azimuth' unit='deg'>45</term><term name='half-width'>8</term>"
    xml = tmp_path / "a.xml"
    xml.write_text(
        "<?xml version='1.0'?><SASroot version='1.1' xmlns='urn:cansas1d:1.1'><SASentry><Title>t</Title>"
        f"<Run>1</Run><SASdata>{points}</SASdata><SASprocess>{terms}</SASprocess></SASentry></SASroot>"
    )
    assert load(str(xml))[0].sector == Sector(45, 8)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["canSAS_class"] = "SASentry"
        data = entry.create_group("data")
        data.attrs.update({"canSAS_class": "SASdata", "signal": "I", "I_axes": "Q", "Q_indices": 0})
        data["Q"], data["I"] = Q, 1 / (1 + (50 * Q) ** 2)
        data["Q"].attrs["units"], data["I"].attrs["units"] = "1/angstrom", "1/cm"
        process = entry.create_group("process")
        process["sector_azimuth"], process["half_width"] = 45.0, 8.0
    assert load(str(path))[0].sector == Sector(45, 8)


def test_by_number_a_sample_file_and_of_names(tmp_path: Path) -> None:
    curves = [Curve(Q, np.exp(-Q * (i + 1)), file=f"gel_{90 * i}_15.dat") for i in range(2)]
    assert sector_of_name("gel_90_15.dat") == Sector(90, 15)
    named = sample_of(curves, {"kind": SECTORS})
    assert [curve.sector for curve in named.curves] == [Sector(0, 15), Sector(90, 15)]
    assert sample_of(curves).kind != SECTORS  # names alone prove nothing
    path = tmp_path / "sample.toml"
    path.write_text('field = 0\n[sectors]\n"gel_0_15.dat" = [10, 5]\n"gel_90_15.dat" = "100±5"\n')
    told = sample_of(curves, read_description(path))
    assert (told.kind, told.field_azimuth) == (SECTORS, 0)
    assert [curve.sector for curve in told.curves] == [Sector(10, 5), Sector(100, 5)]
    assert split_entries("0:15,90:15") == {"1": "0:15", "2": "90:15"}


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"kind": SECTORS}, "the sector of a.dat is not known"),
        ({"kind": SECTORS, "sectors": {"1": "0:15", "2": "180:15"}}, "all sectors have one azimuth"),
        ({"sectors": {"1": "wide"}}, "'wide' is not a sector"),
        ({"field": "up"}, "is not an azimuth"),
    ],
)
def test_what_is_wrong_is_one_sentence(described: dict[str, Any], message: str) -> None:
    curves = [Curve(Q, np.exp(-Q * (i + 1)), file=name) for i, name in enumerate(("a.dat", "b.dat"))]
    with pytest.raises(DataError, match=message):
        sample_of(curves, described)


def test_python_takes_by_number_each_curve() -> None:
    curves = [replace(curve, sector=None) for curve in draw_oriented(3)[2]]
    with pytest.raises(SasnetError, match="1 sectors for 2 curves"):
        fit_together(curves, sectors=[(0, 15)])


# --- Magnetism.


def test_magnetic_contrasts_are_recovered_and_none_is_invented() -> None:
    found = []
    for i in range(40):
        ratio, curves = draw_magnetic(i, True)
        parts = separate_magnetism(sample_of(curves, {"field": 0}))
        found.append(abs(parts.contrast[0] - ratio) < 3 * parts.contrast[1])
        plain = separate_magnetism(sample_of(draw_magnetic(i, False)[1], {"field": 0}))
        assert not plain.is_seen
        assert "contrast" not in plain.as_dict()
    assert sum(found) >= 38


def test_parts_are_exact_without_noise() -> None:
    nuclear, magnetic = 1 / (1 + (40 * Q) ** 2), 0.3 / (1 + (30 * Q) ** 2)
    curves = []
    for azimuth in (20.0, 65.0, 110.0):
        psi = np.radians(azimuth - 20.0 + 15 * np.linspace(-1, 1, 2001))
        sine = np.mean(np.sin(psi) ** 2)
        intensity = nuclear + magnetic * sine
        curves.append(Curve(Q, intensity, 0.02 * intensity, sector=Sector(azimuth, 15.0)))
    parts = separate_magnetism(sample_of(curves, {"field": 20}))
    assert parts.nuclear.intensity == pytest.approx(nuclear, rel=1e-3)
    assert parts.magnetic.intensity == pytest.approx(magnetic, rel=1e-2)
    with pytest.raises(DataError, match="same angle with the field"):
        separate_magnetism(sample_of([curves[0], curves[2]], {"field": 65}))


def test_sectors_that_differ_are_called_anisotropic_and_noise_is_not() -> None:
    assert compare_sectors(draw_oriented(0)[2]).is_seen
    assert not any(compare_sectors(draw_magnetic(i, False)[1]).is_seen for i in range(40))


def save(curves: list[Curve], folder: Path) -> list[str]:
    files = []
    for curve in curves:
        assert curve.sector is not None
        files.append(str(folder / curve.file))
        header = f"sector: azimuth = {curve.sector.azimuth}, half-width = {curve.sector.half_width}\nq I dI"
        np.savetxt(files[-1], np.column_stack([curve.q, curve.intensity, curve.dintensity]), header=header)
    return files


@pytest.fixture
def classified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(curves: list[Curve], *options: str) -> str:
        with pytest.raises(SystemExit) as ended:
            app(["classify", "--together", *save(curves, tmp_path), *options])
        assert ended.value.code in (0, None)
        return capsys.readouterr().out

    return run


def test_classify_says_whether_sectors_differ_and_what_to_do(classified: Callable[..., str]) -> None:
    text = classified(draw_oriented(0)[2])
    assert "the sample is anisotropic" in text
    assert "Next: sasnet fit" in text
    assert "the sample is isotropic" in classified(draw_magnetic(0, False)[1])
    assert "Magnetic scattering: the magnetic contrast is" in classified(
        draw_magnetic(0, True)[1], "--field", "0"
    )
    answer = json.loads(classified(draw_magnetic(1, False)[1], "--field", "0", "--json"))
    assert answer["magnetism"]["seen"] is False
    assert answer["headline"].startswith("No magnetic scattering seen: at most")


def test_nuclear_and_magnetic_scattering_are_fitted_as_one_shape() -> None:
    ratio, curves = draw_magnetic(2, True)
    sample = sample_of(curves, {"field": 0})
    result = fit_sample(this_process(), sample, FitOptions(models=("sphere",), structure_factor="none"))
    assert result.verdict.headline.startswith("Magnetic scattering: the magnetic contrast of the core is")
    assert "Fits 2 sectors of one sample together" in result.verdict.headline
    assert "assumes that the structure is isotropic" in result.verdict.doubts[0]
    told = result.as_dict()["magnetism"]
    assert told["seen"]
    assert told["contrast"] == pytest.approx(ratio, abs=3 * told["contrast_error"])
    assert f"{sample.files[0]} {sample.files[1]}" in result.verdict.next


def test_without_magnetism_sectors_are_fitted_as_one_isotropic_sample() -> None:
    sample = sample_of(draw_magnetic(2, False)[1], {"field": 0})
    result = fit_sample(this_process(), sample, FitOptions(models=("sphere",), structure_factor="none"))
    assert result.verdict.headline.startswith("No magnetic scattering seen: at most")
    assert "Best fit: spheres" in result.verdict.headline


def test_aligned_particles_in_a_field_are_not_called_magnetic() -> None:
    """Long ellipsoids without any magnetism: brighter across their axes, as a magnet is across its field."""
    curves = draw_oriented(3)[2]
    director = curves[0].sector and curves[0].sector.azimuth
    options = FitOptions(models=("cylinder",))
    along = fit_sample(this_process(), sample_of(curves, {"field": director}), options)
    assert "magnetism" in along.as_dict()
    assert along.verdict.headline.startswith("Aligned particles explain the sectors without magnetic")
    assert along.best is not None
    assert "p2" in along.best.parameters


def test_what_is_brighter_along_the_field_is_no_upper_limit_of_magnetism() -> None:
    """As spins that a field has not aligned; a saturated magnet is brightest across it."""
    curves = draw_magnetic(2, True)[1]
    options = FitOptions(models=("ellipsoid",))
    result = fit_sample(this_process(), sample_of(curves, {"field": 90}), options)
    assert result.verdict.headline.startswith("It is brighter along the field, by")
    assert "No magnetic scattering" not in result.verdict.headline
    assert result.as_dict()["magnetism"]["reversed"]


def test_sectors_that_agree_are_fitted_as_one_isotropic_sample() -> None:
    sample = sample_of(draw_magnetic(0, False)[1], {"kind": "sectors"})
    result = fit_sample(this_process(), sample, FitOptions(models=("sphere",), structure_factor="none"))
    assert "the sample is isotropic. Best fit: spheres" in result.verdict.headline


def test_an_orientation_that_fits_as_well_is_a_caution() -> None:
    """Discs thinner than these q show, weakly aligned: axes along and across are seen alike."""
    sample = sample_of(draw_oriented(10)[2])
    result = fit_sample(this_process(), sample, FitOptions(models=("ellipsoid",)))
    assert any(doubt.startswith("Another orientation fits as well") for doubt in result.verdict.doubts)


def test_flat_particles_along_the_direction_are_told_from_long_ones_across_it_or_are_a_caution() -> None:
    """In the plane of the detector both look alike where they are well aligned."""
    form, truth, curves = draw_oriented(34)
    result = fit_sample(this_process(), sample_of(curves), FitOptions(models=(form,)))
    assert result.best is not None
    assert result.turned is not None
    directors = [result.best.parameters["director"].value, result.turned[1]]
    off = [abs((director - truth["director"] + 90) % 180 - 90) for director in directors]
    assert min(off) < 3
    assert max(off) > 80
    assert any(doubt.startswith("Another orientation fits as well") for doubt in result.verdict.doubts)


def test_long_rods_have_a_curve_or_none() -> None:
    values = {"radius": 20.0, "p2": 0.5, "director": 0.0}
    long, far = (Particle("cylinder", Q).average(values | {"length": n}, Sector(0, 10)) for n in (3e3, 3e5))
    assert np.all(long > 0)
    assert np.all(np.isnan(far))  # narrower than any rule of integration


# --- Images.


def save_image(path: Path, intensity: Callable[[Any, Any], Any], side: int = 96) -> str:
    """Columns of an image counted with an error of 3 % and more; intensity of q and azimuth in radians."""
    axis = (np.arange(side) - side / 2 + 0.5) * 0.4 / side
    qx, qy = np.meshgrid(axis, axis)
    clean = intensity(np.hypot(qx, qy), np.arctan2(qy, qx))
    error = 0.03 * clean + 0.002
    measured = clean + error * np.random.default_rng(4).standard_normal(clean.shape)
    np.savetxt(path, np.stack([a.ravel() for a in (qx, qy, measured, error)], axis=1), header="Qx Qy I dI")
    return str(path)


def scatter_rods(q: Any, turn: Any) -> Any:
    """Guinier's law along 20 degrees and across."""
    along = np.cos(turn - np.radians(20))
    return np.exp(-(q**2) * (500 * along**2 + 50)) + 0.05


def test_an_image_is_cut_into_sectors_at_the_same_q(tmp_path: Path) -> None:
    path = save_image(tmp_path / "a.dat", scatter_rods)
    curves = cut_sectors(path)
    turns = [curve.sector.azimuth for curve in curves if curve.sector]
    assert len(curves) == len(turns) == 6
    assert min(abs((turn - 20 + 90) % 180 - 90) for turn in turns) < 1.5
    for curve in curves:
        assert curve.sector is not None
        assert np.array_equal(curve.q, curves[0].q)
        around = np.radians(curve.sector.azimuth + curve.sector.half_width * np.linspace(-1, 1, 41))
        expected = scatter_rods(curve.q[:, None], around).mean(axis=1)
        pull = (curve.intensity - expected) / curve.dintensity
        assert 0.6 < pull.std() < 1.4
    (first, second) = cut_sectors(path, [(0, 10), (90, 10)])
    assert (first.sector, second.sector) == (Sector(0, 10), Sector(90, 10))
    with pytest.raises(DataError, match="is not a sector"):
        cut_sectors(path, [(0, 100)])
    with pytest.raises(DataError, match="too few rings lie in all sectors"):
        cut_sectors(path, [(0, 0.2)])


def test_rings_that_leave_the_detector_are_no_points_of_a_sector(tmp_path: Path) -> None:
    """Only the middle of a sector at 0 reaches beyond the side of a square detector."""
    curve, _ = cut_sectors(save_image(tmp_path / "a.dat", scatter_rods), [(0, 25), (90, 25)])
    assert 0.19 < curve.q[-1] < 0.22


def run_image(command: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        app(command)
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


def test_classify_compares_sectors_of_an_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save_image(tmp_path / "a.dat", scatter_rods)
    code, text = run_image(["classify", "--together", path], capsys)
    assert code == 0
    assert "the sample is anisotropic" in text
    assert f"Next: sasnet fit {path} --together" in text
    magnetic = save_image(
        tmp_path / "m.dat", lambda q, turn: np.exp(-900 * q**2) * (1 + 0.3 * np.sin(turn) ** 2) + 0.05
    )
    code, text = run_image(["classify", "--together", magnetic, "--field", "0", "--json"], capsys)
    told = json.loads(text)["magnetism"]
    assert told["contrast"] == pytest.approx(0.3**0.5, abs=3 * told["contrast_error"])


def test_options_that_decide_nothing_in_fits_of_images_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_image(tmp_path / "a.dat", scatter_rods)
    for options in (["--structure-factor", "none"], ["--ranges", "radius=20:30"]):
        code, text = run_image(["fit", path, *options], capsys)
        assert code == 1
        assert f"images are fitted without {options[0]}; add --together to fit its sectors." in text


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--models", "sphere"], "sphere: has no orientation in sasmodels. Choose an oriented model"),
        (["--models", "superball"], "superball: an image takes too long to compute"),
        (["--models", "parallelepiped", "--fixed", "sld=nan"], "--fixed"),
        (["--models", "parallelepiped", "--fixed", "p2=0.5,radius=3"], "radius"),
    ],
)
def test_models_without_orientation_and_unknown_values_are_refused(
    options: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_image(tmp_path / "a.dat", scatter_rods)
    code, text = run_image(["fit", path, *options], capsys)
    assert code
    assert why in text


def test_python_fits_an_image_and_refuses_one_that_is_isotropic(tmp_path: Path) -> None:
    path = save_image(tmp_path / "a.dat", lambda q, _: np.exp(-300 * q**2) + 0.05)
    with pytest.raises(DataError, match="The image is isotropic"):
        fit_image(path)
    with pytest.raises(SasnetError, match="there is no such file"):
        fit_image(tmp_path / "b.dat")
