"""Starts of sums: two of the library's curves, and simple curves in closed form.

The second is a term without a body, at a few values of its only parameter; or the same body in another size;
or, where a user names such a sum, the bank's nearest curves of another body.

Gels, networks, polymer solutions and dense particles often show one smooth term, a power law of large
structures at low q, and a background. Such curves cost nothing to calculate, so a grid of each term's
parameter with a grid of exponents is compared with the data, the scales and the background solved for.
Formulas: L. S. Ornstein and F. Zernike, Proc. Akad. Sci. Amsterdam 17 (1914) 793; P. Debye, J. Phys. Colloid
Chem. 51 (1947) 18; A. Guinier, Ann. Phys. 12 (1939) 161; B. Hammouda, J. Appl. Cryst. 43 (2010) 716;
P. Debye, H. R. Anderson, H. Brumberger, J. Appl. Phys. 28 (1957) 679; Lord Rayleigh, Proc. R. Soc. A 84
(1911) 25.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats
from ...simulate.bank import BANK_STEP, LOG_Q_MIN
from ...simulate.kernel import call
from ...simulate.priors import model_info
from ...types import Curve, SasnetError, sum_parts
from ..problem.free_parameters import sharp
from ..problem.sums import as_part
from ..settings import ASSESSMENT, PROBLEM, START_VALUES
from .curve_bank import (
    Binned,
    NearCurve,
    bin_curve,
    is_near,
    measure_curves,
    nearest,
    scale_bank_row,
    search_grid,
)

if TYPE_CHECKING:
    from ...simulate.bank import Bank


# --- Sums of two curves of the library.

#: Terms without a body that samples add to one, each with its only parameter of shape and, where another one
#: is a second name of the scale, that: aggregates or interfaces, free polymer, fluctuations of a solution.
TERMS: dict[str, tuple[str, dict[str, float]]] = {
    "power_law": ("power", {}),
    "mono_gauss_coil": ("rg", {"i_zero": 1.0}),
    "lorentz": ("cor_length", {}),
}


@dataclass(frozen=True)
class Second:
    """Curves of the second component."""

    parameters: list[dict[str, Any]]
    curves: Floats  #: (k, m), in the bins of the data, each with its largest value 1.


def has_one_contrast(form: str) -> bool:
    """Whether a body is of one material: only its size distinguishes a second population of it."""
    names = [p.name for p in model_info(form).parameters.kernel_parameters if "sld" in p.name]
    return sum("solvent" not in name for name in names) == 1


def collect_fixed(model: str) -> dict[str, float]:
    """What a sum's fit keeps, as it is but another name of a component's scale."""
    fixed_values: dict[str, float] = {}
    for index, part in enumerate(sum_parts(model)):
        fixed_values |= as_part(TERMS[part][1], index) if part in TERMS and "+" in model else {}
    return fixed_values


def nearest_sums(bank: Bank, model: str, data: Binned, *, count: int = 4) -> list[NearCurve]:
    """Find at most `count` best sums of two different curves with their best scales and background, by rising
    weighted residual; the first may have a structure factor.
    """
    first, second = sum_parts(model)
    form, _, factor = first.partition("@")
    if form not in bank.models:
        return []
    page, shifts = bank.page(form), search_grid(form)
    second_curves, one_contrast = _second(bank, first, second, data), has_one_contrast(form)
    if second_curves is None or not len(second_curves.curves):
        return []
    # Of one the first is the nearest; of several many are looked at, as neighbours are no others.
    most = 1 if count == 1 else START_VALUES.looked_at * count
    ranked: list[tuple[float, dict[str, float], int]] = []
    for extra, measured in measure_curves(page, factor, data, shifts):
        pairs = _smallest_pairs(measured.reshape(-1, measured.shape[-1]), second_curves.curves, data, most)
        ranked += [(residual, extra, place) for residual, place in pairs]

    def build(extra: dict[str, float], place: int) -> dict[str, Any]:
        flat_index, second_index = divmod(place, len(second_curves.curves))
        row, shift = divmod(flat_index, shifts.size)
        first_parameters = scale_bank_row(page, form, factor, row, shifts, shift, extra)
        if one_contrast:
            first_parameters = _drop_contrasts(first_parameters)
        return as_part(first_parameters, 0) | as_part(second_curves.parameters[second_index], 1)

    ranked.sort(key=lambda pair: pair[0])
    return _select_distinct(
        ((residual, build(extra, place)) for residual, extra, place in ranked), count, data
    )


def _smallest_pairs(first: Floats, second: Floats, data: Binned, most: int) -> list[tuple[float, int]]:
    """List the smallest finite residuals of `two_scales`, in order, and their places among all pairs."""
    values, places = [], []
    for begin in range(0, len(first), _ROWS_AT_A_TIME):
        residuals = _two_scales(first[begin : begin + _ROWS_AT_A_TIME], second, data).ravel()
        near = np.argpartition(residuals, min(most, residuals.size) - 1)[:most]
        values.append(residuals[near])
        places.append(near + begin * len(second))
    all_values, all_places = np.concatenate(values), np.concatenate(places)
    order = np.argsort(all_values)[:most]
    order = order[np.isfinite(all_values[order])]
    return list(zip(all_values[order].tolist(), all_places[order].tolist(), strict=True))


def _select_distinct(
    candidates: Iterable[tuple[float, dict[str, Any]]], count: int, data: Binned
) -> list[NearCurve]:
    near_curves: list[NearCurve] = []
    for value, parameters in candidates:
        if not is_near(parameters, [near_curve.parameters for near_curve in near_curves]):
            near_curves.append(NearCurve(parameters, value / data.intensity.size))
        if len(near_curves) == count:
            break
    return near_curves


def _second(bank: Bank, first: str, second: str, data: Binned) -> Second | None:
    """Curves of the second component; None where there is none that is finite here."""
    if second in TERMS:
        name, fixed = TERMS[second]
        low, high = np.exp(LOG_Q_MIN + BANK_STEP * data.columns[[0, -1]])
        return _calculate_rows(
            second, [{name: value} | fixed for value in values_of(second, low, high)], data
        )
    if second not in bank.models:
        return None
    if second == first.partition("@")[0]:
        return _other_sizes(bank, second, data)
    near = nearest(bank.page(second), second, None, data, count=START_VALUES.second_curves)
    return _calculate_rows(second, [sharp(near_curve.parameters) for near_curve in near], data)


def _calculate_rows(second: str, rows: list[dict[str, Any]], data: Binned) -> Second | None:
    """Curves of parameters; None where there are none, or the model fails at one of them."""
    q = np.exp(LOG_Q_MIN + BANK_STEP * data.columns)
    try:
        curves = [call(second, q, row).intensity @ data.matrix for row in rows]
    except SasnetError:
        return None
    return _normalise_curves(rows, curves)


def values_of(term: str, low: float, high: float) -> Floats:
    """Values tried of a term's parameter: exponents, or lengths that a range of q shows, Å⁻¹."""
    if term == "power_law":
        return np.array(START_VALUES.second_powers)
    return np.geomspace(1 / high, np.pi / low, START_VALUES.second_curves)


