"""Does a fit find a second component where there is one, and none where there is none?

``python -m benchmarks fitting/sums --work W`` fits 60 curves of two components (a body with a power law at
low q, two populations of spheres whose radii differ by a factor of 2 to 5, a body with a polymer coil) and 60
of one, model unknown, with 60 CPU-seconds each. The curves come from the formulas below and share no code
with training. Every answer is kept in ``W`` as it comes, so a killed run goes on; ``--write`` puts the table
into ``benchmarks/fitting/sums.md``. ``--first`` and ``--count`` take a part of each set.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.types import Curve

from ..asked import parser_of
from ..kept import Here, run

Array = NDArray[np.float64]
KINDS = ("power law", "two populations", "coil")
#: Problems of two components, and as many of one after them.
PAIRS = 60
#: CPU-seconds: the default of sasnet fit, 30 s of two processes.
LIMIT = 60.0
#: Weight from which on a fit that is not first counts.
TENTH = 0.1
#: Marks: right pairs, radii within, and singles that are given a second component.
RIGHT, RADIUS, WRONG = 0.8, 0.03, 3


def sphere(q: Array, radius: float) -> Array:
    """Squared amplitude times volume of a homogeneous sphere (Rayleigh 1910), 1 at q = 0 times V."""
    x = np.outer(q, np.atleast_1d(radius))
    amplitude = 3 * (np.sin(x) - x * np.cos(x)) / x**3
    return np.asarray((amplitude**2 * (4 / 3 * np.pi * np.atleast_1d(radius) ** 3))[:, 0])


def spheres(q: Array, radius: float, width: float) -> Array:
    """Spheres whose radii have a normal distribution, per volume of sample."""
    radii = radius * (1 + width * np.linspace(-4, 4, 81))
    number = np.exp(-0.5 * np.linspace(-4, 4, 81) ** 2)
    volume = 4 / 3 * np.pi * radii**3
    total = sum(n * v * sphere(q, float(r)) for n, v, r in zip(number, volume, radii, strict=True))
    return np.asarray(total / (number @ volume))


def shells(q: Array, radius: float, thickness: float, core: float) -> Array:
    """A sphere of contrast `core` in a shell of contrast 1, with a 6 % spread of sizes."""
    total = np.zeros_like(q)
    for x in np.linspace(-3, 3, 41):
        factor = 1 + 0.06 * x
        parts = 0.0
        for r, contrast in ((radius, core - 1), (radius + thickness, 1.0)):
            v, y = 4 / 3 * np.pi * (factor * r) ** 3, q * factor * r
            parts = parts + contrast * v * 3 * (np.sin(y) - y * np.cos(y)) / y**3
        total += np.exp(-0.5 * x**2) * parts**2
    return total / (4 / 3 * np.pi * (radius + thickness) ** 3)


def ellipsoids(q: Array, polar: float, equatorial: float) -> Array:
    """Averaged over orientations (Guinier 1939)."""
    cosine, weight = np.polynomial.legendre.leggauss(150)
    cosine, weight = (cosine + 1) / 2, weight / 2
    radii = np.sqrt(equatorial**2 * (1 - cosine**2) + polar**2 * cosine**2)
    x = np.outer(q, radii)
    return np.asarray((3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 @ weight) * polar * equatorial**2


def rods(q: Array, radius: float, length: float) -> Array:
    """Cylinders, averaged over orientations (Fournet 1949)."""
    from scipy.special import j1

    angle, weight = np.polynomial.legendre.leggauss(200)
    angle, weight = np.pi / 4 * (angle + 1), np.pi / 4 * weight
    x, y = np.outer(q, radius * np.sin(angle)), np.outer(q, 0.5 * length * np.cos(angle))
    amplitude = 2 * j1(x) / x * np.sinc(y / np.pi)
    return np.asarray(amplitude**2 @ (weight * np.sin(angle))) * radius**2 * length


def coil(q: Array, rg: float) -> Array:
    """Debye's function (J. Phys. Colloid Chem. 51 (1947) 18)."""
    x = (q * rg) ** 2
    return np.asarray(2 * (np.expm1(-x) + x) / x**2)


