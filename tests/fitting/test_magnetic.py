"""Spheres in a magnetic field, by sector and spin state, against sasmodels' magnetic kernels in 2D."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.common import this_process
from benchmarks.fitting.magnetism import draw, fit
from benchmarks.fitting.sectors import draw_magnetic
from sasnet_plugin.data.sample.described import polarisation_of, read_description, sample_of
from sasnet_plugin.data.sample.sample import Polarisation
from sasnet_plugin.data.sample.sectors import separate_magnetism, weigh_parts
from sasnet_plugin.fitting import api
from sasnet_plugin.fitting.api import fit_sample, fit_together
from sasnet_plugin.fitting.problem.magnetic_particles import MagneticCurves
from sasnet_plugin.fitting.strategy.magnetic import MagneticTask, fit_spheres
from sasnet_plugin.fitting.task import Budget, FitOptions
from sasnet_plugin.report.exports.sectors import list_source, list_spins
from sasnet_plugin.report.exports.write_all import write_sample
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.magnetic_spheres import calculate_parts
from sasnet_plugin.simulate.size_distributions import distribution_keywords
from sasnet_plugin.types import Curve, DataError, Sector

Q = np.geomspace(0.005, 0.2, 70)
SHELL: dict[str, Any] = {
    "radius": 40.0, "radius_pd": 0.1, "thickness": 15.0, "sld_core": 6.9, "sld_shell": 0.1,
    "sld_solvent": 5.66, "sld_magnetic": 1.3, "nonmagnetic_layer": 0.0,
}  # fmt: skip
_WIDTH = distribution_keywords("radius", "gaussian", SHELL["radius_pd"], 31)
HALF = (("0", 0.0, "+"), ("1", 0.0, "-"), ("2", 90.0, "+"), ("3", 90.0, "-"))
POLARISED = {"field": 0, "kind": "sectors", "spins": {}}
ANALYSED = (*((f"a{s}", 90.0, s) for s in ("++", "+-", "--")), ("b", 45.0, "+-"))


def measure(
    channels: Any, values: dict[str, Any], efficiencies: Polarisation | None = None, noise: float = 0.01
) -> list[Curve]:
    rng, curves = np.random.default_rng(7), []
    name = "core_shell_sphere" if "thickness" in values else "sphere"
    parts = calculate_parts(name, values, Q)
    for file, azimuth, spin in channels:
        empty = Curve(Q, np.ones(Q.size), file=f"{file}.dat", sector=Sector(azimuth, 10.0), spin=spin)
        intensity = 0.01 * weigh_parts(empty, 0.0, efficiencies) @ parts + 2 * noise
        error = noise * intensity + 1e-2 * noise
        measured = intensity + error * rng.standard_normal(Q.size)
        curves.append(replace(empty, intensity=measured, dintensity=error + 1e-6 * intensity))
    return curves


@pytest.mark.parametrize(
    ("spin", "up", "analysed"),
    [("", 0.5, 0.5), ("+", 0.95, 0.5), ("-", 0.05, 0.5), ("++", 0.95, 0.9), ("+-", 0.95, 0.1),
     ("-+", 0.05, 0.9), ("--", 0.05, 0.1)],
)  # fmt: skip
def test_channels_are_those_of_sasmodels(spin: str, up: float, analysed: float) -> None:
    from sasmodels.direct_model import call_kernel

    azimuth, half = 70.0, 20.0
    magnetic = {"sld_core_M0": SHELL["sld_magnetic"], "sld_core_mtheta": 90.0, "sld_core_mphi": 0.0}
    beam = {"up_frac_i": up, "up_frac_f": analysed, "up_theta": 90.0, "up_phi": 0.0, "background": 0.0}
    shape = {n: v for n, v in SHELL.items() if n not in ("sld_magnetic", "nonmagnetic_layer")}
    values = {**shape, **magnetic, **beam, **_WIDTH}
    total, angles = np.zeros(Q.size), np.radians(azimuth + half * (np.arange(-50, 50) + 0.5) / 50)
    for angle in angles:
        kernel = load_model("core_shell_sphere").make_kernel([Q * np.cos(angle), Q * np.sin(angle)])
        total += np.asarray(call_kernel(kernel, values)) / angles.size
    curve = Curve(Q, np.ones(Q.size), sector=Sector(azimuth, half), spin=spin)
    shares = weigh_parts(curve, 0.0, Polarisation(0.9, 1.0, 0.8, 1.0))
    # sasmodels divides by what the analyser lets through.
    passed = max(analysed, 1 - analysed) if len(spin) == 2 else 1.0
    assert shares @ calculate_parts("core_shell_sphere", SHELL, Q) == pytest.approx(passed * total, rel=1e-5)


def test_a_flipper_that_does_not_flip_leaves_the_spin() -> None:
    up, down = (Curve(Q, np.ones(Q.size), sector=Sector(90.0, 10.0), spin=spin) for spin in "+-")
    idle, ideal = Polarisation(0.9, 1e-12), Polarisation(0.9, 1.0)
    assert weigh_parts(down, 0.0, idle) == pytest.approx(weigh_parts(up, 0.0, idle))
    assert weigh_parts(down, 0.0, ideal)[2] == pytest.approx(-weigh_parts(up, 0.0, ideal)[2])


@pytest.mark.parametrize("channels", [HALF, ANALYSED])
def test_parts_of_polarised_curves_are_exact_without_noise(channels: Any) -> None:
    efficiencies = Polarisation(0.95, 0.98, 0.9, 0.97)
    curves = measure(channels, SHELL, efficiencies, noise=0.0)
    sample = replace(sample_of(curves, POLARISED), polarisation=efficiencies)
    parts = separate_magnetism(sample)
    nuclear, magnetic, _ = 0.01 * calculate_parts("core_shell_sphere", SHELL, Q)
    assert parts.nuclear.intensity == pytest.approx(nuclear, rel=1e-6)
    assert parts.magnetic.intensity == pytest.approx(magnetic, rel=1e-5, abs=1e-9)


def test_magnetic_radius_and_density_are_recovered() -> None:
    values = SHELL | {"nonmagnetic_layer": 6.0}
    sample = sample_of(measure(HALF, values), POLARISED)
    fixed = {name: SHELL[name] for name in ("sld_core", "sld_solvent", "sld_shell")}
    task = MagneticTask(
        sample, tuple(np.asarray(c.dintensity) for c in sample.curves), "core_shell_sphere", fixed
    )
    without, layered = fit_spheres(task, None, Budget())[:2]
    assert layered.minus_two_log < without.minus_two_log - 6
    assert layered.reduced_chisq < 1.3
    for name in ("radius", "thickness", "nonmagnetic_layer", "sld_magnetic"):
        p = layered.parameters[name]
        assert p.error
        assert abs(p.value - values[name]) < 3.5 * p.error
    assert layered.parameters["polarisation"].value == pytest.approx(1.0, abs=0.1)


def test_the_headline_names_the_magnetic_radius_and_that_the_polarisation_is_fitted() -> None:
    values = {"radius": 40.0, "radius_pd": 0.1, "sld": 6.9, "sld_solvent": 2.0, "sld_magnetic": 2.0,
              "nonmagnetic_layer": 5.0}  # fmt: skip
    sample = sample_of(measure(HALF, values), POLARISED)
    result = fit_sample(this_process(), sample, FitOptions(models=("sphere",), structure_factor="none"))
    assert "The magnetic radius is 3" in result.verdict.headline
    assert "less than that of the core" in result.verdict.headline
    assert "Fits 4 sectors of one sample together" in result.verdict.headline
    assert any(doubt.startswith("The polarisation of the neutrons") for doubt in result.verdict.doubts)
    told = result.as_dict()["magnetism"]
    assert told["seen"]
    assert told["interference"] > 4 * told["interference_error"]


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"field": 0, "spins": {"1": "up"}}, "'up' is not a spin state"),
        ({"spins": {"1": "+"}}, "spin states need a field"),
        ({"field": 0, "polarisation": {"guide": 0.9}}, "polarisation has polariser, flipper"),
        ({"field": 0, "polarisation": polarisation_of("1.4")}, "each is above 0 and at most 1"),
        ({"field": 0, "polarisation": polarisation_of("good")}, "polarisation has polariser"),
    ],
)
def test_what_is_wrong_with_spins_is_one_sentence(described: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        sample_of(measure(HALF, SHELL), described)


def test_spin_states_across_the_field_alone_are_refused() -> None:
    curves = measure(HALF[2:], SHELL)
    with pytest.raises(DataError, match="All sectors make the same angle with the field"):
        separate_magnetism(sample_of(curves, POLARISED))


def test_a_sample_file_and_python_say_spins(tmp_path: Path) -> None:
    curves = [replace(curve, spin="") for curve in measure(HALF, SHELL)]
    path = tmp_path / "sample.toml"
    path.write_text('field = 0\n[spins]\n"0.dat" = "+"\n"1.dat" = "-"\n[polarisation]\npolariser = 0.9\n')
    told = sample_of(curves, read_description(path))
    assert [curve.spin for curve in told.curves] == ["+", "-", "", ""]
    assert told.polarisation == Polarisation(polariser=0.9)
    with pytest.raises(DataError, match="is not a spin state"):
        fit_together(curves, field=0, spins=["up"] * 4, polarisation=[0.9, 0.98], progress=False)


@pytest.mark.parametrize("channels", [HALF, ANALYSED])
def test_a_plugin_model_has_the_spin_state_of_each_curve(channels: Any, tmp_path: Path) -> None:
    from sasmodels.core import load_model as load_plugin
    from sasmodels.direct_model import call_kernel

    sample = sample_of(measure(channels, SHELL), POLARISED)
    sample = replace(sample, polarisation=Polarisation(0.95, 0.98, 0.9, 0.97))
    path = tmp_path / "magnetic_core_shell_sphere.py"
    path.write_text(list_source("core_shell_sphere", path.stem), encoding="utf-8")
    kernel = load_plugin(str(path)).make_kernel([Q])
    values = SHELL | {"nonmagnetic_layer": 4.0, "small_rg": 12.0, "small_share": 0.1, "polarisation": 1.0}
    points = {**_WIDTH, "half_width": 10.0}
    for curve in sample.curves:
        assert curve.sector is not None
        fitted = MagneticCurves(curve, curve.intensity, "core_shell_sphere", sample).calculate(values)[0]
        spins = {name: p.value for name, p in list_spins(curve, sample).items()}
        given = values | points | spins | {"azimuth": curve.sector.azimuth, "background": 0.0}
        assert np.asarray(call_kernel(kernel, given)) == pytest.approx(fitted, rel=1e-4)


def test_a_script_starts_at_the_fit_of_spin_states(tmp_path: Path) -> None:
    from bumps.fitproblem import load_problem

    result = fit(draw(2)[1])
    plugin, project, script = write_sample(result, tmp_path, "sample")
    assert plugin.name == "magnetic_sphere.py"
    assert 2 * load_problem(script).nllf() == pytest.approx(result.best.total, rel=2e-3)
    items = [
        item
        for item in json.loads(project.read_text()).values()
        if isinstance(item, dict) and "fit_params" in item
    ]
    up = [float(item["fit_params"][-1]["up_frac_i"][1]) for item in items]
    assert up == pytest.approx([0.95, 0.05, 0.95, 0.05])


def test_other_shapes_are_left_where_spheres_fit_to_the_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search of all shapes takes ten times as long."""
    monkeypatch.setattr(api, "_as_measured", lambda *_: pytest.fail("other shapes were searched"))
    sample = sample_of(draw_magnetic(2, True)[1], {"field": 0})
    assert fit_sample(this_process(), sample, FitOptions()).verdict.headline.startswith("Magnetic scattering")