def _other_sizes(bank: Bank, form: str, data: Binned) -> Second | None:
    """Return the same particle in all sizes: nearest curve of one size, and of a narrow distribution."""
    page, shifts = bank.page(form), search_grid(form)
    if shifts.size == 1:
        return None
    ((_, measured),) = measure_curves(page, None, data, shifts)
    widths = np.nansum(page.parameters[:, [n.endswith("_pd") for n in page.names]], axis=1)
    rows: list[dict[str, Any]] = []
    columns: list[Floats] = []
    for group in (widths == 0, (widths > 0) & (widths < ASSESSMENT.held_width)):
        members = np.flatnonzero(group)
        if not members.size:
            continue
        flat = measured[members].reshape(-1, measured.shape[-1])
        residual_alone = two_scales(flat, np.zeros((1, flat.shape[1])), data)[:, 0].reshape(members.size, -1)
        best = int(members[np.unravel_index(int(np.argmin(residual_alone)), residual_alone.shape)[0]])
        for s in np.flatnonzero(np.all(np.isfinite(measured[best]), axis=1)):
            rows.append(_drop_contrasts(scale_bank_row(page, form, None, best, shifts, int(s), {})))
            columns.append(measured[best, s])
    return _normalise_curves(rows, columns)


def _drop_contrasts(parameters: dict[str, Any]) -> dict[str, Any]:
    """Set contrasts to sasmodels' defaults; of one material they only rename the scale."""
    # Two populations then have the same, so that their scales are volume fractions.
    return {k: v for k, v in parameters.items() if "sld" not in k}


