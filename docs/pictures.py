"""The pictures and printed answers of the tutorial in docs/fitting.md, made by the program itself.

    python docs/pictures.py

The measurement is SANS of sodium dodecyl sulfate, 2 % in D2O, which comes with sasdata. The answers are as
``sasnet`` prints them, so that the page says what its reader will see; one that a busy machine has
cut short is none.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import samples

from sasnet_plugin.report.plot import fit_figure

FILE = "hSDS_D2O_2p0_percent.xml"
FOLDER = Path(__file__).parent / "fitting"
#: Of the terminal.
COLUMNS = 110
#: What SDS and its heavy water are; the density is that of a solution's micelles, g/cm³.
CONTRAST = ("C12H25NaO4S@1.01", "D2O")


def main() -> None:
    """Write all of them."""
    import sasdata

    from sasnet_plugin.fitting.problem.contrast import contrast_of
    from sasnet_plugin.fitting.task import Method

    os.environ["COLUMNS"] = str(COLUMNS)
    FOLDER.mkdir(exist_ok=True)
    example = Path(sasdata.__file__).parent / "example_data" / "1d_data" / FILE
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        shutil.copy(example, FILE)
        classified()
        planned()
        oriented()
        oriented_image()
        contrasts()
        fitted("fitted", also="details")
        fitted("wrong", models=("sphere",), structure_factor="none")
        fitted(
            "contrast",
            draw=None,
            details=True,
            models=("sphere",),
            structure_factor="hayter_msa",
            contrast=contrast_of(*CONTRAST),
        )
        fitted(
            "dream",
            details=True,
            draw=lambda result: result.corner(),
            models=("sphere",),
            structure_factor="hayter_msa",
            method=Method("dream"),
            time_limit=120.0,
        )
    samples.main()


def planned() -> None:
    """What ``sasnet next`` says of a simulated micelle, a core with a hydrated shell, before and after the
    measurement that it recommends.
    """
    import json

    from sasnet_plugin.cli.main import app

    rng, q = np.random.default_rng(72), np.geomspace(0.008, 0.16, 80)
    intensity = micelle(q)
    error = np.sqrt((intensity + 0.05) * 8e-6 / q + (0.01 * intensity) ** 2)
    measured("micelle.dat", q, intensity, error, 0.05 * q, rng)
    models = ["--models", "sphere,fuzzy_sphere,ellipsoid,core_shell_sphere", "--structure-factor", "none"]
    known, plan = ["--solvent", "D2O", "--fixed", "sld_core=-0.4", *models], "plan.json"
    picture = ["--plot", str(FOLDER / "next.png"), "--save", plan, "--force"]
    _written("next", _said(app, ["next", "micelle.dat", *known, *picture]))
    predicted = json.loads(Path(plan).read_text(encoding="utf-8"))["predictions"]
    q, solvent = np.array(predicted["q"]), predicted["solvent"]
    measured("new.dat", q, micelle(q, solvent or 6.36), np.array(predicted["error"]), 0.05 * q, rng)
    if solvent is None:
        files = ["micelle.dat", "new.dat", "--kind", "settings", *known]
    else:
        text = f'[solvents]\n"micelle.dat" = "D2O"\n"new.dat" = {solvent}\n'
        Path("sample.toml").write_text(text, encoding="utf-8")
        files = ["micelle.dat", "new.dat", "--sample-file", "sample.toml", *known[2:]]
    _written("next_after", _said(app, ["next", *files, "--plan", plan]))


def micelle(q: Any, solvent: float = 6.36) -> Any:
    """I(q), 1/cm, of hydrocarbon cores of 25 Å with a hydrated shell of 20 Å, by sasmodels, at a resolution
    of 5 %.
    """
    from sasmodels.core import load_model
    from sasmodels.direct_model import call_kernel

    sizes = {"radius": 25, "thickness": 20, "radius_pd": 0.1, "radius_pd_n": 35}
    densities = {"sld_core": -0.4, "sld_shell": 4.5, "sld_solvent": solvent}
    places, weights = np.polynomial.hermite_e.hermegauss(15)
    spread = np.outer(q, 1 + 0.05 * places)
    kernel = load_model("core_shell_sphere").make_kernel([spread.ravel()])
    intensity = call_kernel(kernel, sizes | densities | {"scale": 0.01, "background": 0.01})
    return intensity.reshape(spread.shape) @ (weights / weights.sum())


def measured(name: str, q: Any, intensity: Any, error: Any, dq: Any, rng: Any) -> None:
    """Write a simulated measurement."""
    columns = np.column_stack([q, intensity + error * rng.standard_normal(q.size), error, dq])
    np.savetxt(name, columns, header="Q (1/A)  I (1/cm)  dI (1/cm)  dQ (1/A)", fmt="%.6g")


def _said(app: Any, arguments: list[str]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        app(arguments, standalone_mode=False)
    return said.getvalue()


def oriented() -> None:
    """What ``sasnet fit --together`` prints and draws of three sectors of simulated rods in a flow."""
    import sasnet_plugin
    from sasnet_plugin.cli.main import app
    from sasnet_plugin.fitting.problem.oriented_particles import Particle
    from sasnet_plugin.types import Sector

    rng, q = np.random.default_rng(3), np.geomspace(0.005, 0.3, 90)
    values = {"radius": 22.0, "length": 300.0, "radius_pd": 0.12, "radius_pd_n": 35, "radius_pd_nsigma": 3.0}
    rods, files = Particle("cylinder", q), []
    for azimuth in (0, 60, 120):
        sector = Sector(azimuth, 15)
        intensity = 0.01 * rods.average(values | {"p2": 0.55, "director": 25.0}, sector) + 0.05
        error = 0.02 * intensity + 0.002
        header = f"Sector average: azimuth = {azimuth} deg, half-width = 15 deg\nQ (1/A)  I (1/cm)  dI (1/cm)"
        columns = np.column_stack([q, intensity + error * rng.standard_normal(q.size), error])
        files.append(f"rods_{azimuth}.dat")
        np.savetxt(files[-1], columns, header=header, fmt="%.6g")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        app(["fit", "--together", *files, "--details"], standalone_mode=False)
    _written("sectors", said.getvalue())
    result = sasnet_plugin.fit_together(files, progress=False)
    result.plot().figure.savefig(FOLDER / "sectors.png", dpi=90)


def oriented_image() -> None:
    """Measured, simulated and residual image of simulated rods in a flow."""
    from scipy.interpolate import RectBivariateSpline

    from sasnet_plugin.domains import ReadOptions
    from sasnet_plugin.fitting.problem.oriented_particles import Particle
    from sasnet_plugin.images.report import COMPARISON_SIZE, comparison
    from sasnet_plugin.images.sans.fitting import fit_image
    from sasnet_plugin.images.sans.reading import read
    from sasnet_plugin.images.sans.report import again
    from sasnet_plugin.report.canvas import save
    from sasnet_plugin.types import Sector

    rng, q, turns = np.random.default_rng(3), np.geomspace(0.0015, 0.3, 120), np.linspace(0, 90, 46)
    values = {"radius": 40.0, "length": 300.0, "radius_pd": 0.1, "radius_pd_n": 35, "radius_pd_nsigma": 3.0}
    rods = Particle("cylinder", q)
    table = [rods.average(values | {"p2": 0.7, "director": 0.0}, Sector(turn, 0.5)) for turn in turns]
    look = RectBivariateSpline(turns, np.log(q), np.log(table))
    qx, qy = np.meshgrid(*[(np.arange(128) - 63.5) * 0.0025] * 2)
    away = np.abs((np.degrees(np.arctan2(qy, qx)) - 25 + 90) % 180 - 90)
    rate = np.exp(look.ev(away, np.log(np.hypot(qx, qy)))) + 2.0
    counts = rng.poisson(4e5 * rate / rate.sum())
    columns = [column.ravel() for column in (qx, qy, counts / 50, np.sqrt(np.maximum(counts, 1)) / 50)]
    np.savetxt("rods.dat", np.column_stack(columns), header="Qx Qy I dI", fmt="%.6g")
    fit = fit_image("rods.dat")
    print(fit.headline)
    (image,) = read("rods.dat", ReadOptions())
    save(comparison(*again(image, fit)), str(FOLDER / "oriented_image.png"), COMPARISON_SIZE)


def contrasts() -> None:
    """What ``sasnet fit --together`` prints of core-shell spheres in three solvents."""
    from sasmodels.core import load_model
    from sasmodels.direct_model import call_kernel

    from sasnet_plugin.cli.main import app

    rng, q, names = np.random.default_rng(1), np.geomspace(0.005, 0.35, 120), []
    kernel = load_model("core_shell_sphere").make_kernel([q])
    particles = {"scale": 0.01, "background": 0.05, "radius": 40.0, "radius_pd": 0.1, "radius_pd_n": 35}
    densities = {"thickness": 15.0, "sld_core": 0.5, "sld_shell": 3.0}
    for name, solvent in {"h2o": -0.56, "match": 2.5, "d2o": 6.36}.items():
        clean = call_kernel(kernel, particles | densities | {"sld_solvent": solvent})
        columns = np.column_stack([q, clean * (1 + 0.02 * rng.standard_normal(q.size)), 0.02 * clean])
        names.append(f"{name}.dat")
        np.savetxt(names[-1], columns, header="Q (1/A)  I (1/cm)  dI (1/cm)", fmt="%.6g")
    solvents = '"h2o.dat" = "H2O"\n"match.dat" = 2.5\n"d2o.dat" = 6.36\n'
    Path("sample.toml").write_text(f"[solvents]\n{solvents}", encoding="utf-8")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        app(["fit", "--together", *names, "--sample-file", "sample.toml"], standalone_mode=False)
    _written("together", said.getvalue())


def classified() -> None:
    """What ``sasnet classify --plot`` prints and draws."""
    from sasnet_plugin.cli.main import app

    picture = FOLDER / "classified.png"
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        app(["classify", FILE, "--plot", str(picture), "--force"], standalone_mode=False)
    _written("classified", said.getvalue())


def fitted(
    name: str,
    draw: Callable[[Any], Any] | None = fit_figure,
    details: bool = False,
    also: str = "",
    **options: Any,
) -> None:
    """What ``sasnet fit`` prints, with or without details or, under another name, also with; a picture."""
    import sasnet_plugin
    from sasnet_plugin.cli.fit import print_result
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.pool import Workers
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.zoo import bank_path

    (curve,) = sasnet_plugin.load(FILE)
    asked = FitOptions(**options)
    with Workers(bank_path(), asked.workers) as pool:
        result = fit_with(pool, curve, asked)
    if result.limit_met:
        raise SystemExit(f"{name}: the time limit ended the search early; run again on an idle machine.")
    for where, full in ((name, details), *([(also, True)] if also else [])):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            print_result(result, details=full)
        _written(where, said.getvalue())
    if draw is not None:
        draw(result).savefig(FOLDER / f"{name}.png", dpi=100)


def _written(name: str, said: str) -> None:
    lines = [line.rstrip() for line in said.strip().splitlines()]
    (FOLDER / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}\n{said}")


if __name__ == "__main__":
    main()
