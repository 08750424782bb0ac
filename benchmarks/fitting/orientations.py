"""Are shape, sizes and orientation found from sectors, whatever the distribution of particle axes?

``python -m benchmarks fitting/orientations --work W`` draws 120 oriented samples by formulas in numpy:
cylinders, discs, prolate and oblate ellipsoids, and boxes. Their axes are distributed about a director by
Maier and Saupe, by a Gaussian, by a wrapped Lorentzian, by a narrow Gaussian with an isotropic part, or in a
girdle across it. All sizes have Gaussian distributions of 0 to 12 %, each of its own. Six sectors are counted
with errors of 1 to 3 %. The last third is drawn with ``--seed``. ``--quarter`` does every fourth sample.
Answers are kept in W; ``--write`` keeps the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import j1

from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.api import fit_sample
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.types import Curve, Sector

from ..common import markdown, parser_of, run, show, this_process
from .sectors import list_pulls

Array = np.ndarray
COUNT, SEEDED = 120, 80
SHAPES = ("cylinder", "prolate ellipsoid", "oblate ellipsoid", "disc", "box")
MODELS = dict(zip(SHAPES, ("cylinder", "ellipsoid", "ellipsoid", "cylinder", "parallelepiped"), strict=True))
DISTRIBUTIONS = ("Maier-Saupe", "Gaussian", "wrapped Lorentzian", "partly isotropic", "girdle")
Q = np.geomspace(0.004, 0.3, 70)
AZIMUTHS, HALF_WIDTH = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0), 12.0
#: Bins of the cosine between q and axis; polar angles, turns about the director, and azimuths of a sector.
BINS, POLAR, TURNS, WITHIN = 2000, 360, 180, 41
#: Sizes of a distribution, and points of a table of a factor of the amplitude.
NODES, TABLE = 17, 40_000


def draw_density(name: str, rng: np.random.Generator) -> Callable[[Array], Array]:
    """Density of axes per solid angle, of polar angles 0 to π/2 from the director."""
    if name == "Maier-Saupe":
        strength = float(np.exp(rng.uniform(np.log(1.5), np.log(25.0))))
        return lambda polar: np.exp(-strength * np.sin(polar) ** 2)
    if name == "Gaussian":
        width = np.radians(rng.uniform(8, 35))
        return lambda polar: np.exp(-0.5 * (polar / width) ** 2)
    if name == "wrapped Lorentzian":
        width = np.radians(rng.uniform(4, 20))
        return lambda polar: 1 / (np.cosh(2 * width) - np.cos(2 * polar))
    if name == "girdle":
        width = np.radians(rng.uniform(6, 30))
        return lambda polar: np.exp(-0.5 * ((polar - np.pi / 2) / width) ** 2)
    width, share = np.radians(rng.uniform(2, 12)), float(rng.uniform(0.2, 0.7))
    polar = (np.arange(20_000) + 0.5) * np.pi / 40_000
    aligned = np.sum(np.exp(-0.5 * (polar / width) ** 2) * np.sin(polar)) * np.pi / 40_000
    return lambda polar: (1 - share) * np.exp(-0.5 * (polar / width) ** 2) / aligned + share


def order_of(density: Callable[[Array], Array]) -> float:
    """⟨P₂⟩, by a sum."""
    polar = (np.arange(20_000) + 0.5) * np.pi / 40_000
    weight = density(polar) * np.sin(polar)
    return float(weight @ (1.5 * np.cos(polar) ** 2 - 0.5) / weight.sum())


def sum_over_sector(density: Callable[[Array], Array], turn: float) -> Array:
    """Share of each bin of |cos| between q and axes: a sum over axes and over azimuths of the sector."""
    # Closer where the density may be narrow: at the director and across it.
    steps = (np.arange(POLAR) + 0.5) / POLAR
    polar = np.pi / 2 * (steps - np.sin(4 * np.pi * steps) / (4.4 * np.pi))
    weight = density(polar) * np.sin(polar) * (1 - np.cos(4 * np.pi * steps) / 1.1)
    around = 2 * np.pi * (np.arange(TURNS) + 0.5) / TURNS
    shares = np.zeros(BINS)
    for azimuth in np.radians(turn + HALF_WIDTH * np.linspace(-1, 1, 2 * WITHIN + 1)[1::2]):
        cosine = np.cos(azimuth) * np.cos(polar)[:, None] + np.sin(azimuth) * np.outer(
            np.sin(polar), np.cos(around)
        )
        bins = np.minimum((np.abs(cosine) * BINS).astype(int), BINS - 1)
        shares += np.bincount(bins.ravel(), np.repeat(weight, TURNS), BINS)
    return shares / shares.sum()


def spread(size: float, width: float) -> tuple[Array, Array]:
    """Sizes of a Gaussian distribution and their shares."""
    numbers = np.linspace(-3.2, 3.2, NODES)
    shares = np.exp(-(numbers**2) / 2)
    return size * (1 + width * numbers), shares / shares.sum()


def average_slab(length: float, width: float, x: Array) -> Array:
    """Square of the amplitude of a slab, averaged over lengths, at components of q."""
    grid = np.linspace(0, x.max(), TABLE)
    lengths, shares = spread(length, width)
    table = sum(
        share * (each * np.sinc(grid * each / 2 / np.pi)) ** 2
        for each, share in zip(lengths, shares, strict=True)
    )
    return np.interp(x, grid, np.asarray(table))


def average_disc(radius: float, width: float, x: Array) -> Array:
    """Square of the amplitude of a disc, averaged over radii, at components of q."""
    grid = np.linspace(1e-9, x.max(), TABLE)
    radii, shares = spread(radius, width)
    table = sum(
        share * (2 * np.pi * each * j1(grid * each) / grid) ** 2
        for each, share in zip(radii, shares, strict=True)
    )
    return np.interp(x, grid, np.asarray(table))


def average_ellipsoid(sizes: Mapping[str, float], q: Array, cosine: Array) -> Array:
    """F² of ellipsoids, averaged over both radii."""
    equatorial, across_shares = spread(sizes["radius_equatorial"], sizes["radius_equatorial_pd"])
    polar, along_shares = spread(sizes["radius_polar"], sizes["radius_polar_pd"])
    grid = np.linspace(1e-3, q.max() * max(equatorial.max(), polar.max()) * 1.01, TABLE)
    table = ((np.sin(grid) - grid * np.cos(grid)) / grid**3) ** 2
    total = np.zeros(np.broadcast_shapes(q.shape, cosine.shape))
    for a, share in zip(equatorial, across_shares, strict=True):
        for b, part in zip(polar, along_shares, strict=True):
            x = q * np.sqrt((a * np.sqrt(1 - cosine**2)) ** 2 + (b * cosine) ** 2)
            total += share * part * (a * a * b) ** 2 * np.interp(x, grid, table)
    return total


def square(shape: str, sizes: Mapping[str, float], q: Array, cosine: Array) -> Array:
    """F² at q and cosines to the axis, up to a factor, averaged over sizes."""
    if "ellipsoid" in shape:
        return average_ellipsoid(sizes, q, cosine)
    along, across = q * cosine, q * np.sqrt(1 - cosine**2)
    if shape != "box":
        disc = average_disc(sizes["radius"], sizes["radius_pd"], across)
        return disc * average_slab(sizes["length"], sizes["length_pd"], along)
    total = np.zeros(across.shape)
    for turn in np.pi / 2 * (np.arange(36) + 0.5) / 36:
        first = average_slab(sizes["length_a"], sizes["length_a_pd"], across * np.sin(turn))
        total += first * average_slab(sizes["length_b"], sizes["length_b_pd"], across * np.cos(turn))
    return total * average_slab(sizes["length_c"], sizes["length_c_pd"], along)


def draw_sizes(shape: str, rng: np.random.Generator) -> dict[str, float]:
    if shape == "cylinder":
        radius = float(rng.uniform(15, 45))
        sizes = {"radius": radius, "length": 2 * radius * float(rng.uniform(2.5, 7))}
    elif shape == "disc":
        radius = float(rng.uniform(50, 110))
        sizes = {"radius": radius, "length": 2 * radius * float(rng.uniform(0.12, 0.35))}
    elif shape == "prolate ellipsoid":
        radius = float(rng.uniform(15, 40))
        sizes = {"radius_equatorial": radius, "radius_polar": radius * float(rng.uniform(2.5, 7))}
    elif shape == "oblate ellipsoid":
        radius = float(rng.uniform(50, 110))
        sizes = {"radius_equatorial": radius, "radius_polar": radius * float(rng.uniform(0.15, 0.4))}
    else:
        first = float(rng.uniform(20, 40))
        second = first * float(rng.uniform(1.3, 2.5))
        sizes = {"length_a": first, "length_b": second, "length_c": second * float(rng.uniform(2, 4))}
    return sizes | {f"{name}_pd": float(rng.uniform(0, 0.12)) for name in sizes}


def smear(q: Array, relative: float) -> Array:
    """Matrix of a Gaussian resolution dq/q, from q to `Q`."""
    weights = np.exp(-0.5 * ((q - Q[:, None]) / (relative * Q[:, None])) ** 2) * np.gradient(q)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def draw_sample(
    index: int, seed: int = 0, relative_dq: float = 0.0
) -> tuple[str, str, dict[str, float], list[Curve]]:
    """Shape, distribution, truth and sectors of a sample, with a resolution that is not given or none."""
    rng = np.random.default_rng([index, 91, seed])
    shape, distribution = SHAPES[index % 5], DISTRIBUTIONS[index // 5 % 5]
    sizes, density = draw_sizes(shape, rng), draw_density(distribution, rng)
    director, noise = float(rng.uniform(0, 180)), float(rng.uniform(0.01, 0.03))
    cosine = (np.arange(BINS) + 0.5) / BINS
    q = np.geomspace(Q[0] / 1.6, 1.6 * Q[-1], 300) if relative_dq else Q
    squares = square(shape, sizes, q[:, None], cosine)
    squares = smear(q, relative_dq) @ squares if relative_dq else squares
    squares /= np.mean(squares[0])
    curves = []
    for azimuth in AZIMUTHS:
        intensity = 10 * squares @ sum_over_sector(density, azimuth - director) + 0.01
        error = np.sqrt((noise * intensity) ** 2 + 1e-4 * intensity + 1e-7)
        measured = intensity + error * rng.standard_normal(intensity.size)
        sector = Sector(azimuth, HALF_WIDTH)
        curves.append(Curve(Q, measured, error, file=f"s{azimuth:g}.dat", sector=sector))
    return shape, distribution, sizes | {"p2": order_of(density), "director": director}, curves


def solve(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """What a fit says of a sample, and the truth."""
    del contestant
    shape, distribution, truth, curves = draw_sample(index, seed)
    pool = this_process()
    started = time.process_time()
    result = fit_sample(pool, sample_of(curves), FitOptions())
    seconds = time.process_time() - started
    best = result.best
    values = {name: (p.value, p.error) for name, p in best.parameters.items()} if best else {}
    return {
        "index": index, "shape": shape, "distribution": distribution, "model": best.model if best else "",
        "success": bool(best and best.model == MODELS[shape]), "fits": result.explained, "seconds": seconds,
        "truth": truth, "values": values, "off": list_pulls(truth, best.parameters) if best else {},
        "turned": result.turned, "doubts": list(result.verdict.doubts),
        "chisq": best.reduced_chisq if best else np.nan,
        "alike": [fit.model for fit in result.fits if fit.alike],
    }  # fmt: skip


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Shares of samples that are found, of all and of each distribution."""
    groups = {"all": list(rows)} | {
        name: [row for row in rows if row["distribution"] == name] for name in DISTRIBUTIONS
    }
    groups = {name: group for name, group in groups.items() if group}
    questions = {
        "right form first": lambda row: [row["success"]],
        "right form first or indistinguishable":
            lambda row: [MODELS[row["shape"]] in (row["model"], *row["alike"])],
        "fits": lambda row: [row["fits"]],
        "P₂ within 0.05": lambda row: [abs(row["values"].get("p2", [9])[0] - row["truth"]["p2"]) < 0.05],
        "P₂ within 3 errors": lambda row: [abs(row["off"][n]) < 3 for n in ("p2",) if n in row["off"]],
        "direction within 3 errors": lambda row: [abs(row["off"].get("director", 99)) < 3],
        "sizes within 3 errors":
            lambda row: [abs(value) < 3 for name, value in row["off"].items()
                         if name not in ("p2", "director") and not name.endswith("_pd")],
        "widths within 3 errors":
            lambda row: [abs(value) < 3 for name, value in row["off"].items() if name.endswith("_pd")],
        "sign of P₂ wrong without a caution":
            lambda row: [row["values"].get("p2", [0])[0] * row["truth"]["p2"] <= 0 and not row["turned"]],
        "caution of another orientation": lambda row: [bool(row["turned"])],
    }  # fmt: skip
    lines = []
    for question, answers in questions.items():
        counted = [[each for row in group for each in answers(row)] for group in groups.values()]
        lines.append([question, *(f"{sum(answer)} of {len(answer)}" for answer in counted)])
    for name, value in (("median", np.median), ("largest", np.max)):
        seconds = [value([row["seconds"] for row in group]) for group in groups.values()]
        lines.append([f"CPU-seconds, {name}", *(f"{each:.1f}" for each in seconds)])
    return markdown(["question", *groups], lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of(__doc__, work=True, count=COUNT, seed=(1, "of the last third"))
    parser.add_argument("--quarter", action="store_true", help="only every fourth sample")
    asked = parser.parse_args(arguments)
    numbers = range(0, asked.count, 4 if asked.quarter else 1)
    rows = run(solve, "orientations", [i for i in numbers if i < SEEDED], 0, asked.work, 1)
    rows += run(solve, "orientations", [i for i in numbers if i >= SEEDED], asked.seed, asked.work, 1)
    seeded = f"\nThe last third of the samples has the seed {asked.seed}.\n"
    show("# Distributions of orientation\n\n" + table(rows) + seeded, asked.write, __file__)
    return 0
