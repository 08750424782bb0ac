"""The figure of a report that answers to the hand: uPlot, within the page, in place of its picture.

Without scripts, and on paper, the picture stays.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...fitting.result.fit_result import FitResult
from ...fitting.result.sample_result import SampleResult
from ...types import Curve
from .document import DASHES, FITS

#: Of uPlot, one file each, with its licence beside it.
_STATIC = Path(__file__).parents[2] / "web" / "static"
#: Digits of what is drawn: finer than any screen.
_DIGITS = 6

#: Below the page's own style.
STYLE = """
#plot .tools { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; margin: 6px 0; }
#plot button, .key button { font: inherit; font-size: 14px; color: inherit; background: none;
  padding: 2px 10px; border: 1px solid var(--line); border-radius: 6px; cursor: pointer; }
.key button { border-color: transparent; padding: 2px 4px; text-align: left; }
.key button[aria-pressed=false] { opacity: .45; text-decoration: line-through; }
#plot .tools button[aria-pressed=true] { background: var(--panel); border-color: var(--muted); }
#plot .readout { min-height: 20px; margin: 2px 0; font-variant-numeric: tabular-nums; }
#plot .u-select { background: var(--fit1); opacity: .15; }
.uplot { max-width: 100%; }
.printed { display: none; }
@media print { #plot { display: none; } .printed { display: block; } }
"""


def figure_of(picture: str, plot_data: dict[str, Any]) -> str:
    """Return a picture and what replaces it where scripts run, of `fit_plot` or `sample_plot`."""
    # Nothing in it may end the element, whatever a file's title says.
    data = json.dumps(plot_data, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")
    return (
        f'<figure id="still">{picture}</figure><div id="plot" hidden></div>'
        f'<script type="application/json" id="plot-data">{data}</script>'
    )


@cache
def scripts() -> tuple[str, ...]:
    """What runs in the page: uPlot, then the figure."""
    return (
        (_STATIC / "uplot.min.js").read_text(encoding="utf-8").strip(),
        (Path(__file__).with_name("plot.js")).read_text(encoding="utf-8"),
    )


@cache
def style() -> str:
    """The style sheets of both."""
    return (_STATIC / "uplot.min.css").read_text(encoding="utf-8") + STYLE


def fit_plot(result: FitResult, fit_count: int) -> dict[str, Any]:
    """Return data and the first `fit_count` fits with residuals for the page's script."""
    from ...fitting.verdict.equals import worth_showing

    q, fits = result.curve.q, worth_showing(result.fits)[:fit_count]
    return {
        "axis": result.curve.intensity_label,
        "points": [_points(q, result.curve.intensity, result.dintensity, "data", "data", None)],
        "lines": [
            _series(q, fit.theory, fit.short_name, FITS[k], k) | {"dash": [1.4 * d for d in DASHES[k]]}
            for k, fit in enumerate(fits)
        ],
        "residuals": [
            _series(q, (result.curve.intensity - fit.theory) / result.dintensity, fit.short_name, FITS[k], k)
            for k, fit in enumerate(fits)
        ],
    }


def sample_plot(result: SampleResult) -> dict[str, Any]:
    """Return all curves, moved apart by powers of ten, and the best joint fit, for the script."""
    best, plot_data = result.best, {"axis": "I(q), moved apart", "points": [], "lines": [], "residuals": []}
    points: list[Any] = []
    lines: list[Any] = []
    residuals: list[Any] = []
    for i, curve in enumerate(result.sample.curves):
        name, colour = Path(result.sample.files[i]).name, FITS[i % len(FITS)]
        error, factor = result.dintensities[i], 10.0 ** (len(result.sample.curves) - 1 - i)
        points.append(_points(curve.q, factor * curve.intensity, factor * error, name, colour, i))
        if best is not None:
            lines.append(_series(curve.q, factor * best.theories[i], name, colour, i))
            residuals.append(_series(curve.q, (curve.intensity - best.theories[i]) / error, name, colour, i))
    return plot_data | {"points": points, "lines": lines, "residuals": residuals}


def curve_plot(curve: Curve, name: str, nearest: tuple[NDArray[Any], NDArray[Any]] | None) -> dict[str, Any]:
    """Return a curve, with a line not fitted to it (q in Å⁻¹, intensity), for the page's script."""
    error = np.zeros(len(curve)) if curve.dintensity is None else curve.dintensity
    lines = [] if nearest is None else [_series(*nearest, name, FITS[0], 0) | {"dash": []}]
    points = [_points(curve.q, curve.intensity, error, "data", "data", None)]
    return {"axis": curve.intensity_label, "points": points, "lines": lines, "residuals": []}


def _points(
    q: NDArray[Any],
    intensity: NDArray[Any],
    error: NDArray[Any],
    name: str,
    colour: str,
    curve_index: int | None,
) -> dict[str, Any]:
    return _series(q, intensity, name, colour, curve_index) | {"e": _numbers(error)}


def _series(
    q: NDArray[Any], y: NDArray[Any], name: str, colour: str, curve_index: int | None
) -> dict[str, Any]:
    """`curve_index`: which entry of the key hides it; None for none."""
    return {"name": name, "colour": colour, "of": curve_index, "q": _numbers(q), "y": _numbers(y)}


def _numbers(values: Sequence[float] | NDArray[Any]) -> list[float | None]:
    """Replace infinities, which JSON does not know, by None."""
    return [
        float(f"{v:.{_DIGITS}g}") if math.isfinite(v) else None
        for v in np.asarray(values, dtype=float).tolist()
    ]
