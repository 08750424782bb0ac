"""What the library of simulated curves says alone: distances from the data, a preview, starts of a fit.

A cube is what most boxes are made as, and of 160 boxes of random proportions none is near one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats
from ...simulate.bank import BANK_STEP, FLOOR, LOG_Q_MIN, N_BANK, Page
from ...simulate.kernel import call, load_model
from ...simulate.quick_models.cost_classes import cost_class
from ...simulate.quick_models.quick import fit_cost_class
from ...types import Curve, sum_parts
from ..ledger import count_look, shorten
from ..problem.bounds import limits_of
from ..problem.free_parameters import (
    EFFECTIVE_MODE,
    coarse,
    complete_distributions,
    counts_of,
    round_counts,
    select_accepted,
    sharp,
)
from ..problem.plugin_models import page_of
from ..problem.resolution import cells
from ..result.components import bare
from ..settings import OPTIMIZE, PROBLEM, START_VALUES
from ..task import UNLIMITED, Budget, Pair, Task
from .curve_bank import (
    FACTORS,
    Binned,
    bin_curve,
    make_smearing_matrix,
    nearest,
    resolution_matrix,
    search,
    shift_curves,
)
from .sums import nearest_sums

if TYPE_CHECKING:
    from ...simulate.bank import Bank


# --- Usual special cases of particles with many proportions.

#: Length of the usual bodies in the table, Å: the search tries others of the same proportions.
_SIDE = 50.0
#: And lengths between those of the search, whose two steps of 5 % are as wide as a minimum of a fringe.
_SIDES = tuple(float(_SIDE * np.exp(2 * BANK_STEP * third / 3)) for third in (-1, 0, 1))
#: Proportions of boxes, b over a and c over a: cubes, square plates and bars.
_RATIOS = ((1.0, 1.0), (1.0, 0.5), (1.0, 0.2), (1.0, 2.0), (1.0, 5.0))
#: Points of Gauss and Legendre's quadrature of each of two angles, in one octant.
_NODES = 48
#: Widths of their sizes, relative.
_WIDTHS = (0.0, 0.05, 0.1)


def page_with_usual(bank: Bank, model: str) -> Page:
    """The library's curves of a model, with those of usual proportions at the end."""
    page = bank.page(model)
    rows = _usual(model)
    if not rows:
        return page
    table = np.full((len(rows), len(page.names)), np.nan)
    for i, (parameters, _) in enumerate(rows):
        for name in parameters.keys() & set(page.names):
            table[i, page.names.index(name)] = parameters[name]
    curves = np.array([curve for _, curve in rows], dtype=np.float32)
    return Page(
        page.names,
        np.concatenate([page.parameters, table]),
        np.concatenate([page.log_intensity, curves]),
        np.concatenate([page.radius_effective, np.full(len(rows), 0.5 * _SIDE)]),
    )


@lru_cache(maxsize=8)
def _usual(model: str) -> list[tuple[dict[str, float], Floats]]:
    """Parameters and ln I at the library's points of usual bodies of a model; none of most."""
    if model == "polymer_micelle":
        q = np.exp(LOG_Q_MIN + BANK_STEP * np.arange(N_BANK))
        rows = [_micelle(side, *corona) for side in _SIDES for corona in _CORONAS]
        return [(row, _logarithm(call(model, q, row | {"background": 0.0}).intensity)) for row in rows]
    boxes = [(side, *one) for side in _SIDES for one in _BOXES.get(model, ())]
    return [(parameters(r, side, w), _log_curve(r, side, w)) for side, parameters, r, w in boxes]


def _logarithm(curve: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(curve / np.max(curve), np.exp(FLOOR))))


def _rectangular(ratios: tuple[float, float], side: float, width: float) -> dict[str, float]:
    box = {
        "length_a": side,
        "b2a_ratio": ratios[0],
        "c2a_ratio": ratios[1],
        "sld": 6.3,
        "sld_solvent": 1.0,
    }
    return box | ({"length_a_pd": width, "length_a_pd_type": 0.0} if width else {})


def _make_parallelepiped(ratios: tuple[float, float], side: float, width: float) -> dict[str, float]:
    sides = {"length_a": side, "length_b": side * ratios[0], "length_c": side * ratios[1]}
    return sides | {"sld": 4.0, "sld_solvent": 1.0}