def _normalise_curves(rows: list[dict[str, Any]], columns: list[Floats]) -> Second | None:
    if not columns:
        return None
    curves = np.array(columns)
    largest = np.max(np.abs(curves), axis=1)
    good = np.all(np.isfinite(curves), axis=1) & (largest > 0)
    return Second([r for r, ok in zip(rows, good, strict=True) if ok], curves[good] / largest[good, None])


#: Curves of which sums are compared at a time: what is calculated of them stays in the processor's cache.
_ROWS_AT_A_TIME = 512


def two_scales(first: Floats, second: Floats, data: Binned) -> Floats:
    """Weighted residual (n, k) of each pair of curves at the best a·first + b·second + c, with a, b > 0 and c
    >= 0; infinite where a or b would not be positive. A zero second curve tests the first alone.
    """
    residuals = np.empty((len(first), len(second)))
    for begin in range(0, len(first), _ROWS_AT_A_TIME):
        rows = slice(begin, begin + _ROWS_AT_A_TIME)
        residuals[rows] = _two_scales(first[rows], second, data)
    return residuals


def _two_scales(first: Floats, second: Floats, data: Binned) -> Floats:
    weight, intensity = data.weight, data.intensity
    alone = not np.any(second)
    best = np.full((len(first), len(second)), np.inf)
    for centred in (False, True):
        # With a background: all that varies about the weighted means.
        def about(columns: Floats, centred: bool = centred) -> Floats:
            return columns - ((columns @ weight) / weight.sum())[..., None] if centred else columns

        a, b, y = about(first), about(second), about(intensity[None])[0]
        aa, bb, ab = (a**2) @ weight, (b**2) @ weight, (a * weight) @ b.T
        ya, yb, yy = a @ (weight * y), b @ (weight * y), float(y**2 @ weight)
        with np.errstate(all="ignore"):
            if alone:
                p, q = (ya / aa)[:, None], np.zeros((1, 1))
                left = yy - p * ya[:, None]
            else:
                determinant = aa[:, None] * bb - ab**2
                p = (ya[:, None] * bb - yb * ab) / determinant
                q = (yb * aa[:, None] - ya[:, None] * ab) / determinant
                left = yy - p * ya[:, None] - q * yb
                left[~(determinant > 1e-9 * aa[:, None] * bb)] = np.inf
            fine = (p > 0) & ((q > 0) | alone) & np.isfinite(left)
            if centred:
                fine &= intensity @ weight > p * (first @ weight)[:, None] + q * (second @ weight)
            np.minimum(best, np.maximum(left, 0.0), out=best, where=fine)
    return best


# --- Simple curves in closed form, alone and with a power law.

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


