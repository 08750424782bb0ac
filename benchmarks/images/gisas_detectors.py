"""Patterns as detectors of other sizes write them: is the inversion right, and what does it cost?

    python -m benchmarks images/gisas_detectors [--patterns 20] [--work W] [--write]

Geometries of the prior, seen by flat detectors whose pixels, distance, beam and counts are none of the
network's window: 200 to 1,000 pixels a side of 0.055 to 0.3 mm, the beam at any fraction of a pixel. Each
pixel is the sum over many points in it of what `simulate.gisas.lattice.lattice_sum` adds up term by term and
BornAgain says of the particles; files are written by fabio and read as any other. p(0°) = 0.7 and
p(30°) = 0.3.
"""

from __future__ import annotations

import math
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.simulate.gisas.basis import particles
from sasnet_plugin.simulate.gisas.geometry import Geometry
from sasnet_plugin.simulate.gisas.lattice import debye_waller, in_plane, lattice_sum
from sasnet_plugin.simulate.gisas.priors import sample_geometry
from sasnet_plugin.simulate.images.window import Window

from ..asked import parser_of
from ..kept import run
from ..tables import markdown

TABLE = Path(__file__).with_suffix(".md")
SEED = 61
#: Shares of the rotations of 0 and 30 degrees.
SHARES = ((0.0, 0.7), (30.0, 0.3))
#: Points across a pixel for each 1/ω of a peak's width; most of them; points up a pixel.
POINTS, MOST, UP = 6.0, 40, 2
#: Sides in pixels, widths of pixels in mm, half widths in degrees that the detector sees, counts.
SIDES, PIXELS, REACH, COUNTS = (200, 1000), (0.055, 0.3), (0.7, 1.2), (3e5, 2e7)


