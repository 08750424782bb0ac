"""Are sizes and direction of oriented particles found from reduced images, by formulas of others?

``python -m benchmarks fitting/oriented_images --work W`` draws cylinders and ellipsoids, long and flat, as
``fitting/sectors`` does: axes distributed by Maier and Saupe, amplitudes by numpy. Each is averaged over axes
and sizes in two dimensions, blurred by a pinhole instrument, counted, and written as other programs do. The
image is fitted whole, and cut into sectors. Others of four particles are fitted with the particle named.
``--write`` keeps the tables.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import j1

from sasnet_plugin import cut_sectors, fit_image
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.api import fit_sample
from sasnet_plugin.fitting.task import FitOptions

from ..common import markdown, parser_of, run, show, this_process
from .sectors import amplitude, average_sizes, density_of_cosines, draw_sizes, order_of

Array = np.ndarray
FORMS = ("cylinder", "ellipsoid")
#: Particles that are named to the fit, and the size of each that is distributed.
NAMED = {
    "core_shell_cylinder": "radius", "parallelepiped": "length_a",
    "elliptical_cylinder": "radius_minor", "triaxial_ellipsoid": "radius_equat_minor",
}  # fmt: skip
WAYS = ("whole image", "six sectors", "particle named")
#: Images of named particles over those of cylinders and ellipsoids, and turns about the axis.
_SHARE, _ABOUT = 0.4, 24
#: Pixels along a side, and q at the middle of a side, Å⁻¹.
SIDE, Q_MAX = 128, 0.18
#: σ of the wavelength over its mean at most, and of q by slits and pixels, Å⁻¹.
WAVELENGTHS, SLITS = 0.06, 0.0012
#: What is tabulated: points of q, and directions of a quarter turn.
_POINTS, _TURNS = 260, 46


def square(form: str, sizes: Mapping[str, float], radius: float, q: Array, cosine: Array) -> Array:
    """Squared amplitude, averaged over turns about the axis for particles that are not round."""
    if form in FORMS or form == "core_shell_cylinder":
        return amplitude(form, sizes, radius, q, cosine) ** 2
    along, across = q * cosine, q * np.sqrt(1 - cosine**2)
    turns = (np.arange(_ABOUT) + 0.5) * np.pi / 2 / _ABOUT
    angled = [(across * np.cos(turn), across * np.sin(turn)) for turn in turns]
    return np.mean([flat_amplitude(form, sizes, radius, x, y, along) ** 2 for x, y in angled], axis=0)


def flat_amplitude(form: str, sizes: Mapping[str, float], size: float, x: Array, y: Array, z: Array) -> Array:
    """Amplitude of a particle with three axes of its own, `size` along the first."""
    if form == "parallelepiped":
        sides = size, sizes["length_b"], sizes["length_c"]
        waves = [np.sinc(q * side / 2 / np.pi) for q, side in zip((x, y, z), sides, strict=True)]
        return np.prod(sides) * waves[0] * waves[1] * waves[2]
    if form == "elliptical_cylinder":
        major, length = size * sizes["axis_ratio"], sizes["length"]
        u = np.maximum(np.hypot(x * size, y * major), 1e-9)
        return size * major * length * np.sinc(z * length / 2 / np.pi) * 2 * j1(u) / u
    major, polar = sizes["radius_equat_major"], sizes["radius_polar"]
    u = np.sqrt((x * size) ** 2 + (y * major) ** 2 + (z * polar) ** 2)
    return size * major * polar * (np.sin(u) - u * np.cos(u)) / u**3


def draw_named(form: str, rng: np.random.Generator) -> dict[str, float]:
    """Sizes of a particle by sasmodels' names."""
    if form == "core_shell_cylinder":
        return draw_sizes(form, rng)
    first, second = float(rng.uniform(15, 40)), float(rng.uniform(1.4, 2.5))
    third = first * float(rng.choice([0.5, 5.0])) * float(rng.uniform(0.8, 1.25))
    if form == "parallelepiped":
        return {"length_a": 2 * first, "length_b": 2 * first * second, "length_c": 2 * third}
    if form == "elliptical_cylinder":
        return {"radius_minor": first, "axis_ratio": second, "length": 2 * third}
    return {"radius_equat_minor": first, "radius_equat_major": first * second, "radius_polar": third}


