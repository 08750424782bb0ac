"""Starts of a sum of two models: the bank's curves of the first beside curves of the second, scales solved.

The second is a term without a body, at a few values of its only parameter; or the same body in another size;
or, where a user names such a sum, the bank's nearest curves of another body.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats
from ...simulate.bank import BANK_STEP, LOG_Q_MIN
from ...simulate.kernel import call
from ...simulate.priors import model_info
from ...types import SasnetError, sum_parts
from ..problem.free_parameters import sharp
from ..problem.sums import as_part
from ..settings import START_VALUES
from .curve_bank import (
    Binned,
    NearCurve,
    is_near,
    measure_curves,
    nearest,
    scale_bank_row,
    search_grid,
)

if TYPE_CHECKING:
    from ...simulate.bank import Bank

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
    return _distinct(((residual, build(extra, place)) for residual, extra, place in ranked), count, data)


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


def _distinct(
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
    for group in (widths == 0, (widths > 0) & (widths < START_VALUES.second_width)):
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
