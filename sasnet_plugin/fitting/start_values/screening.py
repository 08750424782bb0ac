"""What the bank alone says: how near its curves come to the data, a preview, and the starts of a fit."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats
from ...simulate.kernel import load_model
from ...simulate.quick_models.cost_classes import cost_class
from ...simulate.quick_models.quick import fit_cost_class
from ...types import Curve, sum_parts
from ..ledger import count_look, shorten
from ..problem.free_parameters import coarse, complete_distributions, select_accepted, sharp
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
from .second_component import nearest_sums
from .usual_shapes import page_with_usual

if TYPE_CHECKING:
    from ...simulate.bank import Bank, Page


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
    count_look(task.model, task.structure_factor, count)
    extra = [] if task.extra is None else [dict(task.extra)]
    if len(sum_parts(task.model)) > 1:
        starts = [near_curve.parameters for near_curve in nearest_sums(bank, task.model, data, count=count)]
        return [as_start(task, start | task.fixed) for start in (*extra, *starts)]
    starts = _find_form_starts(task, bank, data)
    return [as_start(task, apply_fixed(start, task.fixed)) for start in (*extra, *starts)]


def _nearest(task: Task, page: Page, data: Binned) -> list[dict[str, Any]]:
    count = START_VALUES.starts
    near = nearest(page, task.model, task.structure_factor, data, count=count * (task.attempt + 1))
    starts = [near_curve.parameters for near_curve in near[count * task.attempt :] or near[:count]]
    if fit_cost_class(task.model) == "fast":
        return starts
    # A distribution multiplies the cost: one is tried on the best.
    return [sharp(start) for start in starts]


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
    near = nearest(page, task.model, task.structure_factor, points, count=START_VALUES.further * count)
    near = near[count:] + nearest(page, task.model, task.structure_factor, means, count=count)
    return [as_start(task, apply_fixed(near_curve.parameters, task.fixed)) for near_curve in near]


def _average_bins(curve: Curve, dintensity: Floats) -> Binned:
    """Bin as `bin_curve`, but average what the points of a bin measure, not its middle."""
    _, average = cells(curve.q, dintensity, START_VALUES.bins)
    fine = np.stack([average(column) for column in resolution_matrix(curve, curve.q).T])
    used = np.flatnonzero(fine.any(axis=1))
    return replace(bin_curve(curve, dintensity), columns=used, matrix=fine[used].astype(np.float32))


def as_start(task: Task, start: dict[str, Any]) -> dict[str, Any]:
    """Complete a start: distributions on the coarse copy's points, and the effective radius from the form.

    ``radius_effective_mode`` becomes 1 even against `Task.fixed`, so ``radius_effective`` has no effect.
    """
    start = coarse(task.model, complete_distributions(start, PROBLEM.width_points[cost_class(task.model)]))
    info = load_model(task.name).info
    modes = (p.name for p in info.parameters.call_parameters if bare(p.name) == "radius_effective_mode")
    return select_accepted(info, start | dict.fromkeys(modes, 1))


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