def tabulate(form: str, sizes: Mapping[str, float], width: float, strength: float, q: Array) -> Array:
    """I(q, angle to the director), (q, turns), averaged over sizes and axes."""
    size = sizes[{"ellipsoid": "radius_equatorial", **NAMED}.get(form, "radius")]
    squares = average_sizes(size, width, q, partial(square, form, sizes))
    turns = np.linspace(0, 90, _TURNS)
    return squares @ np.stack([density_of_cosines(strength, turn, 1.0) for turn in turns], axis=1)


def blur(table: Array, q: Array, qx: Array, qy: Array, director: float, spread: float) -> Array:
    """Intensity of each pixel: a mean over q along it and across it, by Gauss and Hermite."""
    from scipy.interpolate import RectBivariateSpline

    look = RectBivariateSpline(np.log(q), np.linspace(0, 90, _TURNS), np.log(table))
    middle, angle = np.hypot(qx, qy), np.degrees(np.arctan2(qy, qx)) - director
    along = np.hypot(SLITS, spread * middle)
    nodes, weights = np.polynomial.hermite_e.hermegauss(7)
    total = np.zeros_like(qx)
    for x, first in zip(nodes, weights, strict=True):
        for y, second in zip(nodes, weights, strict=True):
            radial, sideways = middle + x * along, y * SLITS
            turned = angle + np.degrees(np.arctan2(sideways, radial))
            place = np.clip(np.log(np.hypot(radial, sideways)), np.log(q[0]), np.log(q[-1]))
            away = np.abs((turned + 90) % 180 - 90)
            total += first * second * np.exp(look.ev(place, away))
    return total / weights.sum() ** 2


def write(path: Path, index: int, pixels: Mapping[str, Array], seen: Array) -> Path:
    """A file of NXcanSAS, of NIST's ASCII, or of columns without and with the resolution."""
    if index % 4 == 3:
        import h5py

        path = path.with_suffix(".h5")
        with h5py.File(path, "w") as file:
            group = file.create_group("sasentry01/sasdata01")
            group.attrs["canSAS_class"] = "SASdata"
            for name, values in pixels.items():
                group[name] = np.where(seen, values, np.nan) if name in ("I", "Idev") else values
            group["Qx"].attrs["units"] = group["Qy"].attrs["units"] = "1/angstrom"
        return path
    names = {
        "Qx": "Qx", "Qy": "Qy", "I": "I(QxQy)", "Idev": "err(I)",
        "dQl": "SigmaQ_parall", "dQw": "SigmaQ_perp",
    }  # fmt: skip
    columns, heads = list(pixels.values()), list(names.values())
    head, rows = "   ".join(heads), seen
    if index % 4 == 1:
        columns, head = columns[:4], "   ".join(heads[:4])
    if index % 4 == 2:
        columns, head, rows = (
            [*columns, seen.astype(float)],
            " - ".join([*heads, "fSubS"]),
            np.ones_like(seen),
        )
        head = f"ASCII data created by a reduction\n{head}"
    np.savetxt(path, np.stack([column[rows] for column in columns], axis=-1), fmt="%.6g", header=head)
    return path


def draw(index: int, folder: Path, form: str = "") -> tuple[str, dict[str, float], Path]:
    """Form, truth and the file of an image."""
    rng = np.random.default_rng([index, 75])
    is_named, form = bool(form), form or FORMS[index % 2]
    sizes = draw_named(form, rng) if is_named else draw_sizes(form, rng)
    strength = float(np.exp(rng.uniform(np.log(0.7), np.log(14.0))))
    width, director = float(rng.uniform(0.04, 0.15)), float(rng.uniform(0, 180))
    axis = (np.arange(SIDE) - SIDE / 2 + 0.5) * 2 * Q_MAX / SIDE
    qx, qy = np.meshgrid(axis, axis)
    q = np.geomspace(1e-3, 1.6 * Q_MAX, _POINTS)
    spread = float(np.random.default_rng([index, 76]).uniform(0, WAVELENGTHS))
    intensity = blur(tabulate(form, sizes, width, strength, q), q, qx, qy, director, spread)
    seen = np.hypot(qx, qy) > 0.007
    intensity *= 1 / intensity[seen].mean()
    rate = intensity + float(np.exp(rng.uniform(np.log(0.01), np.log(0.1))))
    counts = rng.poisson(float(np.exp(rng.uniform(np.log(1e5), np.log(2e6)))) * rate / rate[seen].sum())
    scale = rate[seen].sum() / counts[seen].sum()
    pixels = {
        "Qx": qx, "Qy": qy, "I": scale * counts, "Idev": scale * np.sqrt(np.maximum(counts, 1)),
        "dQl": np.hypot(SLITS, spread * np.hypot(qx, qy)), "dQw": np.full_like(qx, SLITS),
    }  # fmt: skip
    across, along = ("radius_equatorial", "radius_polar") if form == "ellipsoid" else ("radius", "length")
    if is_named:
        truth = {**sizes, f"{NAMED[form]}_pd": width}
    else:
        truth = {"across": sizes[across], "along": sizes[along], "width": width}
    path = write(folder / f"image_{index}.dat", index, pixels, seen)
    return form, truth | {"p2": order_of(strength), "director": director}, path