@dataclass(frozen=True)
class Problem:
    """A measured curve, what it is made of, and the radii that a right answer has."""

    curve: Curve
    kind: str  #: One of `KINDS`, or the form of a single component.
    pairs: tuple[str, ...]  #: Names of right answers.
    radii: tuple[float, ...]  #: Å, ascending.


def problem(index: int, seed: int) -> Problem:
    """Draw a problem; the first `PAIRS` have two components."""
    rng = np.random.default_rng([seed, index, 77])
    q = np.geomspace(rng.uniform(0.003, 0.008), rng.uniform(0.25, 0.5), int(rng.integers(100, 300)))
    spread = rng.uniform(0.01, 0.06)
    kind, parts, pairs, radii = (_two if index < PAIRS else _one)(index, rng)
    # A pinhole resolution: normal in q, by Gauss and Hermite's rule.
    at, weight = np.polynomial.hermite_e.hermegauss(21)
    exact = sum(w * parts(q * (1 + spread * x)) for x, w in zip(at, weight, strict=True)) / weight.sum()
    exact = exact / exact[0] * 10 ** rng.uniform(-1, 2.5)
    exact = exact + exact[0] * 10 ** rng.uniform(-4, -3)
    relative = 10 ** rng.uniform(-2.1, -1.4)
    sigma = np.sqrt((relative * exact) ** 2 + (relative * exact[-1]) ** 2)
    curve = Curve(
        q, exact + sigma * rng.standard_normal(q.size), sigma, dq=spread * q, file=f"sum-{index:03d}.dat"
    )
    return Problem(curve, kind, pairs, radii)


Parts = tuple[str, Callable[[Array], Array], tuple[str, ...], tuple[float, ...]]


def _body(rng: np.random.Generator) -> tuple[str, Callable[[Array], Array], float]:
    """A sphere, a rod or an ellipsoid of which the window shows the radius."""
    name = str(rng.choice(["sphere", "sphere", "cylinder", "ellipsoid"]))
    radius = float(rng.uniform(25, 60))
    if name == "sphere":
        width = float(rng.uniform(0.05, 0.15))
        return name, lambda q: spheres(q, radius, width), radius
    if name == "cylinder":
        length = radius * float(rng.uniform(4, 10))
        return name, lambda q: rods(q, radius, length), radius
    ratio = float(rng.uniform(1.8, 3.0))
    return name, lambda q: ellipsoids(q, ratio * radius, radius), radius


def _two(index: int, rng: np.random.Generator) -> Parts:
    kind = KINDS[index % 3]
    if kind == "two populations":
        small, ratio = float(rng.uniform(20, 50)), float(rng.uniform(2, 5))
        widths = rng.uniform(0.05, 0.14, 2)
        # Of the scattering at q = 0, which grows as volume, each has a tenth at least.
        share = 10 ** rng.uniform(-0.9, 0.9) / ratio**3
        large = ratio * small
        return (
            kind,
            lambda q: spheres(q, small, widths[0]) + share * spheres(q, large, widths[1]),
            ("sphere+sphere",),
            (small, large),
        )
    form, body, radius = _body(rng)
    if kind == "coil":
        rg, share = float(rng.uniform(40, 120)), float(10 ** rng.uniform(-0.7, 0.5))
        pairs: tuple[str, ...] = (f"{form}+mono_gauss_coil",)
        return kind, lambda q: body(q) / body(_FIRST)[0] + share * coil(q, rg), pairs, (radius,)
    power, at = float(rng.uniform(2.5, 4.0)), float(rng.uniform(0.007, 0.015))
    return kind, lambda q: body(q) / body(_FIRST)[0] + (q / at) ** -power, (f"{form}+power_law",), (radius,)


_FIRST = np.array([1e-3])


