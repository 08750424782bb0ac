"""Curves that a formula of three numbers explains: lines, powers, exponentials, Guinier's law, parabolas.

Windows of real measurements can look like that (Porod's and Guinier's laws are two of them), and so do
columns that are no scattering at all. In both cases the points fix no model, and that is to be said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.uncertainty import MAX_REDUCED_CHI2, chi2_of_basis

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ShapeSettings:
    """When a curve is one of the shapes.

    Parameters
    ----------
    points : int
        Of the coarse comparison; most curves are none of the shapes on so few.
    tolerance : float
        Of the intensity, added to the uncertainties in it: what the steps of the grids leave.
    leeway : (float, float)
        Factor on the limit of the reduced chi² there: on the grid, whose steps are coarse, and
        refined, for the scatter of so few points.
    limit : float
        Of the reduced chi² for the other shapes; for power laws it is that of training, which leaves them
        out.
    most : int
        Points of the fine comparison, in which the parameter is refined.
    span : float
        Largest over smallest intensity (95 % and 5 % quantiles) up to which nothing but a level is seen.
    rise : float
        Mean intensity of the last fifth of the points over that of the first, from which on a curve rises;
        scattering falls.
    """

    points: int = 24
    tolerance: float = 0.03
    leeway: tuple[float, float] = (30.0, 3.0)
    limit: float = 1.25
    most: int = 500
    span: float = 1.25
    rise: float = 1.5


SETTINGS = ShapeSettings()

# Name, basis of (parameter, q over the largest), values of the parameter; each with a factor and a constant.
_STEEP = np.geomspace(0.1, 30.0, 40)
_ROUNDS = 3  # each makes the steps a quarter


def _power(p: Array, x: Array) -> Array:
    return np.exp(-p * np.log(x))


_SHAPES: tuple[tuple[str, Callable[[Array, Array], Array], Array], ...] = (
    ("A straight line", lambda p, x: p * x, np.ones(1)),
    ("A power law plus a constant", _power, np.arange(-4.0, 8.01, 0.1)),
    (
        "An exponential plus a constant",
        lambda p, x: np.exp(p * x - np.maximum(p, 0)),
        np.concatenate([-_STEEP[::-1], _STEEP]),
    ),
    ("Guinier's law plus a constant", lambda p, x: np.exp(-((p * x) ** 2)), _STEEP),
    ("A parabola", lambda p, x: (x - p) ** 2, np.linspace(-0.5, 1.5, 41)),
)


def simple_shape(q: Array, intensity: Array, sigma: Array) -> str:
    """Name of the first shape that explains a curve within its uncertainties; empty where none does.

    Parameters
    ----------
    q : (n,) float array
        Å⁻¹, ascending and positive.
    intensity, sigma : (n,) float arrays
        Of the same unit; sigma positive.
    """
    few, many = _thinned(q.size, SETTINGS.points), _thinned(q.size, SETTINGS.most)
    x = q / q[-1]
    soft = np.hypot(sigma[few], SETTINGS.tolerance * intensity[few])
    looks = (x[few], intensity[few], soft), (x[many], intensity[many], sigma[many])
    for name, basis, grid in _SHAPES:
        limit = MAX_REDUCED_CHI2 if basis is _power else SETTINGS.limit
        limits = [limit * leeway for leeway in (*SETTINGS.leeway, 1.0)]
        rounds = (looks[0], 1), (looks[0], _ROUNDS), (looks[1], _ROUNDS)
        for (points, number), most in zip(rounds, limits, strict=True):
            for _ in range(number):
                chi2 = _reduced(basis(grid[:, None], points[0]), *points[1:])
                best = int(np.argmin(chi2))
                grid = np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)], 9)
            if chi2[best] > most:
                break
        else:
            return name
    return ""


def level(intensity: Array) -> str:
    """What is to be said of a curve that hardly varies, or rises; empty for others."""
    low, high = np.quantile(intensity, (0.05, 0.95))
    if low > 0 and high / low < SETTINGS.span:
        return f"The intensity varies by less than {100 * (SETTINGS.span - 1):.0f} %"
    fifth = max(intensity.size // 5, 1)
    first, last = float(np.mean(intensity[:fifth])), float(np.mean(intensity[-fifth:]))
    if last > SETTINGS.rise * max(first, 0.0) and last >= 0.5 * float(np.max(intensity)):
        return "The intensity rises with q, where scattering falls"
    return ""


def _thinned(size: int, points: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, size - 1, min(size, points)).astype(np.intp))


def _reduced(basis: Array, intensity: Array, sigma: Array) -> Array:
    chi2 = chi2_of_basis(basis, intensity[None], 1 / sigma[None] ** 2)
    return chi2 / max(intensity.size - 3, 1)
