"""Where data would have to go to distinguish fits that these data do not."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...digits import join_names, significant
from ...simulate.quick_models.cost_classes import cost_class
from ...simulate.quick_models.quick import quick_model
from ...types import Curve
from ..problem.experiment import starting_values
from ..problem.free_parameters import moves
from ..problem.resolution import resolution
from ..result.model_fit import ModelFit
from ..settings import ASSESSMENT, PROBLEM


@dataclass(frozen=True)
class Beyond:
    """The nearest q outside the data where two fits differ."""

    #: above, below: Å⁻¹; None where they do not differ on that side.
    above: float | None
    below: float | None
    #: Ends of all data that were asked about, where only all of these together differ; Å⁻¹.
    ends: tuple[float, float] | None = None

    def __str__(self) -> str:
        sides = [f"beyond {significant(self.above, 2)} Å⁻¹"] if self.above is not None else []
        sides += [f"below {significant(self.below, 2)} Å⁻¹"] if self.below is not None else []
        if sides:
            return f"data {' or '.join(sides)} would decide"
        if self.ends:
            low, high = (significant(end, 2) for end in self.ends)
            return f"data from {low} to {high} Å⁻¹ would decide"
        return "at this noise level, a wider q range alone would not decide"


def sentences(
    curve: Curve, dintensity: Floats, best: ModelFit, other_fits: Sequence[ModelFit], *, ask: bool = True
) -> tuple[str, ...]:
    """Name fits indistinguishable from the best one (`assess.alike`), and the data that would decide; no q is
    named for expensive models.
    """
    names_by_sentence: dict[str, list[str]] = {}
    for other_fit in other_fits:
        continuation = continue_fits(curve, dintensity, best, other_fit) if ask else None
        names_by_sentence.setdefault("" if continuation is None else f"; {continuation}", []).append(
            other_fit.short_name
        )
    return tuple(
        f"{join_names([best.short_name, *names])} are indistinguishable in this q range{end}."
        for end, names in names_by_sentence.items()
    )


def continue_fits(curve: Curve, dintensity: Floats, best: ModelFit, other_fit: ModelFit) -> Beyond | None:
    """Continue two fits beyond the data, with resolution and noise as at the ends; None if a model is
    expensive or undefined there.
    """
    # The best fit is taken as true. In each tenth of a decade, sampled as at the end of the data, the other's
    # fitted scale and background are refined on data and interval together: what they can absorb does not
    # count.
    both_beyond = _both_beyond(curve, dintensity, best, other_fit)
    if both_beyond is None:
        return None
    wide, cell, truth, rival, relative = both_beyond
    inside = (best.theory / dintensity, other_fit.theory / dintensity, 1 / dintensity)
    misfit_inside = _misfit(other_fit, inside)

    def decides(in_cell: NDArray[np.bool_]) -> bool:
        outside = (column[in_cell] / relative[in_cell] for column in (truth, rival, np.ones(wide.q.size)))
        columns = [np.concatenate(pair) for pair in zip(inside, outside, strict=True)]
        return _misfit(other_fit, columns) - misfit_inside > ASSESSMENT.significant**2

    def nearest(cells: Floats, end: int) -> float | None:
        deciding_cell = next((index for index in cells if decides(cell == index)), None)
        return None if deciding_cell is None else float(wide.q[cell == deciding_cell][end])

    above, below = nearest(np.unique(cell[cell > 0]), 0), nearest(np.unique(cell[cell < 0])[::-1], -1)
    together = above is None and below is None and cell.size and decides(cell != 0)
    return Beyond(above, below, (float(wide.q[0]), float(wide.q[-1])) if together else None)


def _cheap(fit: ModelFit) -> bool:
    if fit.model.endswith(".py"):
        return False  # a plugin may do anything outside of the data
    spread = len(fit.distributions)
    return spread <= {"fast": 1, "medium": 0}.get(cost_class(fit.model), -1)


def _both_beyond(
    curve: Curve, dintensity: Floats, best: ModelFit, other_fit: ModelFit
) -> tuple[Curve, Floats, Floats, Floats, Floats] | None:
    """Points outside the data, their intervals, both theories there, and the noise; None where these fail."""
    if not (_cheap(best) and _cheap(other_fit)):
        return None
    try:
        wide, cell, sigma = _extend_q_range(curve, dintensity, best)
        truth, rival = _theory(wide, best), _theory(wide, other_fit)
    except Exception:
        # A model may fail anywhere outside the data; the fits stand, only this question stays open.
        return None
    relative = sigma * np.abs(truth)
    usable = np.all(np.isfinite(truth) & np.isfinite(rival)) and np.all(relative > 0)
    return (wide, cell, truth, rival, relative) if usable else None


def _extend_q_range(curve: Curve, dintensity: Floats, best: ModelFit) -> tuple[Curve, Floats, Floats]:
    """Points outside the data; the interval of each, from ±1 outwards; the relative noise of each."""
    # The noise is that of one computed point, which stands for as many as would be measured there.
    low, high = np.log10(curve.q[0]), np.log10(curve.q[-1])
    below, above = ASSESSMENT.decades
    top = max(0.0, min(above, -np.log10(PROBLEM.thinnest) - high))
    relative = dintensity / np.maximum(np.abs(best.theory), 1e-300)
    parts: list[tuple[Floats, Floats, Floats, Floats]] = []
    points = ASSESSMENT.points_an_interval
    for sign, edge, reach in ((-1, low, below), (1, high, top)):
        cells = int(round(reach / ASSESSMENT.interval))
        if not cells:
            continue
        steps = (np.arange(cells * points) + 0.5) / points
        near = np.abs(np.log10(curve.q) - edge) <= 2 * ASSESSMENT.interval
        density = max(int(near.sum()) / 2, 1.0)
        noise = float(np.median(relative[near])) * np.sqrt(points / density)
        log_q = edge + sign * ASSESSMENT.interval * steps
        parts.append((log_q, sign * (1 + np.floor(steps)), np.full(steps.size, noise), near))
    log_q = np.concatenate([p[0] for p in parts])
    order = np.argsort(log_q)
    q = 10 ** log_q[order]
    blank: dict[str, Any] = {"intensity": np.ones(q.size), "dintensity": np.ones(q.size), "notes": ()}
    cell = np.concatenate([p[1] for p in parts])[order]
    wide = replace(curve, q=q, **blank, **_resolution_at(curve, q))
    return wide, cell, np.concatenate([p[2] for p in parts])[order]


def _resolution_at(curve: Curve, q: Floats) -> dict[str, Any]:
    found_resolution: dict[str, Any] = {}
    if curve.dq is not None:
        # The width of the beam at small q, of the wavelengths at large q.
        found_resolution["dq"] = np.where(q < curve.q[0], curve.dq[0], curve.dq[-1] / curve.q[-1] * q)
    for name in ("dxl", "dxw"):
        column = getattr(curve, name)
        found_resolution[name] = None if column is None else np.full(q.size, float(np.median(column)))
    return found_resolution


def _theory(curve: Curve, fit: ModelFit) -> Floats:
    from sasmodels.data import empty_data1D
    from sasmodels.direct_model import DirectModel

    # Not `problem.experiment`: bumps takes a second to import, and this is not a fit.
    smearing = resolution(curve, PROBLEM.fine)
    model = DirectModel(empty_data1D(smearing.q_calc), quick_model(fit.name))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return np.asarray(smearing.apply(np.asarray(model(**starting_values(fit)), dtype=float)))


def _misfit(other_fit: ModelFit, over_noise: Sequence[Floats]) -> float:
    """χ² of the rival at its best scale and background for the truth; truth, rival and 1 over the noise."""
    truth, rival, weights = over_noise
    background = other_fit.parameters["background"].value * weights
    mendable = [
        column
        for name, column in (("scale", rival - background), ("background", weights))
        if not other_fit.parameters[name].fixed and moves(column)
    ]
    difference = truth - rival
    if mendable:
        columns = np.stack(mendable, axis=1)
        columns = columns / np.linalg.norm(columns, axis=0)
        difference = difference - columns @ np.linalg.lstsq(columns, difference, rcond=None)[0]
    return float(difference @ difference)
