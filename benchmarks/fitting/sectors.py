"""Are orientation and magnetism of a sample found from sectors, by formulas of others?

``python -m benchmarks fitting/sectors --count N --work W`` draws N oriented samples: cylinders, core-shell
cylinders and ellipsoids whose axes are distributed by Maier and Saupe about a director, integrated in two
dimensions by numpy, with formulas of scipy's Bessel functions. Each is counted in three sectors, every other
one in two along and across the director. Sectors have an efficiency of 1 % of their own. N magnetic and N
non-magnetic samples of core-shell spheres are separated by sectors along and across a field. ``--cost`` fits
each of two sectors alone as well, and compares the CPU time. ``--third 0|1|2`` does a third of
the samples. Answers are kept in W; ``--write`` keeps the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import j1

from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.data.sample.sectors import separate_magnetism
from sasnet_plugin.fitting.api import fit_sample, fit_with
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.types import Curve, Sector

from ..common import markdown, parser_of, run, show, this_process

Array = np.ndarray
FORMS = ("cylinder", "ellipsoid", "core_shell_cylinder")
EFFICIENCY, HALF_WIDTH = 0.01, 12.0
#: Bins of the cosine between q and axis; points of an integral over axes, and of one over a sector.
BINS, AXES, AZIMUTHS = 3000, 240, 9
POINTS = 90
#: Samples of two sectors whose curves are fitted alone to compare the CPU time.
COSTED = (1, 3, 5)
TOGETHER, ALONE = "together", "alone"


def density_of_cosines(strength: float, turn: float, half_width: float = HALF_WIDTH) -> Array:
    """Share of each bin of |cos| between q and axes, over a sector: a sum over axes and azimuths."""
    polar, weight = np.polynomial.legendre.leggauss(AXES)
    around = 2 * np.pi * (np.arange(AXES) + 0.5) / AXES
    weight = weight * np.exp(strength * (polar**2 - 1))
    sine = np.sqrt(1 - polar**2)
    shares = np.zeros(BINS)
    for azimuth in np.radians(turn + half_width * np.linspace(-1, 1, 2 * AZIMUTHS + 1)[1::2]):
        cosine = np.abs(np.cos(azimuth) * polar[:, None] + np.sin(azimuth) * sine[:, None] * np.cos(around))
        bins = np.minimum((cosine * BINS).astype(int), BINS - 1)
        shares += np.bincount(bins.ravel(), np.repeat(weight, AXES), BINS)
    return shares / shares.sum()


def order_of(strength: float) -> float:
    """⟨P₂⟩, by a sum."""
    cosine = (np.arange(4000) + 0.5) / 4000
    weight = np.exp(strength * (cosine**2 - 1))
    return float(weight @ (1.5 * cosine**2 - 0.5) / weight.sum())


def _disc(x: Array) -> Array:
    x = np.where(np.abs(x) < 1e-9, 1e-9, x)
    return 2 * j1(x) / x


def _cylinder(q: Array, cosine: Array, radius: float, length: float) -> Array:
    along, across = q * cosine, q * np.sqrt(1 - cosine**2)
    return np.pi * radius**2 * length * _disc(across * radius) * np.sinc(along * length / 2 / np.pi)


def amplitude(form: str, sizes: Mapping[str, float], radius: float, q: Array, cosine: Array) -> Array:
    """Amplitude of one particle, contrasts in 10⁻⁶ Å⁻² times Å³."""
    if form == "cylinder":
        return 3.0 * _cylinder(q, cosine, radius, sizes["length"])
    if form == "ellipsoid":
        x = q * np.sqrt((radius * np.sqrt(1 - cosine**2)) ** 2 + (sizes["radius_polar"] * cosine) ** 2)
        return 3.0 * 4 * np.pi * radius**2 * sizes["radius_polar"] * (np.sin(x) - x * np.cos(x)) / x**3
    t = sizes["thickness"]
    outer = _cylinder(q, cosine, radius + t, sizes["length"] + 2 * t)
    return 3.0 * outer + (sizes["sld_core"] - 4.0) * _cylinder(q, cosine, radius, sizes["length"])


def average_sizes(
    size: float, width: float, q: Array, square: Callable[[float, Array, Array], Array]
) -> Array:
    """`square` of a size, q and cosines, (q, cosines), averaged over a normal distribution of the size."""
    cosine = (np.arange(BINS) + 0.5) / BINS
    numbers = np.linspace(-3, 3, 13)
    shares = np.exp(-(numbers**2) / 2)
    squares = np.zeros((q.size, BINS))
    for z, share in zip(numbers, shares / shares.sum(), strict=True):
        squares += share * square(size * (1 + width * z), q[:, None], cosine)
    return squares


def draw_sizes(form: str, rng: np.random.Generator) -> dict[str, float]:
    radius, ratio = (
        float(rng.uniform(15, 60)),
        float(rng.choice([rng.uniform(0.1, 0.35), rng.uniform(2.5, 9)])),
    )
    if form == "ellipsoid":
        return {"radius_equatorial": radius, "radius_polar": radius * ratio}
    if form == "cylinder":
        return {"radius": radius, "length": 2 * radius * ratio}
    core = float(rng.choice([-1.0, 6.0]))
    return {
        "radius": radius,
        "thickness": float(rng.uniform(8, 20)),
        "length": 60 + radius * ratio,
        "sld_core": core,
    }


def _count(intensity: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Measured values and their errors."""
    error = np.sqrt((0.015 * intensity) ** 2 + 2e-4 * intensity + 1e-6)
    efficiency = 1 + EFFICIENCY * rng.standard_normal()
    return efficiency * intensity + error * rng.standard_normal(intensity.size), error