def _one(index: int, rng: np.random.Generator) -> Parts:
    form = ("sphere", "cylinder", "ellipsoid", "core_shell_sphere", "coil", "lorentz")[index % 6]
    radius = float(rng.uniform(25, 80))
    if form == "sphere":
        width = float(rng.uniform(0.03, 0.3))
        return form, lambda q: spheres(q, radius, width), (), (radius,)
    if form == "cylinder":
        length = radius * float(rng.uniform(0.3, 12))
        return form, lambda q: rods(q, radius, length), (), (radius,)
    if form == "ellipsoid":
        ratio = float(rng.uniform(0.3, 3.5))
        return form, lambda q: ellipsoids(q, ratio * radius, radius), (), (radius,)
    if form == "core_shell_sphere":
        thickness, core = radius * float(rng.uniform(0.2, 0.8)), float(rng.uniform(-0.8, 0.5))
        return form, lambda q: shells(q, radius, thickness, core), (), (radius,)
    if form == "coil":
        return form, lambda q: coil(q, radius), (), (radius,)
    return form, lambda q: 1 / (1 + (q * radius) ** 2), (), (radius,)


def solve(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """sasnet's answer to one problem, as JSON has it."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.evidence.weights import alike
    from sasnet_plugin.fitting.result.model_fit import explains
    from sasnet_plugin.fitting.task import FitOptions

    given = problem(index, seed)
    began = time.process_time()
    result = fit_with(Here(), given.curve, FitOptions(time_limit=LIMIT))
    seconds = time.process_time() - began
    same = {f.name for f in result.fits[:1]} | set(alike(list(result.fits)))
    there = [f for f in result.fits if f.name in given.pairs and explains(f.reduced_chisq, len(given.curve))]
    right = [f for f in there if f.name in same or f.weight > TENTH]
    row: dict[str, Any] = {
        "index": index, "model": given.kind, "seconds": seconds, "points": len(given.curve),
        "best": result.best.name if result.best else None, "verified": result.verified,
        "ranking": [[f.name, f.weight, f.reduced_chisq, len(f.free)] for f in result.fits[:6]],
        "components": [c.as_dict() for c in result.best.components] if result.best else [],
        "second": bool(result.best and "+" in result.best.model),
        "there": bool(there), "truth": list(given.radii),
    }  # fmt: skip
    if index >= PAIRS:
        return row | {"success": not row["second"]}
    found = there[0] if there else None
    row["success"] = bool(right)
    if found:
        names = [n for n in found.parameters if n in ("A_radius", "B_radius", "A_radius_equatorial")]
        row["radii"] = sorted(found.parameters[n].value for n in names)
        row["radii_right"] = all(
            abs(a / b - 1) < RADIUS for a, b in zip(row["radii"], given.radii, strict=True)
        )
    return row


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The page."""
    pairs, singles = [r for r in rows if r["index"] < PAIRS], [r for r in rows if r["index"] >= PAIRS]
    lines = [
        "# Sums of two models",
        "",
        "| what | curves | right pair leads | right pair explains | radii within 3 % | CPU-seconds, mean |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind in (*KINDS, "all"):
        own = [r for r in pairs if kind in (r["model"], "all")]
        good = [r for r in own if r["there"]]
        leads = sum(r["success"] for r in own)
        if own:
            within, seconds = sum(r["radii_right"] for r in good), np.mean([r["seconds"] for r in own])
            lines.append(
                f"| {kind} | {len(own)} | {leads} | {len(good)} | {within} of {len(good)} | {seconds:.1f} |"
            )
    given = sum(r["second"] for r in singles)
    lines += [
        "",
        f"Of {len(singles)} curves of one component {given} were given a second one"
        f" ({np.mean([r['seconds'] for r in singles]) if singles else 0:.1f} CPU-seconds in the mean).",
        "",
        "The right pair explains a curve to its noise; it leads where it is first besides, not to be"
        " distinguished from the first, or has a tenth of the weight.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = parser_of(__doc__, work=True, first=0, count=PAIRS, seed=2026, workers=1)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    part = range(asked.first, min(asked.first + asked.count, PAIRS))
    numbers = [i + offset for i in part for offset in (0, PAIRS)]
    page = table(run(solve, "sums", numbers, asked.seed, asked.work, asked.workers))
    print(page)
    if asked.write:
        (Path(__file__).parent / "sums.md").write_text(page, encoding="utf-8")
