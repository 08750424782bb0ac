"""Is the match point that ``sasnet next`` gives the one where the sample's forward scattering is least?

Forty samples by formulas that share nothing with sasmodels: core-shell spheres, ellipsoids and cylinders
whose core is known, core-shell spheres of many sizes, spheres and shells that exchange hydrogen with water,
vesicles and core-shell spheres in three or four solvents. The truth is the minimum over the solvent's
density of ⟨(Σ Vᵢ Δρᵢ)²⟩, the mean over the sizes. ``--third 0|1|2`` does a third of the samples. What is
computed is kept in W; ``--write`` keeps the table.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import j1

from sasnet_plugin.types import Curve

from ..common import markdown, parser_of, run, show, this_process
from ..independent_curves import form_factors as form
from ..independent_curves.size_distributions import sizes_of

Array = np.ndarray
#: 10⁻⁶ Å⁻² squared times Å³ in cm⁻¹.
UNIT = 1e-4
D2O, H2O = 6.356, -0.559
COUNT, LIMIT = 40, 60.0
#: Required: samples within two errors, and the median error in per cent of D2O.
WITHIN, MEDIAN = 37, 1.0
KINDS = (
    "core-shell spheres", "exchanging spheres", "core-shell ellipsoids", "core-shell cylinders",
    "vesicles, series", "core-shell spheres of many sizes", "core-shell spheres, series", "exchanging shells",
)  # fmt: skip
#: Cellulose, whose labile hydrogen exchanges: its density in H2O and in D2O, by coherent scattering lengths
#: (V. F. Sears, Neutron News 3 (1992) 26) of C6H10O5 and C6H7D3O5 at 1.5 g/cm³ as C6H10O5.
CELLULOSE = "C6H7H[1]3O5@1.5"
_LENGTHS = {"H": -3.739, "D": 6.671, "C": 6.646, "O": 5.803}
_CELLULOSE = [
    1e-5 * 1.5 * 6.02214e23 / 162.14 * 1e-24 * 1e6
    * (6 * _LENGTHS["C"] + 5 * _LENGTHS["O"] + 7 * _LENGTHS["H"] + 3 * _LENGTHS[hydrogen])
    for hydrogen in "HD"
]  # fmt: skip


def exchanging(solvent: float) -> float:
    """The density of cellulose in water of this density."""
    return float(np.interp(solvent, (H2O, D2O), _CELLULOSE))


@dataclass(frozen=True)
class Sample:
    """A particle of nested bodies, innermost first."""

    kind: str
    model: str
    shape: str  #: "ellipsoid" or "cylinder".
    axes: Array  #: (sizes, bodies, 2): equatorial radius and polar radius or length, Å.
    numbers: Array  #: (sizes,) of particles.
    densities: Callable[[float], list[float]]  #: Of the bodies by the solvent's, 10⁻⁶ Å⁻².
    solvents: tuple[float, ...]
    fixed: dict[str, float] = field(default_factory=dict)
    exchange: dict[str, str] = field(default_factory=dict)
    fraction: float = 0.005

    def volumes(self) -> Array:
        """(sizes, bodies)."""
        equatorial, polar = self.axes[..., 0], self.axes[..., 1]
        return np.asarray(equatorial**2 * polar * (np.pi if self.shape == "cylinder" else 4 / 3 * np.pi))

    def steps(self, solvent: float) -> Array:
        """Densities of the bodies over that of what is around each, (bodies,)."""
        layers = [*self.densities(solvent), solvent]
        return -np.diff(layers)

    def forward(self, solvent: float) -> float:
        """I(0) but for a factor."""
        return float(self.numbers @ (self.volumes() @ self.steps(solvent)) ** 2)

    def match_point(self) -> float:
        """The density of the solvent in which I(0) is least."""
        grid = np.linspace(H2O, D2O, 20001)
        return float(grid[np.argmin([self.forward(solvent) for solvent in grid])])

    def intensity(self, q: Array, solvent: float) -> Array:
        """I(q), 1/cm."""
        cosines, weights = form.gauss_legendre(0.0, 1.0, 1 if self.is_sphere() else 120)
        squares = np.zeros_like(q)
        for number, axes, volumes in zip(self.numbers, self.axes, self.volumes(), strict=True):
            amplitude = sum(
                step * volume * self._body(q[:, None], *lengths, cosines[None, :])
                for step, volume, lengths in zip(self.steps(solvent), volumes, axes, strict=True)
            )
            squares += number * (amplitude**2 @ weights)
        return np.asarray(UNIT * self.fraction * squares / (self.numbers @ self.volumes()[:, -1]))

    def is_sphere(self) -> bool:
        return self.shape == "ellipsoid" and bool(np.all(self.axes[..., 0] == self.axes[..., 1]))

    def _body(self, q: Array, equatorial: float, polar: float, cosine: Array) -> Array:
        sine = np.sqrt(1 - cosine**2)
        if self.shape == "ellipsoid":
            return form.sphere_amplitude(q, np.hypot(equatorial * sine, polar * cosine))
        across, along = q * equatorial * sine, q * polar * cosine / 2
        return np.asarray(2 * j1(across) / across * np.sinc(along / np.pi))


def draw(index: int) -> Sample:
    """A sample of the benchmark."""
    rng = np.random.default_rng([index, 84])
    kind, solvent = KINDS[index % len(KINDS)], float(rng.choice([D2O, D2O, 0.8 * D2O, H2O]))
    core, shell = float(rng.uniform(25, 60)), float(rng.uniform(10, 30))
    inner, outer = float(rng.uniform(-0.5, 1.5)), float(rng.uniform(2.0, 4.5))
    if rng.random() < 0.5:
        inner, outer = outer, inner
    ratio = float(rng.uniform(1.5, 3.0))
    width = float(rng.uniform(0.15, 0.25) if "many" in kind else rng.uniform(0.05, 0.12))
    given = {"sld_core": inner, "sld_solvent": solvent}

    def layered(sizes: Array, polar: float = 1.0) -> Array:
        pairs = [[(r, polar * r), (r + shell, polar * r + shell)] for r in sizes]
        return np.array(pairs)

    sizes, numbers = sizes_of("gaussian", core, width)
    one = np.ones(1)
    if kind == "core-shell ellipsoids":
        fixed = given | {"x_polar_shell": 1.0}
        axes = layered(np.array([core]), ratio)
        return Sample(kind, "core_shell_ellipsoid", "ellipsoid", axes, one,
                      lambda _: [inner, outer], (solvent,), fixed)  # fmt: skip
    if kind == "core-shell cylinders":
        length = ratio * 2 * core
        axes = np.array([[(core, length), (core + shell, length + 2 * shell)]])
        return Sample(kind, "core_shell_cylinder", "cylinder", axes, one,
                      lambda _: [inner, outer], (solvent,), given)  # fmt: skip
    if kind == "exchanging spheres":
        fixed = {"sld": exchanging(solvent), "sld_solvent": solvent}
        axes = np.array([[(r, r)] for r in sizes])
        return Sample(kind, "sphere", "ellipsoid", axes, numbers,
                      lambda s: [exchanging(s)], (solvent,), fixed, {"sld": CELLULOSE})  # fmt: skip
    if kind == "exchanging shells":
        fixed = given | {"sld_shell": exchanging(solvent)}
        return Sample(kind, "core_shell_sphere", "ellipsoid", layered(sizes), numbers,
                      lambda s: [inner, exchanging(s)], (solvent,), fixed,
                      {"sld_shell": CELLULOSE})  # fmt: skip
    if kind == "vesicles, series":
        return Sample(kind, "vesicle", "ellipsoid", layered(sizes), numbers,
                      lambda s: [s, outer], (H2O, 0.4 * D2O, D2O))  # fmt: skip
    series = (H2O, 0.3 * D2O, 0.7 * D2O, D2O) if "series" in kind else (solvent,)
    return Sample(kind, "core_shell_sphere", "ellipsoid", layered(sizes), numbers,
                  lambda _: [inner, outer], series, given if len(series) == 1 else {})  # fmt: skip


def measured(sample: Sample, solvent: float, rng: np.random.Generator, file: str) -> Curve:
    """A curve with noise of counting and a background."""
    q = np.geomspace(0.004, 0.35, 150)
    clean = sample.intensity(q, solvent)
    sigma = np.hypot(0.01 * clean, 0.003 * (0.1 + clean) ** 0.5)
    return Curve(
        q, clean + 0.05 + sigma * rng.standard_normal(q.size), sigma, file=file, intensity_unit="cm⁻¹"
    )


def solve(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """The match point in per cent of D2O and its error, as the sentence has them."""
    from sasnet_plugin.planning.next_measurement import next_measurement

    sample, began = draw(index), time.process_time()
    rng = np.random.default_rng([index, seed])
    curves = [measured(sample, s, rng, f"{i + 1}.dat") for i, s in enumerate(sample.solvents)]
    result = _fit(sample, curves)
    plan = next_measurement(result, exchange=sample.exchange)
    truth = 100 * (sample.match_point() - H2O) / (D2O - H2O)
    row: dict[str, Any] = {"index": index, "kind": sample.kind, "model": sample.model, "truth": truth}
    said = [note for note in plan.notes if "match point" in note]
    number = re.search(r"According to .* at ([\d.-]+)(?: ± ([\d.]+))? % D2O", " ".join(said[:1]))
    row |= {"said": said, "success": False}
    if number:
        value, error = float(number[1]), float(number[2] or 0.0)
        # What the text rounds away, and the difference between two tables of scattering lengths, is no error.
        row |= {"value": value, "error": error, "success": abs(value - truth) <= 2 * max(error, 0.15)}
    return row | {"seconds": time.process_time() - began}


def _fit(sample: Sample, curves: list[Curve]) -> Any:
    from sasnet_plugin.data.sample.described import sample_of
    from sasnet_plugin.fitting.api import fit_sample, fit_with
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.materials import densities

    options = FitOptions(
        models=(sample.model,), structure_factor="none", fixed=sample.fixed, time_limit=LIMIT
    )
    if len(curves) == 1:
        return fit_with(this_process(), curves[0], options)
    described = {"solvents": {str(i + 1): value for i, value in enumerate(sample.solvents)}}
    together = sample_of(
        curves, described, sld=densities(None), share=(), own_names=(), ties=(), source="sample"
    )
    return fit_sample(this_process(), together, options)


def table(rows: list[dict[str, Any]]) -> str:
    """How many are right by kind, and how large errors are."""

    def line(name: str, chosen: list[dict[str, Any]]) -> list[str]:
        said = [row for row in chosen if "value" in row]
        off = [abs(row["value"] - row["truth"]) for row in said]
        errors = [row["error"] for row in said]
        middle = [f"{np.median(values):.2f}" if values else "–" for values in (off, errors)]
        return [name, str(len(chosen)), str(sum(row["success"] for row in chosen)), *middle]

    lines = [line(kind, [row for row in rows if row["kind"] == kind]) for kind in KINDS]
    head = ["sample", "number", "within two errors", "median deviation, % D2O", "median error, % D2O"]
    return f"""# Match points

{markdown(head, [*lines, line("all", rows)])}
Required: {WITHIN} of {COUNT} within two errors, and a median error of at most {MEDIAN:g} % D2O.
"""


def main() -> None:
    parser = parser_of(__doc__, work=True, seed=1, workers=1, third=(-1, "0, 1 or 2: a third of the samples"))
    options = parser.parse_args()
    numbers = [i for i in range(COUNT) if options.third < 0 or i % 3 == options.third]
    rows = run(solve, "match", numbers, options.seed, options.work, options.workers)
    show(table(rows), options.write, __file__)