def _micelle(core: float, rg: float, share: float) -> dict[str, float]:
    """A core of the usual size with a corona of chains, whose amplitude is a share of the core's."""
    return {
        "radius_core": core, "rg": rg * core, "n_aggreg": 60.0, "d_penetration": 1.0, "ndensity": 8.94,
        "v_core": 1e4, "v_corona": 1e4, "sld_solvent": 6.4, "sld_core": 5.4, "sld_corona": 6.4 - share,
    }  # fmt: skip


#: Rg of the chains of a corona over the radius of the core, and their amplitude over the core's.
_CORONAS = tuple(product((0.25, 0.4, 0.6, 1.0), (0.3, 0.6, 1.0, 2.0)))


_BOXES = {
    "rectangular_prism": [(_rectangular, r, w) for r in _RATIOS for w in _WIDTHS],
    "parallelepiped": [(_make_parallelepiped, r, 0.0) for r in _RATIOS],
}


def _log_curve(ratios: tuple[float, float], side: float, width: float) -> Floats:
    """ln I at the library's points, largest 0 (Mittelbach, Porod, Acta Phys. Austriaca 14 (1961) 185)."""
    log_q = LOG_Q_MIN + BANK_STEP * np.arange(N_BANK)
    steps = 1 + width * np.linspace(-3, 3, 21) if width else np.ones(1)
    weight = np.exp(-(((steps - 1) / (width or 1.0)) ** 2) / 2) * steps**6
    log_curve = np.log(_box_curve(ratios))
    stretched = [np.exp(np.interp(log_q + np.log(side / _SIDE * step), log_q, log_curve)) for step in steps]
    return _logarithm(weight @ np.array(stretched))


@lru_cache(maxsize=16)
def _box_curve(ratios: tuple[float, float]) -> Floats:
    return _box(np.exp(LOG_Q_MIN + BANK_STEP * np.arange(N_BANK)), ratios)


def _box(q: Floats, ratios: tuple[float, float]) -> Floats:
    """P of a box, averaged over orientations; beyond what the quadrature resolves, its surface's q⁻⁴."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    cosine, along = 0.5 * (nodes + 1), 0.25 * np.pi * (nodes + 1)
    sine = np.sqrt(1 - cosine**2)[:, None]
    axes = (sine * np.cos(along), sine * np.sin(along), np.broadcast_to(cosine[:, None], (_NODES, _NODES)))
    half = 0.5 * _SIDE * np.array([1.0, *ratios])
    resolved = q * 2 * half.max() < 1.5 * _NODES
    intensity = np.empty(q.size)
    for i in np.flatnonzero(resolved):
        amplitude = np.ones((_NODES, _NODES))
        for length, axis in zip(half, axes, strict=True):
            amplitude = amplitude * np.sinc(q[i] * length * axis / np.pi)
        intensity[i] = weights @ amplitude**2 @ weights / 4
    last = int(np.count_nonzero(resolved)) - 1
    intensity[~resolved] = intensity[last] * (q[~resolved] / q[last]) ** -4
    return intensity


# --- Distances of the library's curves from the data, preview, starts.

#: Bodies that experts try first; with each structure factor where the flag says so.
SIMPLE = {
    "sphere": True,
    "core_shell_sphere": True,
    "ellipsoid": True,
    "cylinder": True,
    "vesicle": False,
    "fuzzy_sphere": False,
    "lamellar": False,
    "flexible_cylinder": False,
    "mono_gauss_coil": False,
    "polymer_excl_volume": False,
    "correlation_length": False,
    "broad_peak": False,
    "teubner_strey": False,
    "fractal": False,
    "guinier_porod": False,
    "polymer_micelle": False,
}


@dataclass(frozen=True)
class Screen:
    """Rate pairs of form model and structure factor on one curve."""

    curve: Curve
    dintensity: Floats
    pairs: Sequence[Pair]
    name: str = "screening"


def screen_pairs(screen: Screen, bank: Bank, budget: Budget = UNLIMITED) -> dict[Pair, float]:
    """Least weighted residual of the bank's curves of each pair, with 7 % tolerance; work for a pool."""
    # Where the machine is so busy that the clock on the wall is up, what is rated by then: the fits are to
    # have time.
    until = time.monotonic() + budget.wall
    data = bin_curve(screen.curve, screen.dintensity)
    residuals: dict[Pair, float] = {}
    for form, factor in screen.pairs:
        if residuals and time.monotonic() > until:
            shorten()
            break
        count_look(form, factor)
        if form in bank.models or len(sum_parts(form)) > 1:
            residuals[form, factor] = _residual(bank, form, factor, data)
    return residuals


