"""Simple curves of the field in closed form, alone and with a power law: which come near, and from where.

Gels, networks, polymer solutions and dense particles often show one smooth term, a power law of large
structures at low q, and a background. Such curves cost nothing to calculate, so a grid of each term's
parameter with a grid of exponents is compared with the data, the scales and the background solved for.
Formulas: L. S. Ornstein and F. Zernike, Proc. Akad. Sci. Amsterdam 17 (1914) 793; P. Debye, J. Phys. Colloid
Chem. 51 (1947) 18; A. Guinier, Ann. Phys. 12 (1939) 161; B. Hammouda, J. Appl. Cryst. 43 (2010) 716;
P. Debye, H. R. Anderson, H. Brumberger, J. Appl. Phys. 28 (1957) 679; Lord Rayleigh, Proc. R. Soc. A 84
(1911) 25.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from ...arrays import Floats
from ...simulate.bank import BANK_STEP, LOG_Q_MIN
from ...types import Curve, sum_parts
from ..problem.sums import as_part
from ..settings import START_VALUES
from .curve_bank import Binned, bin_curve
from .second_component import two_scales

#: Parameters of a term, in sasmodels' units.
Values = dict[str, float]


@dataclass(frozen=True)
class NearSum:
    """A simple curve that comes near the data, as the start of a fit."""

    model: str  #: sasmodels' name of a model, or of a sum of two.
    starts: tuple[dict[str, Any], ...]  #: The nearest first.
    residual: float  #: Mean squared residual over the uncertainty plus a few per cent of I.


def _lorentz(q: Floats, p: Values) -> Floats:
    return np.asarray(1 / (1 + (q * p["cor_length"]) ** 2))


def _debye(q: Floats, p: Values) -> Floats:
    x = np.maximum((q * p["rg"]) ** 2, 1e-4)
    return np.asarray(2 * (np.expm1(-x) + x) / x**2)


def _guinier(q: Floats, p: Values) -> Floats:
    return np.asarray(np.exp(-((q * p["rg"]) ** 2) / 3))


def _debye_bueche(q: Floats, p: Values) -> Floats:
    return np.asarray(1 / (1 + (q * p["cor_length"]) ** 2) ** 2)


def _guinier_porod(q: Floats, p: Values) -> Floats:
    rg, exponent = p["rg"], p["porod_exp"]
    transition = np.sqrt(1.5 * exponent) / rg
    tail = np.exp(-exponent / 2) * (transition / q) ** exponent
    return np.asarray(np.where(q < transition, _guinier(q, p), tail))


def _sphere(q: Floats, p: Values) -> Floats:
    """Averaged over a Gaussian distribution of radii, weighted by their volume squared."""
    width = p.get("radius_pd", 0.0)
    ratios = 1 + width * np.linspace(-3, 3, 25) if width else np.ones(1)
    weight = np.exp(-(((ratios - 1) / (width or 1.0)) ** 2) / 2) * ratios**6
    x = np.maximum(q * p["radius"] * ratios[:, None], 1e-2)
    return np.asarray(weight @ (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 / weight.sum())


def _peak(q: Floats, p: Values) -> Floats:
    off = np.abs(q - p["peak_pos"]) * p["correlation_length"]
    return np.asarray(1 / (1 + off**2) ** p["shape_exp"])


@dataclass(frozen=True)
class _Term:
    """A term in closed form."""

    formula: Callable[[Floats, Values], Floats]
    grid: Callable[[float, float], Iterator[Values]]  #: Of the smallest and the largest q, Å⁻¹.


def _lengths(name: str, **ranges: tuple[float, ...]) -> Callable[[float, float], Iterator[Values]]:
    def grid(low: float, high: float) -> Iterator[Values]:
        for length in np.geomspace(0.7 / high, 4 / low, START_VALUES.simple_lengths):
            for values in product(*ranges.values()):
                yield {name: float(length), **dict(zip(ranges, values, strict=True))}

    return grid


def _peaks(low: float, high: float) -> Iterator[Values]:
    places = np.geomspace(low, high, 2 * START_VALUES.simple_lengths)[1:-1]
    for place, sharpness, exponent in product(places, START_VALUES.simple_sharpness, (1.0, 2.0)):
        length = sharpness / float(place)
        yield {"peak_pos": float(place), "correlation_length": length, "shape_exp": exponent}


_TERMS: dict[str, _Term] = {
    "lorentz": _Term(_lorentz, _lengths("cor_length")),
    "mono_gauss_coil": _Term(_debye, _lengths("rg")),
    "guinier": _Term(_guinier, _lengths("rg")),
    "dab": _Term(_debye_bueche, _lengths("cor_length")),
    "guinier_porod": _Term(_guinier_porod, _lengths("rg", porod_exp=START_VALUES.simple_exponents, s=(0.0,))),
    "sphere": _Term(_sphere, _lengths("radius", radius_pd=START_VALUES.simple_widths)),
    "peak": _Term(_peak, _peaks),
}
_PEAK = "peak"
#: Models of no known shape whose curves have neither fringes nor peaks.
SMOOTH = frozenset({*(name for name in _TERMS if name not in ("sphere", _PEAK)), "power_law", "porod",
    "correlation_length"})  # fmt: skip
_POWER = "power_law"
#: Those and a peak beside a power law: no sizes of particles, and all their minima are near the grid's.
SIMPLE_CURVES = SMOOTH | {"broad_peak"}


def is_smooth_sum(model: str) -> bool:
    """Whether all components are smooth terms: no particles, whose sizes would have a distribution."""
    return all(part in SMOOTH for part in sum_parts(model))


def find_near_simple_sums(curve: Curve, dintensity: Floats) -> list[NearSum]:
    """List simple models whose curves come near the data, the nearest first."""
    data = bin_curve(curve, dintensity, START_VALUES.simple_tolerance)
    if data.intensity.size < START_VALUES.simple_least_points:
        return []
    near_sums = sorted(_rate_simple_sums(data), key=lambda near_sum: near_sum.residual)
    least = near_sums[0].residual
    if least > START_VALUES.simple_far and near_sums[1].residual < START_VALUES.simple_stands_out * least:
        return []
    most = START_VALUES.simple_near * least + START_VALUES.simple_margin
    return [near_sum for near_sum in near_sums if near_sum.residual <= most]


def _rate_simple_sums(data: Binned) -> Iterator[NearSum]:
    q = np.exp(LOG_Q_MIN + BANK_STEP * data.columns)
    low = float(q[0])
    exponents = START_VALUES.simple_powers
    powers = _smear_and_normalise([(q / low) ** -exponent for exponent in exponents], data)
    no_second = np.zeros((1, powers.shape[1]))
    power_residuals = two_scales(powers, no_second, data)[:, 0]
    best_index = int(np.argmin(power_residuals))
    yield _make_near_sum(_POWER, [{"power": exponents[best_index]}], float(power_residuals[best_index]), data)
    for name in _TERMS:
        rows, exact = _calculate_grid(name, int(data.columns[0]), int(data.columns[-1]))
        curves = _smear_and_normalise(exact, data)
        if name != _PEAK:
            residuals = two_scales(curves, no_second, data)[:, 0]
            best = _distinct(residuals, rows)
            yield _make_near_sum(name, [dict(rows[i]) for i in best], float(residuals[best[0]]), data)
        pair_residuals = two_scales(curves, powers, data)
        yield from _add_power_law(name, rows, pair_residuals, exponents, data)


@lru_cache(maxsize=2 * len(_TERMS))
def _calculate_grid(name: str, first: int, last: int) -> tuple[list[Values], Floats]:
    """Values tried of a term, and its curves (k, c) at points of the bank's grid: those of one instrument are
    the same for all its measurements.
    """
    q = np.exp(LOG_Q_MIN + BANK_STEP * np.arange(first, last + 1))
    rows = list(_TERMS[name].grid(float(q[0]), float(q[-1])))
    return rows, np.array([_TERMS[name].formula(q, row) for row in rows])


def _smear_and_normalise(curves: Sequence[Floats] | Floats, data: Binned) -> Floats:
    """(k, m) in the bins of the data, resolution included, each with its largest value 1."""
    smeared = np.array(curves) @ data.matrix
    return np.asarray(
        smeared / np.maximum(np.max(np.abs(smeared), axis=1), 1e-300)[:, None], dtype=np.float64
    )


def _make_near_sum(model: str, starts: list[dict[str, Any]], residual: float, data: Binned) -> NearSum:
    return NearSum(model, tuple(starts), residual / data.intensity.size)


def _distinct(residual: Floats, rows: list[Values]) -> list[int]:
    order = [int(i) for i in np.argsort(residual)]
    name = next(iter(rows[0]))
    distant = (i for i in order if abs(np.log(rows[i][name] / rows[order[0]][name])) > 1.0)
    return [order[0], *(i for i in [next(distant, -1)] if i >= 0)]


def _add_power_law(
    name: str, rows: list[Values], pair_residuals: Floats, exponents: tuple[float, ...], data: Binned
) -> Iterator[NearSum]:
    """The term with a power law, as sasmodels has it: a sum of two, or a model that holds both."""
    best = _distinct(pair_residuals.min(axis=1), rows)
    value = float(pair_residuals[best[0]].min())
    pairs = [(rows[i], exponents[int(np.argmin(pair_residuals[i]))]) for i in best]
    if name == _PEAK:
        yield _make_near_sum(
            "broad_peak", [_broad_peak(row, power, data) for row, power in pairs], value, data
        )
        return
    starts = [as_part(_own(name, row), 0) | as_part({"power": power}, 1) for row, power in pairs]
    yield _make_near_sum(f"{name}+{_POWER}", starts, value, data)
    if name == "lorentz":
        starts = [_correlation_length(row, power, data) for row, power in pairs]
        yield _make_near_sum("correlation_length", starts, value, data)


def _own(name: str, row: Values) -> dict[str, float]:
    return row | ({"i_zero": 1.0} if name == "mono_gauss_coil" else {})


def _correlation_length(row: Values, power: float, data: Binned) -> dict[str, float]:
    share = _power_law_share(_lorentz, row, power, data)
    return {**row, "lorentz_exp": 2.0, "lorentz_scale": 1.0, "porod_exp": power, "porod_scale": share}


def _broad_peak(row: Values, power: float, data: Binned) -> dict[str, float]:
    share = _power_law_share(_peak, row, power, data)
    defaults = {"width_exp": 2.0, "peak_scale": 1.0}
    return {**row, **defaults, "porod_exp": power, "porod_scale": share}


def _power_law_share(
    formula: Callable[[Floats, Values], Floats], row: Values, power: float, data: Binned
) -> float:
    """Scale of a power law over that of the term beside it, both as sasmodels has them."""
    q = np.exp(LOG_Q_MIN + BANK_STEP * data.columns)
    columns = np.stack([formula(q, row), q**-power, np.ones(q.size)]) @ data.matrix
    length = np.maximum(np.abs(columns).max(axis=1), 1e-300)
    root = np.sqrt(data.weight)
    matrix = (columns / length[:, None] * root).T
    term, surface, _ = np.linalg.lstsq(matrix, data.intensity * root, rcond=None)[0] / length
    return float(max(surface / term, 0.0)) if term > 0 else 0.0
