"""Are magnetic spheres found from sectors and spin states, and what is said of measured samples?

``python -m benchmarks fitting/magnetism --count N`` draws N samples of magnetic spheres by formulas of its
own: every other one with a shell, and with unpolarised neutrons or both spin states; a part of them with a
non-magnetic layer. Cores have a magnetic density of 0.3 to 1.2 of their nuclear contrast. ``--s50`` fits the
sectors of iron oxide nanospheres that sasdata ships, and ``--af1410 FILE`` tells of canSAS's
``cs_af1410.xml`` how precipitates in steel change with ageing. ``--write`` keeps the tables.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin import load
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.data.sample.sample import Polarisation, Sample
from sasnet_plugin.data.sample.sectors import separate_magnetism
from sasnet_plugin.fitting.ledger import Ledger
from sasnet_plugin.fitting.strategy.magnetic import fit_magnetic
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.fitting.verdict.sample import add_magnetism, add_sample_verdict
from sasnet_plugin.types import Curve, ModelGuess, Sector, Suggestion

from ..common import markdown, parser_of, show, this_process

Array = np.ndarray
HALF_WIDTH, POINTS, EFFICIENCY = 10.0, 90, 0.9
#: Half-width of S50's sectors, degrees: that of the image's points that give the same curves.
S50_HALF_WIDTH = 5.0
#: q between which precipitates scatter more than the laths of the steel, Å⁻¹.
PRECIPITATES = (0.03, 0.06)


def _amplitude(q: Array, radius: float) -> Array:
    x = q * radius
    return 4 * np.pi * (np.sin(x) - x * np.cos(x)) / q**3


def draw(index: int) -> tuple[dict[str, float], Sample]:
    """Truth and curves of a sample."""
    rng = np.random.default_rng([index, 75])
    radius, ratio = float(rng.uniform(30, 80)), float(rng.uniform(0.3, 1.2))
    layer = float(rng.choice([0.0, rng.uniform(0.06, 0.18) * radius]))
    thickness, contrast = (float(rng.uniform(10, 25)), -1.5) if index % 2 else (0.0, 0.0)
    q = np.geomspace(0.005, 0.25, POINTS)
    squares, crossed, magnetic = (np.zeros(POINTS) for _ in range(3))
    for z in np.linspace(-2.5, 2.5, 21):
        size, share = radius * (1 + 0.08 * z), np.exp(-(z**2) / 2)
        n = (1 - contrast) * _amplitude(q, size) + contrast * _amplitude(q, size + thickness)
        m = ratio * _amplitude(q, size - layer)
        squares, crossed, magnetic = squares + share * n**2, crossed + share * n * m, magnetic + share * m**2
    unit = 3 / (squares[0] + magnetic[0])
    curves = []
    for azimuth in (0.0, 90.0):
        sine = np.mean(np.sin(np.radians(azimuth + HALF_WIDTH * np.linspace(-1, 1, 201))) ** 2)
        for spin, sign in (("+", 1), ("-", -1)) if index % 4 > 1 else (("", 0),):
            exact = unit * (squares + sine * (magnetic + 2 * sign * EFFICIENCY * crossed)) + 0.02
            error = np.sqrt((0.01 * exact) ** 2 + 1e-4 * exact + 1e-6)
            measured = exact * (1 + 0.005 * rng.standard_normal()) + error * rng.standard_normal(POINTS)
            sector = Sector(azimuth, HALF_WIDTH)
            curves.append(Curve(q, measured, error, file=f"{azimuth:g}{spin}", sector=sector, spin=spin))
    sample = replace(sample_of(curves, {"field": 0, "kind": "sectors", "spins": {}}), told=True)
    truth = {"radius": radius, "ratio": ratio, "magnetic": radius - layer}
    return truth, replace(sample, polarisation=Polarisation(EFFICIENCY))


def fit(sample: Sample, options: FitOptions = FitOptions()) -> Any:  # noqa: B008
    """Spheres in a field, with what is said of them."""
    parts = separate_magnetism(sample)
    ledger = Ledger(this_process(), time.monotonic() + 600, most=600)
    errors = tuple(np.asarray(curve.dintensity) for curve in sample.curves)
    guess = Suggestion("", "", (ModelGuess("sphere", None, 1.0, ""),), (), 1.0)
    result = fit_magnetic(ledger, sample, errors, options, parts.contrast[0], guess)
    return add_magnetism(add_sample_verdict(result, options), parts, sample, options)


def judge(index: int) -> dict[str, Any]:
    """What a fit says of a sample, relative to the truth."""
    truth, sample = draw(index)
    started = time.process_time()
    best = fit(sample).best
    name = "sld_core" if best.model == "core_shell_sphere" else "sld"
    values = {key: p.value for key, p in best.parameters.items()}
    contrast = abs(values["sld_magnetic"] / (values[name] - values["sld_solvent"]))
    size = values["radius"] - values["nonmagnetic_layer"]
    return {
        "index": index, "model": best.model, "shell": bool(index % 2), "explained": not best.lacking(),
        "contrast": contrast / truth["ratio"] - 1, "magnetic": size / truth["magnetic"] - 1,
        "radius": values["radius"] / truth["radius"] - 1, "seconds": time.process_time() - started,
    }  # fmt: skip


def table(rows: Sequence[dict[str, Any]]) -> str:
    n = len(rows)

    def near(*names: str) -> str:
        return f"{sum(all(abs(row[name]) < 0.1 for name in names) for row in rows)} of {n}"

    shells = sum(row["shell"] == (row["model"] == "core_shell_sphere") for row in rows)
    lines = [
        ["sphere or core-shell sphere rightly", f"{shells} of {n}"],
        ["core radius within 10 %", near("radius")],
        ["magnetic radius within 10 %", near("magnetic")],
        ["magnetic over nuclear contrast within 10 %", near("contrast")],
        ["magnetic profile (both) within 10 %", near("magnetic", "contrast")],
        ["CPU-seconds, median", f"{np.median([row['seconds'] for row in rows]):.1f}"],
    ]
    return markdown(["question", "answer"], lines)


def list_s50() -> Sample:
    """Curves of sasdata's sample S50; its images name the spin states the other way round."""
    import sasdata

    folder = Path(str(sasdata.__file__)).parent / "example_data" / "magnetic_data"
    curves = []
    for name, azimuth in (("horiz", 0.0), ("vert", 90.0)):
        for flipper, spin in (("+", "-"), ("-", "+")):
            curve = load(folder / f"S50_15kG_{name}Sector_RF{flipper}.txt")[0]
            curves.append(replace(curve, sector=Sector(azimuth, S50_HALF_WIDTH), spin=spin))
    return replace(sample_of(curves, {"field": 0, "kind": "sectors", "spins": {}}), told=True)