def _free_lorentz(q: Floats, p: Values) -> Floats:
    return np.asarray(1 / (1 + (q * p["cor_length"]) ** p["lorentz_exp"]))


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
    #: Parameters that are moved from the nearest row of the grid towards the next one.
    moved: tuple[str, ...]


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
    "lorentz": _Term(_lorentz, _lengths("cor_length"), ("cor_length",)),
    "mono_gauss_coil": _Term(_debye, _lengths("rg"), ("rg",)),
    "guinier": _Term(_guinier, _lengths("rg"), ("rg",)),
    "dab": _Term(_debye_bueche, _lengths("cor_length"), ("cor_length",)),
    "guinier_porod": _Term(
        _guinier_porod, _lengths("rg", porod_exp=START_VALUES.simple_exponents, s=(0.0,)), ("rg", "porod_exp")
    ),
    "sphere": _Term(_sphere, _lengths("radius", radius_pd=START_VALUES.simple_widths), ("radius",)),
    "correlation": _Term(
        _free_lorentz, _lengths("cor_length", lorentz_exp=(2.0,)), ("cor_length", "lorentz_exp")
    ),
    "peak": _Term(_peak, _peaks, ("peak_pos", "correlation_length")),
}
#: Terms of models that hold a power law as well: by the name of the term.
_WITH_POWER_LAW = {"correlation": "correlation_length", "peak": "broad_peak"}
#: Models of no known shape whose curves have neither fringes nor peaks.
SMOOTH = frozenset({"lorentz", "mono_gauss_coil", "guinier", "dab", "guinier_porod", "power_law", "porod",
    "correlation_length"})  # fmt: skip
_POWER = "power_law"
#: Those and a peak beside a power law: no sizes of particles, and all their minima are near the grid's.
SIMPLE_CURVES = SMOOTH | {"broad_peak"}


def is_smooth_sum(model: str) -> bool:
    """Whether all components are smooth terms: no particles, whose sizes would have a distribution."""
    return all(part in SMOOTH for part in sum_parts(model))


def is_simple_sum(model: str) -> bool:
    """Whether all components are simple curves: all minima of the sum are near those of the grid."""
    return all(part in SIMPLE_CURVES for part in sum_parts(model))


def find_near_simple_sums(curve: Curve, dintensity: Floats) -> list[NearSum]:
    """List simple models whose curves come near the data, the nearest first."""
    data = bin_curve(curve, dintensity, START_VALUES.simple_tolerance)
    if data.intensity.size < PROBLEM.fewest_points:
        return []
    near_sums = sorted(_rate_simple_sums(data), key=lambda near_sum: near_sum.residual)
    least = near_sums[0].residual
    if least > START_VALUES.simple_far and near_sums[1].residual < START_VALUES.simple_near * least:
        return []
    most = START_VALUES.simple_near * least + START_VALUES.simple_margin
    return [near_sum for near_sum in near_sums if near_sum.residual <= most]


def _rate_simple_sums(data: Binned) -> Iterator[NearSum]:
    powers = [power for power in START_VALUES.second_powers if power > 0]
    coarse = _make_power_laws(powers, data)
    fine = _make_power_laws(np.linspace(powers[0], powers[-1], 5 * len(powers) - 4), data)
    alone = _Seconds((0.0,), np.zeros((1, data.intensity.size)))
    yield _rate_power_law(fine, alone, data)
    terms: list[tuple[_Rated, _Seconds]] = []
    for name in _TERMS:
        rows, exact = _calculate_grid(name, int(data.columns[0]), int(data.columns[-1]))
        curves = _smear_and_normalise(exact, data)
        if name not in _WITH_POWER_LAW:
            terms.append((_rate_rows(name, rows, curves, alone, data), alone))
        terms.append((_rate_rows(name, rows, curves, coarse, data), fine))
    least = min(term.residual for term, _ in terms)
    most = ASSESSMENT.much_worse * least + START_VALUES.simple_far * data.intensity.size
    for term, second in terms:
        moved = _move_first(term, second, data) if term.residual <= most else term
        yield _name_sum(moved, data) if second is fine else _name_alone(moved, data)


@dataclass(frozen=True)
class _Seconds:
    """Second curves, each with its largest value 1, in the bins of the data: power laws, or none."""

    exponents: tuple[float, ...]
    curves: Floats


def _make_power_laws(exponents: Iterable[float], data: Binned) -> _Seconds:
    q = np.exp(BANK_STEP * (data.columns - data.columns[0]))
    values = tuple(map(float, exponents))
    return _Seconds(values, _smear_and_normalise([q**-exponent for exponent in values], data))


