"""From a clean pattern to counts on a detector with its stray light and faults, drawn anew each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ....simulate.draws import Prior, draw_all
from ....types import Image
from ...simulation.artefacts import count_unevenly
from ..reading.frame import Window
from .patterns import DECADES

#: Pixels of a side of the detector; its largest circle is the window.
PIXELS = 96
WINDOW = Window((PIXELS, PIXELS), ((PIXELS - 1) / 2, (PIXELS - 1) / 2), PIXELS / 2)

MEASUREMENT = {
    "counts": Prior("loguniform 1e2 1e7", "", "of the particle within the window, mask applied, expected"),
    "stray": Prior("loguniform 0.003 0.5", "", "light from slits and windows over the particle's", 0.7),
    "reach": Prior("uniform 0.1 0.5", "", "over which it falls by e, in radii of the window"),
    "flat": Prior("loguniform 0.003 0.3", "", "flat background over the particle's counts", 0.8),
    "empty": Prior("loguniform 1e1 1e6", "", "counts of an image without a particle, all stray light"),
    "hole": Prior("uniform 0.03 0.16", "", "radius of the hole for the beam, in radii of the window"),
    "centre": Prior(
        "uniform -1.5 1.5", "pixels", "what the centre is wrong by, each way, of 48 to the edge", 0.6
    ),
    "gap": Prior("uniform 0.02 0.1", "", "width of a gap between detectors, in radii of the window", 0.35),
    "beside": Prior("uniform -0.35 0.35", "", "beam off the detector's middle, in radii of the window", 0.2),
    "uneven": Prior("uniform 0 0.06", "", "scatter of the pixels' gain, not known", 0.7),
    "dead": Prior("integer 0 20", "pixels", "masked", 0.5),
    "saturation": Prior(
        "loguniform 0.003 0.1", "", "share of pixels over the detector's limit, masked", 0.15
    ),
}


def project_on_detector(
    picture: NDArray[np.floating], theta: float, turn: float, off: tuple[float, float]
) -> Floats:
    """Project a pattern over q, log intensity (m, m), on a flat detector (PIXELS, PIXELS)."""
    # `theta` is the scattering angle at the window's edge and `turn` about the beam, radians; `off` the true
    # centre less the stated one, pixels.
    from scipy.ndimage import map_coordinates

    pixels = np.arange(PIXELS) - (PIXELS - 1) / 2
    x, y = (pixels[None, :] - off[0]) / WINDOW.edge, (pixels[:, None] - off[1]) / WINDOW.edge
    radius = np.hypot(x, y)
    # On a flat detector the radius goes as tan θ, q across the beam as sin θ.
    stretch = np.cos(np.arctan(radius * np.tan(theta))) / np.cos(theta)
    half = len(picture) / 2
    c, s = np.cos(turn) * stretch * half, np.sin(turn) * stretch * half
    column, row = c * x + s * y + half - 0.5, c * y - s * x + half - 0.5
    projected = map_coordinates(picture.astype(np.float32), [row, column], order=1, mode="nearest")
    return np.asarray(np.where(radius <= 1, 10.0 ** projected.astype(np.float64), 0.0))


def simulate_measurement(
    picture: Floats,
    rng: np.random.Generator,
    exposure: float | None = None,
    *,
    hit: bool = True,
    fixed: Mapping[str, float] | None = None,
) -> Image:
    """Simulate counts of a pattern (PIXELS, PIXELS) on a detector with its faults."""
    # `exposure` is the expected counts of the particle, drawn by default; without a `hit` there is stray
    # light alone; `fixed` sets `MEASUREMENT` values that one detector shares.
    values = draw_all(MEASUREMENT, rng) | dict(fixed or {})
    pixels = np.asarray((np.arange(PIXELS) - (PIXELS - 1) / 2) / WINDOW.edge, dtype=np.float64)
    radius = np.hypot(pixels[:, None], pixels[None, :])
    mask = _mask(values, pixels, radius, rng)
    inside = radius <= 1
    stray = np.exp(-radius / values["reach"]) * inside
    if hit:
        expected = picture / max(float(picture[mask].sum()), 1e-300) * (exposure or values["counts"])
        level = float(expected[mask].sum())
    else:
        expected, level = np.zeros_like(picture), min(exposure or np.inf, 10 * values["empty"])
        level = min(level, values["empty"])
        values["stray"], values["flat"] = rng.dirichlet((1, 1))
    for name, shape in (("stray", stray), ("flat", inside.astype(float))):
        expected = expected + shape * (values[name] * level / max(float(shape[mask].sum()), 1e-9))
    counts = count_unevenly(expected, values["uneven"], rng)
    if values["saturation"]:
        mask &= counts < np.quantile(counts[mask], 1 - values["saturation"]) + 5
    return Image(np.where(mask, counts, 0.0), mask, WINDOW)


def _mask(
    values: Mapping[str, float], pixels: Floats, radius: Floats, rng: np.random.Generator
) -> NDArray[np.bool_]:
    mask = (radius <= 1) & (radius > values["hole"])
    place, across = rng.choice([0.0, rng.uniform(-0.5, 0.5)]), rng.random() < 0.5
    if values["gap"]:
        line = np.abs(pixels - place) < values["gap"] / 2
        mask &= ~(line[:, None] if across else line[None, :])
    if values["beside"]:
        far = pixels * np.sign(values["beside"]) > 1 - abs(values["beside"])
        mask &= ~(far[:, None] if across else far[None, :])
    for row, column in rng.integers(PIXELS, size=(round(values["dead"]), 2)):
        mask[row, column] = False
    return mask


def shot(
    row: Mapping[str, Any],
    rng: np.random.Generator,
    exposure: float | None = None,
    fixed: Mapping[str, float] | None = None,
) -> Image:
    """A measurement of a stored pattern, turned anew; `fixed` as in `simulate_measurement`."""
    off = MEASUREMENT["centre"](rng), MEASUREMENT["centre"](rng)
    if fixed and "centre" in fixed:
        off = fixed["centre"], fixed["centre"]
    picture = project_on_detector(
        row["picture"], row["parameters"]["theta"], float(rng.uniform(0, 2 * np.pi)), off
    )
    hit = float(np.max(row["picture"])) > -DECADES
    return simulate_measurement(picture, rng, exposure, hit=hit, fixed=fixed)
