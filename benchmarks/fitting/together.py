"""Are several curves of one sample recognised together, and do sizes hold within their errors?

``python -m benchmarks fitting/together --work W`` draws 60 samples by formulas in numpy: contrasts with and
without named solvents, concentrations with and without interactions, X-rays and neutrons, settings of one
instrument, and sectors of an oriented sample (those of `sectors`). Each is fitted with nothing else given.
Curves have a calibration of their own (2 %), a resolution that the file states, and a flat background.
``--third 0|1|2`` does a fixed third; answers are kept in W; ``--write`` keeps the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.data.sample.sample import CONCENTRATIONS, CONTRASTS, PROBES, SECTORS, SETTINGS
from sasnet_plugin.types import Curve

from ..common import markdown, parser_of, percent, run, show, this_process
from ..independent_curves import form_factors as form
from ..independent_curves import structure_factors as structure
from ..independent_curves.instruments import Sample as Scatterer
from ..independent_curves.instruments import smeared
from ..independent_curves.size_distributions import sizes_of
from .sectors import draw_oriented, list_pulls

Array = np.ndarray
KINDS = (CONTRASTS, CONCENTRATIONS, PROBES, SETTINGS, SECTORS)
COUNT = 60
#: 10⁻⁶ Å⁻² squared times Å³ in cm⁻¹.
UNIT = 1e-4
#: Scattering length densities, 10⁻⁶ Å⁻²: of H2O and D2O for neutrons, of water for X-rays.
H2O, D2O, WATER_XRAY = -0.56, 6.36, 9.4
#: Standard deviation of each curve's calibration.
CALIBRATION = 0.02
#: Models with the same curve as a form: other spellings of one particle.
RIGHT = {
    "sphere": {"sphere"},
    "core_shell_sphere": {"core_shell_sphere", "vesicle"},
    "ellipsoid": {"ellipsoid", "triaxial_ellipsoid"},
    "cylinder": {"cylinder", "elliptical_cylinder", "capped_cylinder", "barbell"},
    "core_shell_cylinder": {"core_shell_cylinder"},
}


@dataclass(frozen=True)
class Particle:
    """A shape in the densities of its materials."""

    form: str
    values: Mapping[str, float]  #: By sasmodels' names of lengths and widths.
    largest: float  #: Å.
    #: (q, densities of its materials, density of the solvent) to I(q) of a volume fraction of one, cm⁻¹.
    intensity: Callable[[Array, Sequence[float], float], Array]


def draw_particle(shape: str, rng: np.random.Generator) -> Particle:
    """Draw the sizes of a shape; spheres have a normal distribution of (core) radii."""
    if shape in ("sphere", "core_shell_sphere"):
        mean, width, shell = rng.uniform(25, 70), rng.uniform(0.05, 0.15), rng.uniform(10, 25)
        layered = shape == "core_shell_sphere"
        sizes, numbers = sizes_of("gaussian", mean, width, 41)

        def of_spheres(q: Array, densities: Sequence[float], solvent: float) -> Array:
            contrasts = np.array(densities[: 1 + layered]) - solvent
            radii = [np.array([r, r + shell][: 1 + layered]) for r in sizes]
            amplitudes = [form.layered_sphere_amplitude(q, each, contrasts) for each in radii]
            volume = numbers @ form.sphere_volume(sizes + shell * layered)
            return UNIT * np.asarray(numbers @ np.square(amplitudes)) / volume

        values = {"radius": mean, "radius_pd": width} | ({"thickness": shell} if layered else {})
        return Particle(shape, values, 2.6 * (mean + shell), of_spheres)
    if shape == "ellipsoid":
        short, ratio = rng.uniform(20, 40), rng.uniform(1.6, 3.0)
        polar, equatorial = (short * ratio, short) if rng.random() < 0.5 else (short, short * ratio)
        volume = float(form.sphere_volume(1.0)) * polar * equatorial**2
        values = {"radius_polar": polar, "radius_equatorial": equatorial}
        largest = 2 * max(polar, equatorial)

        def squared(q: Array) -> Array:
            return form.ellipsoid_moments(q, polar, equatorial)[1]

    else:
        radius, length = rng.uniform(15, 30), rng.uniform(80, 250)
        volume, largest, values = np.pi * radius**2 * length, length, {"radius": radius, "length": length}

        def squared(q: Array) -> Array:
            return form.cylinder_form(q, radius, length)

    return Particle(
        shape, values, largest, lambda q, own, solvent: UNIT * (own[0] - solvent) ** 2 * volume * squared(q)
    )


@dataclass(frozen=True)
class Drawn:
    """A sample of known truth."""

    kind: str
    form: str
    truth: Mapping[str, float]
    curves: Sequence[Curve]
    described: Mapping[str, Any]  #: What is said of the curves, as in a sample file.
    interacting: bool = False
    fractions: Sequence[float] = ()  #: Of each curve, where they interact.


def measure(
    intensity: Callable[[Array], Array], largest: float, q: Array, name: str, rng: np.random.Generator,
    relative: float = 0.012,
) -> Curve:  # fmt: skip
    """Count one curve: resolution, calibration, background and noise."""
    dq = q * rng.uniform(0.03, 0.06)
    exact = smeared(Scatterer(intensity, largest, (float(q[0]), float(q[-1]))), q, dq, None)
    exact = exact + 0.02 * rng.uniform(0.5, 1.5)
    error = np.sqrt((relative * exact) ** 2 + 2e-4 * exact)
    factor = 1 + CALIBRATION * rng.standard_normal()
    intensity_measured = factor * exact + error * rng.standard_normal(q.size)
    return Curve(q, intensity_measured, error, dq=dq, file=f"{name}.dat", intensity_unit="cm⁻¹")


def draw(index: int) -> Drawn:
    """Draw sample number `index`; kinds take turns, and within them shapes."""
    kind, number = KINDS[index % len(KINDS)], index // len(KINDS)
    rng = np.random.default_rng([index, 85])
    if kind == SECTORS:
        shape, truth, curves = draw_oriented(number)
        return Drawn(kind, shape, truth, curves, {})
    shape = ("core_shell_sphere", "sphere", "ellipsoid", "cylinder")[number % 4]
    interacting = kind == CONCENTRATIONS and shape in ("core_shell_sphere", "sphere")
    particle = draw_particle("sphere" if interacting else shape, rng)
    q = np.geomspace(max(0.004, 0.4 / particle.largest), min(0.4, 25 / particle.largest), 90)
    fraction, densities = rng.uniform(0.003, 0.015), (rng.uniform(-0.5, 1.5), rng.uniform(2.0, 4.0))

    def curve(name: str, share: float, own: Sequence[float], solvent: float, q: Array = q) -> Curve:
        return measure(
            lambda at: share * particle.intensity(at, own, solvent), particle.largest, q, name, rng
        )

    if kind == CONTRASTS:
        solvents = [round(H2O + (D2O - H2O) * x, 3) for x in (0.0, rng.uniform(0.6, 0.8), 1.0)]
        curves = [curve(f"solvent{i}", fraction, densities, each) for i, each in enumerate(solvents)]
        named = {"solvents": {str(i + 1): each for i, each in enumerate(solvents)}}
        return Drawn(kind, shape, particle.values, curves, {"kind": kind} if number % 3 == 2 else named)
    if kind == CONCENTRATIONS:
        if interacting:
            return _draw_interacting(rng)
        shares = [fraction * factor for factor in (0.2, 0.5, 1.0)]
        curves = [curve(f"share{i}", share, densities, D2O) for i, share in enumerate(shares)]
        described = {"concentrations": {str(i + 1): round(1e3 * s, 3) for i, s in enumerate(shares)}}
        return Drawn(kind, shape, particle.values, curves, described)
    if kind == PROBES:
        electrons = (rng.uniform(7.0, 8.5), rng.uniform(11.0, 14.0))
        curves = [curve("neutron", fraction, densities, D2O), curve("xray", fraction, electrons, WATER_XRAY)]
        return Drawn(kind, shape, particle.values, curves, {"probes": {"2": "xray"}})
    middle = np.sqrt(q[0] * q[-1])
    ranges = [np.geomspace(q[0], 1.6 * middle, 55), np.geomspace(0.7 * middle, q[-1], 55)]
    curves = [curve(f"setting{i}", fraction, densities, D2O, each) for i, each in enumerate(ranges)]
    return Drawn(kind, shape, particle.values, curves, {})


def _draw_interacting(rng: np.random.Generator) -> Drawn:
    """Hard spheres of slightly different sizes at three volume fractions, as a mixture of all sizes."""
    mean, width, contrast = rng.uniform(25, 70), rng.uniform(0.04, 0.08), rng.uniform(2, 5)
    sizes, numbers = sizes_of("gaussian", mean, width, 11)
    volume = float(numbers @ form.sphere_volume(sizes))
    fractions = [float(f) for f in rng.uniform(0.8, 1.2) * np.array([0.02, 0.06, 0.15])]
    q = np.geomspace(max(0.004, 0.15 / mean), min(0.4, 9 / mean), 90)
    curves = []
    for i, fraction in enumerate(fractions):

        def intensity(at: Array, fraction: float = fraction) -> Array:
            amplitudes = form.sphere_volume(sizes) * form.sphere_amplitude(at[:, None], sizes)
            total = structure.hard_sphere_mixture(at, sizes, numbers, fraction, amplitudes)
            return UNIT * fraction * contrast**2 * np.asarray(total) / volume

        curves.append(measure(intensity, 2.5 * mean, q, f"share{i}", rng))
    described = {"concentrations": {str(i + 1): round(100 * f, 3) for i, f in enumerate(fractions)}}
    truth = {"radius": mean, "radius_pd": width}
    return Drawn(CONCENTRATIONS, "sphere", truth, curves, described, True, fractions)


def fit(drawn: Drawn) -> Any:
    """The result of a sample in this process."""
    from sasnet_plugin.fitting.api import fit_sample
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.materials import densities

    return fit_sample(
        this_process(), sample_of(drawn.curves, drawn.described, sld=densities(None)), FitOptions()
    )


def solve(_: str, index: int, seed: int) -> dict[str, Any]:
    """What a fit says of a sample, relative to the truth."""
    drawn = draw(index)
    began = time.process_time()
    result = fit(drawn)
    seconds = time.process_time() - began
    names = RIGHT[drawn.form]

    def is_right(each: Any) -> bool:
        return each.model in names and (each.structure_factor is not None) == drawn.interacting

    best = result.best
    named = next((each for each in result.fits if each.model == drawn.form and is_right(each)), None)
    off = {} if named is None else list_pulls(drawn.truth, named.parameters)
    for i, fraction in enumerate(drawn.fractions if named is not None else ()):
        off |= {f"volfraction {i}": list_pulls({"volfraction": fraction}, named.own[i])["volfraction"]}
    return {
        "index": index, "kind": drawn.kind, "form": drawn.form, "taken_for": result.sample.kind,
        "model": best.name if best else "", "success": bool(best and is_right(best)),
        "alike": any(is_right(each) for each in result.fits if each is best or each.alike),
        "explained": result.explained, "off": off, "seconds": seconds,
        "apart": result.apart, "changing": result.changing, "headline": result.verdict.headline,
    }  # fmt: skip


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Shares of samples by kind."""
    header = [
        "samples", "right model first %", "first or indistinguishable %", "fits %", "values",
        "within 1 error %", "within 2 %", "within 3 %", "CPU-seconds, median", "mean",
    ]  # fmt: skip
    lines = [_line(kind, [r for r in rows if r["kind"] == kind]) for kind in KINDS]
    return markdown(["kind", *header], [line for line in [*lines, _line("all", rows)] if line])


def _line(kind: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    pulls = np.array([abs(value) for row in rows for value in row["off"].values()])
    shares = [percent(float(np.mean(pulls < most))) if pulls.size else "–" for most in (1, 2, 3)]
    named = [
        percent(float(np.mean([row[name] for row in rows]))) for name in ("success", "alike", "explained")
    ]
    seconds = [row["seconds"] for row in rows]
    return [kind, str(len(rows)), *named, str(pulls.size), *shares, f"{np.median(seconds):.1f}",
            f"{np.mean(seconds):.1f}"]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of(__doc__, work=True, count=COUNT)
    parser.add_argument("--third", type=int, choices=(0, 1, 2), help="only every third sample of each kind")
    asked = parser.parse_args(arguments)
    numbers = [i for i in range(asked.count) if asked.third is None or i // len(KINDS) % 3 == asked.third]
    rows = run(solve, "together", numbers, 0, asked.work, 1)
    show("# Several curves of one sample\n\n" + table(rows), asked.write, __file__)
    return 0