def list_ageing(file: Path) -> str:
    """Magnetic over nuclear scattering, of all and of precipitates, and their size at each ageing time."""
    pairs: dict[float, list[Curve]] = {}
    for curve in load(file):
        hours = re.search(r"aged ([\d.]+) h", curve.entry)
        assert hours
        pairs.setdefault(float(hours[1]), []).append(curve)
    lines = []
    for hours_aged, curves in sorted(pairs.items()):
        if len(curves) < 2:
            lines.append([f"{hours_aged:g}", "one sector alone", "", "", ""])
            continue
        curves = [replace(c, sector=Sector(a, 15.0)) for c, a in zip(curves, (0.0, 90.0), strict=True)]
        lines.append([f"{hours_aged:g}", *_describe_precipitates(curves)])
    header = ["ageing, h", "M²/N²", "M²/N² of precipitates", "radius, Å", "reduced χ²"]
    return markdown(header, lines)


def _describe_precipitates(curves: Sequence[Curve]) -> list[str]:
    from scipy.optimize import least_squares

    parts = separate_magnetism(sample_of(curves, {"field": 0, "kind": "sectors"}))
    nuclear, magnetic = parts.nuclear, parts.magnetic
    q, error = nuclear.q, np.asarray(nuclear.dintensity)
    rows = (q > PRECIPITATES[0]) & (q < PRECIPITATES[1])
    weight = np.asarray(magnetic.dintensity)[rows] ** -2
    n, m = nuclear.intensity[rows], magnetic.intensity[rows]
    sum_of_squares = weight @ n**2
    of_all = f"{parts.ratio:.2f} ± {parts.error:.2f}"
    of_precipitates = f"{weight @ (m * n) / sum_of_squares:.2f} ± {sum_of_squares**-0.5:.2f}"

    def residual(x: Array) -> Array:
        spheres = np.zeros(q.size)
        for z in np.linspace(-2.5, 2.5, 21):
            spheres += np.exp(-(z**2) / 2) * _amplitude(q, np.exp(x[0] + x[1] * z)) ** 2
        columns = np.stack([spheres, q**-4.0, np.ones(q.size)], axis=1) / error[:, None]
        columns /= np.linalg.norm(columns, axis=0)
        return (
            columns @ np.linalg.lstsq(columns, nuclear.intensity / error, rcond=None)[0]
            - nuclear.intensity / error
        )

    fits = [least_squares(residual, [np.log(r), 0.3], bounds=([2.0, 0.05], [5.5, 0.6])) for r in (25.0, 60.0)]
    best = min(fits, key=lambda found: found.cost)
    chisq = 2 * best.cost / (q.size - 5)
    deviation = np.sqrt(np.linalg.pinv(best.jac.T @ best.jac)[0, 0] * max(chisq, 1.0))
    radius = float(np.exp(best.x[0]))
    return [of_all, of_precipitates, f"{radius:.0f} ± {radius * deviation:.0f}", f"{chisq:.1f}"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of(__doc__, count=10)
    parser.add_argument("--s50", action="store_true", help="fit the sample S50 of sasdata")
    parser.add_argument("--af1410", type=Path, help="canSAS's cs_af1410.xml")
    asked = parser.parse_args(arguments)
    rows = []
    for index in range(asked.count):
        rows.append(judge(index))
        print(rows[-1], flush=True)
    text = "# Magnetic spheres\n\n" + table(rows)
    if asked.s50:
        text += f"\n## S50\n\n{fit(list_s50()).verdict.headline}\n"
    if asked.af1410:
        text += f"\n## AF1410 steel\n\n{list_ageing(asked.af1410)}"
    show(text, asked.write, __file__)
    return 0