def name_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a fit by the names of the truth."""
    names = {"radius_polar": "along", "length": "along", "radius": "across", "radius_equatorial": "across"}
    names |= {"radius_pd": "width", "radius_equatorial_pd": "width", "p2": "p2", "director": "director"}
    return {names[name]: value for name, value in values.items() if name in names}


def judge(form: str, truth: Mapping[str, float], model: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """How far a fit is from the truth: sizes in errors, P₂, and the direction in degrees."""
    named = {**values, **name_values(values)}
    sizes = truth.keys() - {"p2", "director"}
    off = {name: abs(named[name].value - truth[name]) / named[name].error for name in sizes}
    turn = abs((named["director"].value - truth["director"] + 90) % 180 - 90)
    order = abs(named["p2"].value - truth["p2"])
    return {"model": model, "success": model == form, "off": off, "turn": float(turn), "p2": float(order)}


def solve(way: str, index: int, _: int) -> dict[str, Any]:
    """A fit of a whole image, of its sectors, or of a named particle."""
    with tempfile.TemporaryDirectory() as folder:
        models = [list(NAMED)[index % len(NAMED)]] if way == WAYS[2] else None
        form, truth, path = draw(index, Path(folder), models[0] if models else "")
        started = time.process_time()
        if way != WAYS[1]:
            fit = fit_image(path, models=models)
            row = judge(form, truth, fit.body, fit.values)
            row["success"] = fit.verified if models else row["success"]
        else:
            best = fit_sample(this_process(), sample_of(cut_sectors(path)), FitOptions()).best
            assert best is not None
            row = judge(form, truth, best.model, best.parameters)
        return {"index": index, "seconds": time.process_time() - started} | row


def table(rows: Mapping[str, Sequence[Mapping[str, Any]]], first: str) -> str:
    """Shares of images that are found in each way; `first` says what success is."""
    ways = list(rows)

    def count(hit: Callable[[Mapping[str, Any]], bool]) -> list[str]:
        return [f"{sum(map(hit, rows[way]))} of {len(rows[way])}" for way in ways]

    def share(most: float) -> list[str]:
        sizes = [[off for row in rows[way] for off in row["off"].values()] for way in ways]
        return [f"{100 * np.mean(np.array(offs) < most):.0f} %" for offs in sizes]

    def spend(choose: Callable[[Array], float]) -> list[str]:
        return [f"{choose(np.array([row['seconds'] for row in rows[way]])):.1f}" for way in ways]

    lines = [
        [first, *count(lambda row: row["success"])],
        ["direction within 3°", *count(lambda row: row["turn"] < 3)],
        ["P₂ within 0.05", *count(lambda row: row["p2"] < 0.05)],
        [f"{first}, all sizes within 3 errors",
         *count(lambda row: row["success"] and max(row["off"].values()) < 3)],
        ["sizes within 1 error", *share(1)],
        ["sizes within 2 errors", *share(2)],
        ["CPU-seconds, median", *spend(np.median)],
        ["CPU-seconds, most", *spend(np.max)],
    ]  # fmt: skip
    return markdown(["question", *ways], lines)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parser_of(__doc__, work=True, count=20).parse_args(arguments)
    counts = (asked.count, asked.count, round(_SHARE * asked.count))
    rows = {way: run(solve, way, n, 0, asked.work, 1) for way, n in zip(WAYS, counts, strict=True)}
    named = {way: rows.pop(way) for way in WAYS[2:]}
    text = "\n".join(["# Oriented images\n", table(rows, "right form"), table(named, "verified")])
    show(text, asked.write, __file__)
    return 0