def _residual(bank: Bank, form: str, factor: str | None, data: Binned) -> float:
    """Residual of the nearest library curve of a model or a sum; infinite without one."""
    if form in bank.models:
        near = nearest(page_with_usual(bank, form), form, factor, data, count=1)
    else:
        near = nearest_sums(bank, form, data, count=1)
    return near[0].weighted_residual if near else np.inf


def preview(task: Task, bank: Bank, budget: Budget = UNLIMITED) -> tuple[Floats, Floats] | None:
    """The nearest curve of a candidate before it is fitted: q (Å⁻¹) and I(q) as measured; work for a pool."""
    # None where the bank does not have the model, or no curve is finite here.
    if task.model not in bank.models:
        return None
    page = bank.page(task.model)
    data = bin_curve(task.curve, task.dintensity)
    shifts, factor_results = search(page, task.model, task.structure_factor, data)
    residual = np.stack([t[1] for t in factor_results])
    residual = np.where(np.isfinite(residual), residual, np.inf)  # one without a value hides no other
    best = np.unravel_index(int(np.argmin(residual)), residual.shape)
    if not np.isfinite(residual[best]):
        return None
    k, row, s = (int(i) for i in best)
    q = np.geomspace(task.curve.q[0], task.curve.q[-1], 150)  # the bank has 50 a decade
    columns, matrix = make_smearing_matrix(task.curve, q)
    _, curves = list(shift_curves(page, task.structure_factor, columns, shifts[s : s + 1]))[k]
    intensity = factor_results[k][2][row, s] * (curves[row, 0] @ matrix) + factor_results[k][3][row, s]
    finite = np.isfinite(intensity)
    return (q[finite], intensity[finite]) if finite.any() else None


def _find_form_starts(task: Task, bank: Bank, data: Binned) -> list[dict[str, Any]]:
    """The nearest curves of what is no sum; of a plugin its own ones, and first its defaults."""
    if not task.model.endswith(".py"):
        return _nearest(task, page_with_usual(bank, task.model), data)
    page = page_of(task.model, OPTIMIZE.least_share * task.budget.seconds)
    # The author's defaults may be the sample's own values, however far their curve is.
    first = page.row(0)
    return [first, *(start for start in _nearest(task, page, data) if start != first)]


def from_bank(task: Task, bank: Bank) -> list[dict[str, Any]]:
    """The task's own start, if it has one, a plugin's defaults, and the bank's nearest curves."""
    data, count = bin_curve(task.curve, task.dintensity), START_VALUES.starts
    count_look(task.model, task.structure_factor)
    extra = [] if task.extra is None else [dict(task.extra)]
    if len(sum_parts(task.model)) > 1:
        starts = [near_curve.parameters for near_curve in nearest_sums(bank, task.model, data, count=count)]
        return [as_start(task, start) for start in (*extra, *starts)]
    starts = _find_form_starts(task, bank, data)
    if (
        extra and starts and starts[0].keys() - extra[0].keys()
    ):  # a few values, with the nearest curve's others
        extra.append({**starts[0], **extra[0]})
    starts = [as_start(task, start) for start in (*extra, *starts)]
    return [*starts, *_go_beyond_library(task, starts)]


def _nearest(task: Task, page: Page, data: Binned) -> list[dict[str, Any]]:
    count = START_VALUES.starts
    near = nearest(page, task.model, task.structure_factor, data, count=count * (task.attempt + 1))
    starts = [near_curve.parameters for near_curve in near[count * task.attempt :] or near[:count]]
    if fit_cost_class(task.model) == "fast":
        return starts
    # A distribution multiplies the cost: one is tried on the best.
    return [sharp(start) for start in starts]