def draw_oriented(index: int) -> tuple[str, dict[str, float], list[Curve]]:
    """Form, truth and sectors of a sample."""
    rng = np.random.default_rng([index, 73])
    form = FORMS[index % len(FORMS)]
    sizes, strength = draw_sizes(form, rng), float(np.exp(rng.uniform(np.log(0.7), np.log(14.0))))
    director = float(rng.uniform(0, 180))
    azimuths = (director, director + 90) if index % 2 else (0.0, 60.0, 120.0)
    azimuths = tuple(round(a % 180, 1) for a in azimuths)
    if index % 2:
        director = azimuths[0]
    q = np.geomspace(0.004, 0.3, POINTS)
    name, width = "radius_equatorial" if form == "ellipsoid" else "radius", float(rng.uniform(0.04, 0.15))
    radius = sizes["radius_equatorial" if form == "ellipsoid" else "radius"]
    squares = average_sizes(radius, width, q, lambda size, *to: amplitude(form, sizes, size, *to) ** 2)
    squares /= np.mean(squares[0])
    curves = []
    for azimuth in azimuths:
        intensity = 5 * squares @ density_of_cosines(strength, azimuth - director) + 0.02
        measured, error = _count(intensity, rng)
        curves.append(Curve(q, measured, error, file=f"s{azimuth:g}.dat", sector=Sector(azimuth, HALF_WIDTH)))
    return form, sizes | {f"{name}_pd": width, "p2": order_of(strength), "director": director}, curves


def draw_magnetic(index: int, is_magnetic: bool) -> tuple[float, list[Curve]]:
    """Magnetic over nuclear contrast of spheres with a shell, and sectors along and across the field."""
    rng = np.random.default_rng([index, 74, is_magnetic])
    ratio = float(rng.uniform(0.3, 1.2)) if is_magnetic else 0.0
    q, radius = np.geomspace(0.005, 0.25, POINTS), float(rng.uniform(25, 90))
    squares = np.zeros(POINTS)
    for z in np.linspace(-2.5, 2.5, 15):
        x = q * radius * (1 + 0.1 * z)
        squares += np.exp(-(z**2) / 2) * ((np.sin(x) - x * np.cos(x)) / q**3) ** 2
    squares *= 3 / squares[0]
    curves = []
    for azimuth in (0.0, 90.0):
        angles = np.radians(azimuth + HALF_WIDTH * np.linspace(-1, 1, 41))
        measured, error = _count(squares * (1 + ratio**2 * np.mean(np.sin(angles) ** 2)) + 0.02, rng)
        curves.append(Curve(q, measured, error, file=f"m{azimuth:g}.dat", sector=Sector(azimuth, HALF_WIDTH)))
    return ratio, curves