def expected(
    geometry: Geometry, shape: tuple[int, int], step: float, beam: tuple[float, float]
) -> NDArray[np.float64]:
    """What each pixel sees, first row on top, arbitrary scale; nothing below the horizon.

    Parameters
    ----------
    geometry : Geometry
    shape : (rows, columns)
    step : float
        Degrees from pixel to pixel.
    beam : (column, row)
        Of the direct beam.
    """
    rows, columns = shape
    peak = geometry.wavelength / (2 * np.pi * geometry.width)
    across = int(np.clip(math.ceil(POINTS * np.radians(step) / peak), 3, MOST))
    left = -(beam[0] + 0.5) * step
    bottom = -geometry.alpha_i - (rows - beam[1] - 0.5) * step
    limits = (left, left + columns * step), (bottom, bottom + rows * step)
    alpha, phi = Window(rows * UP, columns * across, *limits).directions()
    coarse = Window(rows * UP, max(columns // 2, 8), *limits)
    scattered = particles(geometry, coarse)
    found = np.zeros((rows, columns))
    from scipy.interpolate import CubicSpline

    middle = coarse.directions()[1]
    # A few rows at a time: all points at once need gigabytes.
    for first in range(0, rows * UP, 40 * UP):
        part = slice(first, min(first + 40 * UP, rows * UP))
        every, mean = (CubicSpline(middle, one[part], axis=1)(phi) for one in scattered)
        qx, qy = in_plane(phi, alpha[part], geometry.wavelength, geometry.alpha_i)
        weight = mean * debye_waller(qx, qy, geometry.position_spread)
        total = every.copy()
        for xi, share in SHARES:
            total += share * weight * (lattice_sum(qx, qy, geometry.lattice, geometry.width, xi) - 1)
        total *= (alpha[part] > 0)[:, None]
        found[first // UP : part.stop // UP] = total.reshape(-1, UP, columns, across).sum(axis=(1, 3))
    return found[::-1]


def scene(index: int, seed: int, folder: Path) -> tuple[Path, Geometry, dict[str, float]]:
    """A file, what it shows, and its setting."""
    from fabio.cbfimage import CbfImage

    rng = np.random.default_rng([seed, index])
    geometry = sample_geometry(rng)
    # A film in the middle of the range: at its ends nothing is measured.
    geometry = replace(geometry, oxide=float(rng.uniform(540, 660)))
    columns, rows = (int(n) for n in rng.integers(*SIDES, 2))
    reach, pixel = float(rng.uniform(*REACH)), float(np.exp(rng.uniform(*np.log(PIXELS))))
    step = 2 * reach / columns
    distance = pixel / math.tan(math.radians(step))
    beam = columns * float(rng.uniform(0.4, 0.6)), rows - float(rng.uniform(5.0, 60.0))
    rate = expected(geometry, (rows, columns), step, beam)
    counts = float(np.exp(rng.uniform(*np.log(COUNTS))))
    image = rng.poisson(counts * (0.97 * rate / rate.sum() + 0.03 / rate.size)).astype(np.int32)
    path = folder / f"pattern{index}.cbf"
    CbfImage(data=image).write(str(path))
    path.with_suffix(".toml").write_text(
        f"wavelength = {geometry.wavelength!r}\nalpha_i = {geometry.alpha_i!r}\ndistance = {distance!r}\n"
        f"pixel_size = {pixel!r}\ndirect_beam = [{beam[0]!r}, {beam[1]!r}]\n"
    )
    return path, geometry, {"columns": columns, "rows": rows, "counts": counts}


def solve(_: str, index: int, seed: int) -> dict[str, Any]:
    """One pattern, from the file to the verified answer."""
    from sasnet_plugin.data.images import load_images
    from sasnet_plugin.fitting.orientation.answer import guess_of
    from sasnet_plugin.fitting.orientation.invert import invert
    from sasnet_plugin.predict.predictor import open_predictor

    with tempfile.TemporaryDirectory() as folder:
        path, truth, said = scene(index, seed, Path(folder))
        began = time.process_time()
        (image,) = load_images(path)
        (answer,) = open_predictor("gisas_hex").answers([image])
        # As --verify does it: from what the network says, whether it knows such patterns or not.
        found = invert(image, guess_of(replace(answer, findings=answer.unsaid or answer.findings)))
    row: dict[str, Any] = {**said, "seconds": time.process_time() - began, "model": "", "index": index}
    near = np.minimum(found.xi, 60 - found.xi)
    weights = float(found.p[near <= 3].sum()), float(found.p[np.abs(found.xi - 30) <= 3].sum())
    row["weight"] = max(abs(w - share) for w, (_, share) in zip(weights, SHARES, strict=True))
    for name in ("lattice", "width", "radius", "oxide"):
        value, error, _ = found.geometry[name]
        row[name] = [value, error, getattr(truth, name)]
    row["known"], row["ends"] = bool(answer.known), list(found.ends)
    row["excess"] = (found.deviance - found.expected_deviance) / found.deviance_sd
    return row | {"in_scope": found.in_scope, "success": row["weight"] < 0.1}


def table(rows: list[dict[str, Any]]) -> str:
    """What was found, and at what cost."""
    seconds = np.array([row["seconds"] for row in rows])
    off = {
        name: np.array(
            [(row[name][0] - row[name][2]) / row[name][1] for row in rows if name not in row["ends"]]
        )
        for name in ("lattice", "width", "radius", "oxide")
    }
    found = [
        ["patterns", f"{len(rows)}"],
        ["both weights within 0.1", f"{sum(row['success'] for row in rows)}"],
        ["explained (deviance within 4 σ)", f"{sum(row['excess'] < 4 for row in rows)}"],
        ["in_scope above 0.5", f"{sum(row['in_scope'] > 0.5 for row in rows)}"],
        ["CPU-s, median", f"{np.median(seconds):.1f}"],
        ["CPU-s, most", f"{seconds.max():.1f}"],
        *(
            [f"{name}: within two errors", f"{np.mean(np.abs(x) <= 2):.0%} of {x.size}"]
            for name, x in off.items()
        ),
    ]
    return markdown(("", ""), found)


def main() -> None:
    """Answer and print."""
    parser = parser_of(__doc__, patterns=20)
    parser.add_argument("--work", type=Path, default=Path("work"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    rows = run(solve, "gisas_detectors", options.patterns, SEED, options.work, 1)
    said = table(rows)
    print(said)
    if options.write:
        TABLE.write_text(f"# Patterns of other detectors\n\n{said}", encoding="utf-8")


if __name__ == "__main__":
    main()