def _rate_power_law(fine: _Seconds, alone: _Seconds, data: Binned) -> NearSum:
    """A power law alone, its exponent between those of the grid."""
    best = fine.exponents[int(np.argmin(two_scales(fine.curves, alone.curves, data)))]
    near = _make_power_laws(best + (fine.exponents[1] - fine.exponents[0]) * _STEPS, data)
    residuals = two_scales(near.curves, alone.curves, data)
    exponent = near.exponents[int(np.argmin(residuals))]
    return _make_near_sum(_POWER, [{"power": exponent}], float(residuals.min()), data)


@dataclass(frozen=True)
class _Rated:
    """The nearest rows of a term's grid, each with the exponent of the power law beside it."""

    name: str
    pairs: tuple[tuple[Values, float], ...]  #: The nearest first.
    residual: float  #: Of the nearest, summed over the bins.


def _rate_rows(name: str, rows: list[Values], curves: Floats, second: _Seconds, data: Binned) -> _Rated:
    residuals = two_scales(curves, second.curves, data)
    best = _find_distant(residuals.min(axis=1), rows)
    pairs = tuple((dict(rows[i]), second.exponents[int(np.argmin(residuals[i]))]) for i in best)
    return _Rated(name, pairs, float(residuals[best[0]].min()))


def _move_first(rated: _Rated, second: _Seconds, data: Binned) -> _Rated:
    """The nearest row moved between those of the grid to where it is nearest."""
    term, q = _TERMS[rated.name], np.exp(LOG_Q_MIN + BANK_STEP * data.columns)
    (row, power), *rest = rated.pairs
    residual = rated.residual
    for reach, parameter in product(START_VALUES.simple_reaches, term.moved):
        rows = [row | {parameter: row[parameter] * factor} for factor in np.exp(reach * _STEPS).tolist()]
        curves = _smear_and_normalise([term.formula(q, near_row) for near_row in rows], data)
        residuals = two_scales(curves, second.curves, data)
        place, second_place = np.unravel_index(int(np.argmin(residuals)), residuals.shape)
        row, power, residual = rows[place], second.exponents[second_place], float(residuals.min())
    return _Rated(rated.name, ((row, power), *rest), residual)


#: Steps of a row on either side, over the reach.
_STEPS = np.linspace(-1, 1, 9)


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


def _find_distant(residual: Floats, rows: list[Values]) -> list[int]:
    order = [int(i) for i in np.argsort(residual)]
    name = next(iter(rows[0]))
    distant = (i for i in order if abs(np.log(rows[i][name] / rows[order[0]][name])) > 1.0)
    return [order[0], *(i for i in [next(distant, -1)] if i >= 0)]


def _name_alone(rated: _Rated, data: Binned) -> NearSum:
    return _make_near_sum(rated.name, [row for row, _ in rated.pairs], rated.residual, data)


def _name_sum(rated: _Rated, data: Binned) -> NearSum:
    """The term with a power law, as sasmodels has it: a sum of two, or a model that holds both."""
    name = rated.name
    model = _WITH_POWER_LAW.get(name, f"{name}+{_POWER}")
    starts = [_start_of_sum(name, row, power, data) for row, power in rated.pairs]
    return _make_near_sum(model, starts, rated.residual, data)


def _start_of_sum(name: str, row: Values, power: float, data: Binned) -> dict[str, Any]:
    if name not in _WITH_POWER_LAW:
        return as_part(_own(name, row), 0) | as_part({"power": power}, 1)
    defaults = {"peak": {"width_exp": 2.0, "peak_scale": 1.0}, "correlation": {"lorentz_scale": 1.0}}
    share = _power_law_share(_TERMS[name].formula, row, power, data)
    return {**row, **defaults[name], "porod_exp": power, "porod_scale": share}


def _own(name: str, row: Values) -> dict[str, float]:
    return row | ({"i_zero": 1.0} if name == "mono_gauss_coil" else {})


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