def solve(contestant: str, index: int, _: int) -> dict[str, Any]:
    """What a fit of all sectors says of a sample, beside the truth; or the time of fits of each alone."""
    form, truth, curves = draw_oriented(index)
    pool = this_process()
    started = time.process_time()
    if contestant == ALONE:
        models = [fit_with(pool, curve, FitOptions()).best for curve in curves]
        seconds = time.process_time() - started
        names = "/".join(best.name if best else "" for best in models)
        return {"index": index, "model": names, "success": True, "seconds": seconds}
    result = fit_sample(pool, sample_of(curves), FitOptions())
    seconds = time.process_time() - started
    best = result.best
    named = next((fit for fit in result.fits if fit.model == form), None)
    is_oriented = best is not None and "p2" in best.parameters
    off = list_pulls(truth, named.parameters) if named and is_oriented else {}
    return {
        "index": index, "form": form, "model": best.model if best else "", "p2": truth["p2"],
        "success": bool(best and best.model == form), "seconds": seconds, "off": off,
        "p2_off": best.parameters["p2"].value - truth["p2"] if best and is_oriented else np.nan,
        "chisq": best.reduced_chisq if best else np.nan,
        "alike": [fit.model for fit in result.fits if fit.alike],
    }  # fmt: skip


def list_pulls(truth: Mapping[str, float], parameters: Mapping[str, Any]) -> dict[str, float]:
    """Fitted minus true values over their errors."""
    off = {}
    for name, value in truth.items():
        p = parameters.get(name)
        if p is not None and p.error:
            turn = round((p.value - value) / 180) * 180 if name == "director" else 0
            off[name] = (p.value - value - turn) / p.error
    return off


def table(
    rows: Sequence[Mapping[str, Any]], alone: Sequence[Mapping[str, Any]],
    magnetic: Sequence[tuple[float, Any]], plain: Sequence[Any],
) -> str:  # fmt: skip
    """Shares of samples that are found."""
    n = len(rows)
    near = [parts for ratio, parts in magnetic if abs(parts.contrast[0] - ratio) < 3 * parts.contrast[1]]
    close = [parts for ratio, parts in magnetic if abs(parts.contrast[0] / ratio - 1) < 0.1]
    lengths = [value for row in rows for name, value in row["off"].items() if name not in ("p2", "director")]
    seconds = {row["index"]: row["seconds"] for row in rows}
    costs = [seconds[row["index"]] / row["seconds"] for row in alone]
    lines = [
        ["right form first", f"{sum(row['success'] for row in rows)} of {n}"],
        ["right form first or indistinguishable",
         f"{sum(row['form'] in (row['model'], *row['alike']) for row in rows)} of {n}"],
        ["called isotropic, sectors within 5 % of their mean",
         f"{sum(bool(np.isnan(row['p2_off'])) for row in rows)} of {n}"],
        ["P₂ within 0.05", f"{sum(abs(row['p2_off']) < 0.05 for row in rows)} of {n}"],
        ["sizes within 3 errors", f"{sum(abs(value) < 3 for value in lengths)} of {len(lengths)}"],
        ["CPU-seconds, median", f"{np.median([row['seconds'] for row in rows]):.1f}"],
        ["magnetic samples called so", f"{sum(parts.is_seen for _, parts in magnetic)} of {len(magnetic)}"],
        ["magnetic contrast within 10 %", f"{len(close)} of {len(magnetic)}"],
        ["magnetic contrast within 3 errors", f"{len(near)} of {len(magnetic)}"],
        ["non-magnetic samples called magnetic", f"{sum(parts.is_seen for parts in plain)} of {len(plain)}"],
        *(["CPU time of two sectors over single fits", f"{np.mean(costs):.2f}, {np.max(costs):.2f} at most"]
          for _ in costs[:1]),
    ]  # fmt: skip
    return markdown(["question", "answer"], lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of(__doc__, work=True, count=60)
    parser.add_argument("--cost", action="store_true", help="compare with the time of single fits")
    parser.add_argument("--third", type=int, choices=(0, 1, 2), help="only every third sample")
    asked = parser.parse_args(arguments)
    numbers = range(asked.third or 0, asked.count, 1 if asked.third is None else 3)
    rows = run(solve, TOGETHER, numbers, 0, asked.work, 1)
    costed = [index for index in numbers if index in COSTED] if asked.cost else []
    alone = run(solve, ALONE, costed, 0, asked.work, 1)
    magnetic = [draw_magnetic(i, True) for i in numbers]
    separated = [(ratio, separate_magnetism(sample_of(curves, {"field": 0}))) for ratio, curves in magnetic]
    plain = [separate_magnetism(sample_of(draw_magnetic(i, False)[1], {"field": 0})) for i in numbers]
    text = "# Sectors\n\n" + table(rows, alone, separated, plain)
    show(text, asked.write, __file__)
    return 0