def select_plausible(task: Task, starts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The nearest start that a sample may have, to be shown: no length below what the data show, if any has
    none, and scattering length densities of matter.
    """
    info = load_model(task.name).info
    lengths = [p.name for p in info.parameters.call_parameters if p.type == "volume" and p.units == "Ang"]
    least = max(PROBLEM.thinnest, 1 / float(task.curve.q[-1]))

    def is_shown(start: Mapping[str, Any]) -> bool:
        return all(start.get(name, least) >= least for name in lengths)

    return _move_to_matter(next(filter(is_shown, starts), starts[0]))


def _move_to_matter(start: dict[str, Any]) -> dict[str, Any]:
    """A start with scattering length densities of matter, whose curve differs by a factor alone."""
    # Only differences of densities scatter; the library draws them from a wider range, as its curves have
    # no scale.
    densities = {name: float(value) for name, value in start.items() if "sld" in name and _is_number(value)}
    low, high = PROBLEM.matter["neutron"]
    if not densities or (low <= min(densities.values()) and max(densities.values()) <= high):
        return start
    least, most = min(densities.values()), max(densities.values())
    factor = min(1.0, (high - low) / (most - least)) if most > least else 1.0
    shift = min(max(least, low), high - factor * (most - least))
    return start | {name: shift + factor * (value - least) for name, value in densities.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number)


def other_interactions(task: Task, starts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The starts with each of the bank's interactions, where theirs has no curve at the bodies' size."""
    interactions = FACTORS.get(task.structure_factor or "", ())
    return [start | interaction | task.fixed for start in starts for interaction in interactions]


def further(task: Task, bank: Bank) -> list[dict[str, Any]]:
    """What the bank has beside the nearest, for where these lead nowhere near; none of a plugin or a sum."""
    # The next ones, and the nearest to means over bins: of fringes and peaks these say more than points do.
    if task.model not in bank.models:
        return []
    page, count = bank.page(task.model), START_VALUES.starts
    points = bin_curve(task.curve, task.dintensity)
    means = _average_bins(task.curve, task.dintensity)
    near = nearest(page, task.model, task.structure_factor, points, count=count + count)
    near = near[count:] + nearest(page, task.model, task.structure_factor, means, count=count)
    return [as_start(task, near_curve.parameters) for near_curve in near]


def _go_beyond_library(task: Task, starts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first start with twice the largest count that sasmodels draws, as of a star's arms."""
    info = load_model(task.name).info
    counts = counts_of(info, starts[0], task.fixed) if starts else []
    last = {name: limits_of(info, name)[1] for name in counts}
    return [{**starts[0], name: 2 * most} for name, most in last.items() if most < math.inf]


def _average_bins(curve: Curve, dintensity: Floats) -> Binned:
    """Bin as `bin_curve`, but average what the points of a bin measure, not its middle."""
    _, average = cells(curve.q, dintensity, START_VALUES.bins)
    fine = np.stack([average(column) for column in resolution_matrix(curve, curve.q).T])
    used = np.flatnonzero(fine.any(axis=1))
    return replace(bin_curve(curve, dintensity), columns=used, matrix=fine[used].astype(np.float32))


def as_start(task: Task, start: dict[str, Any]) -> dict[str, Any]:
    """Parameters with the values that are fixed, and distributions on the coarse copy's points; the effective
    radius is that of the particle unless a user gives its value or range.
    """
    start = round_counts(apply_fixed(start, task.fixed), task.fixed)
    for name in task.kept_widths - start.keys():
        low, high = task.ranges.get(name, (0.0, PROBLEM.most_width))
        start[name] = min(max(PROBLEM.first_width, low), high)
    start = coarse(task.model, complete_distributions(start, PROBLEM.width_points[cost_class(task.model)]))
    info = load_model(task.name).info
    given = {*task.fixed, *task.ranges, *task.fitted}
    names = (p.name for p in info.parameters.call_parameters if bare(p.name) == EFFECTIVE_MODE)
    modes = {name: int(name.removesuffix("_mode") not in given) for name in names}
    return select_accepted(info, start | modes)


def _solvent_in(fixed: Mapping[str, float], start: Mapping[str, Any]) -> str | None:
    """A given scattering length density of the solvent that a start has, too."""
    return next((n for n in fixed if "sld" in n and "solvent" in n and n in start), None)


def apply_fixed(start: Mapping[str, Any], fixed: Mapping[str, float]) -> dict[str, Any]:
    """A start with given values, the other scattering length densities as far from the solvent as before."""
    # Only differences of scattering length densities scatter: a start found in one solvent is one in any
    # other if all of them move with it.
    changed = {**start, **fixed}
    solvent = _solvent_in(fixed, start)
    if solvent is None:
        return changed
    shift = fixed[solvent] - start[solvent]
    slds = [name for name in start if name.startswith("sld") and name not in fixed]
    return changed | {name: start[name] + shift for name in slds}
