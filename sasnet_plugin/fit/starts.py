"""Where the fit of a candidate starts: the bank's nearest curves, polished on few points and then on all."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..simulate.clean import PD_TYPES, tier
from ..simulate.kernel import load_model
from ..types import Curve
from .contrast import with_fixed
from .linear import cells
from .plugins import page_of
from .polish import Polished, Polisher
from .problem import experiment
from .seeds import Seed, binned, nearest
from .smearing import FINE, sampling_needed

if TYPE_CHECKING:
    from ..simulate.bank import Bank
    from .candidate import Task

#: Points of the coarse copy that starts are polished on.
_COARSE_POINTS = 80
#: Starts on the coarse copy; how many of them are followed further there; how many go on to all points.
STARTS = {"fast": 12, "medium": 6, "slow": 3}
_FOLLOWED, _FINALISTS = {"fast": 5, "medium": 3, "slow": 1}, {"fast": 3, "medium": 2, "slow": 1}
#: Points a decade at which starts are calculated; None: the measured ones, the rest costs too much.
_SAMPLING: dict[str, int | None] = {"fast": FINE, "medium": 100, "slow": None}
#: Widths of distributions that are tried on the best monodisperse fit, and the width that they start with.
_WIDTHS, _WIDTH = {"fast": 4, "medium": 2, "slow": 1}, 0.12
#: Points of a size distribution in the fit, and on the coarse copy.
_PD_POINTS, _PD_COARSE = {"fast": 35, "medium": 21, "slow": 9}, {"fast": 15, "medium": 9, "slow": 5}
#: A candidate whose starts are worse than the best fit so far by this factor is not followed any further.
_HOPELESS = 20.0


def polished(task: Task, bank: Bank, began: float) -> tuple[list[Polished], int | None]:
    """The best starts, polished on a coarse copy of the data and then on all points.

    Parameters
    ----------
    task : Task
    bank : Bank
    began : float
        CPU time when work on the task began, s.

    Returns
    -------
    starts : list of Polished
        Best first.
    per_decade : int or None
        Points of q that they were calculated at, for `smearing.resolution`.
    """
    speed = tier(task.model)
    coarse, coarse_error = coarsened(task.curve, task.dintensity)
    rough = _polisher(task, coarse, coarse_error, _SAMPLING[speed])
    points = len(coarse)

    def follow(
        polisher: Polisher, found: list[dict[str, Any]], share: float, *tolerances: float, steps: int
    ) -> list[Polished]:
        """Polish starts until a share of the time is spent; at least one is."""
        done: list[Polished] = []
        for start in found:
            left = share * task.seconds - (time.process_time() - began)
            if done and left < 0:
                break
            polisher.deadline = time.process_time() + max(left, 0.1 * task.seconds)
            one = polisher.polish(start, tolerances=tolerances, steps=steps)
            if one is not None:
                done.append(one)
        return _distinct(sorted(done, key=lambda d: _criterion(d, polisher, len(polisher.curve))))

    if task.starts:
        first = follow(
            rough, [_coarse_widths(task, _completed(task, s)) for s in task.starts], 0.3, 0.02, 0.0, steps=12
        )
    else:
        data = binned(task.curve, task.dintensity)
        page = page_of(bank, task.model, 0.1 * task.seconds)
        seeds = nearest(page, task.model, task.structure_factor, data, count=3 * STARTS[speed])
        seeds = _varied(seeds, STARTS[speed], distributions={"fast": 2, "medium": 1, "slow": 0}[speed])
        if task.extra is not None:
            seeds = [Seed(dict(task.extra), 0.0), *seeds]
        starts = [_coarse_widths(task, _start(task, seed)) for seed in seeds]
        first = follow(rough, starts, 0.3, 0.1, steps=6)
        first = follow(rough, _values(first[: _FOLLOWED[speed]]), 0.5, 0.02, 0.0, steps=10)
    if not first:
        return [], None
    # Polishing on all points may still help much, but not by that much.
    hopeless = first[0].chisq / points > _HOPELESS * max(task.bar, 1.0)
    if not hopeless and not any(k.endswith("_pd") for k in first[0].parameters):
        first += follow(rough, _with_widths(task, first[0], speed), 0.6, 0.02, 0.0, steps=8)
        first.sort(key=lambda d: _criterion(d, rough, points))
    count = 1 if hopeless else _FINALISTS[speed]
    finalists = [_fine_widths(task, d.parameters) for d in first[:count]]
    sampling = None if hopeless else _sampling(task, finalists[0])
    fine = _polisher(task, task.curve, task.dintensity, sampling)
    return follow(fine, finalists, 0.8, 0.0, steps=5 if hopeless else 20), sampling


def _polisher(task: Task, curve: Curve, dintensity: NDArray[np.float64], per_decade: int | None) -> Polisher:
    held = frozenset(task.fixed or ())
    return Polisher(curve, dintensity, task.name, held=held, ranges=task.ranges, per_decade=per_decade)


def _values(found: list[Polished]) -> list[dict[str, Any]]:
    return [one.parameters for one in found]


def _coarse_widths(task: Task, parameters: dict[str, Any]) -> dict[str, Any]:
    """The same with fewer points in its size distributions; two of them multiply the cost."""
    widths = [k for k in parameters if k.endswith("_pd_n")]
    count = _PD_COARSE[tier(task.model)] // max(len(widths), 1)
    return parameters | dict.fromkeys(widths, max(count, 5))


def _fine_widths(task: Task, parameters: dict[str, Any]) -> dict[str, Any]:
    """The same with as many points in its size distributions as fits have."""
    return parameters | {k: _PD_POINTS[tier(task.model)] for k in parameters if k.endswith("_pd_n")}


def _criterion(found: Polished, polisher: Polisher, points: int) -> float:
    return found.chisq + polisher.count(found.parameters) * float(np.log(points))


def _distinct(found: list[Polished]) -> list[Polished]:
    """One of those that ended in the same valley."""
    kept: list[Polished] = []
    for one in found:
        if all(abs(one.chisq / other.chisq - 1) > 1e-3 for other in kept):
            kept.append(one)
    return kept


def _with_widths(task: Task, best: Polished, speed: str) -> list[dict[str, Any]]:
    """The best monodisperse start with a distribution of each size in turn."""
    found = []
    for p in load_model(task.model).info.parameters.call_parameters:
        value = best.parameters.get(p.name)
        if p.polydisperse and p.type == "volume" and value is not None and p.name not in (task.fixed or {}):
            n, sigmas = _PD_COARSE[speed], quadrature(task.model, "gaussian")[1]
            width = {"": _WIDTH, "_n": n, "_nsigma": sigmas, "_type": "gaussian"}
            found.append(best.parameters | {f"{p.name}_pd{k}": v for k, v in width.items()})
    return found[: _WIDTHS[speed]]


def _sampling(task: Task, parameters: dict[str, Any]) -> int | None:
    """Points a decade for the fit of all points; slow models are calculated at the measured ones."""
    if tier(task.model) == "slow":
        return None
    fitness = experiment(task.curve, task.dintensity, task.name, parameters)
    return sampling_needed(fitness, task.curve)


def coarsened(curve: Curve, dintensity: NDArray[np.float64]) -> tuple[Curve, NDArray[np.float64]]:
    """A copy of at most 80 points, weighted means over cells even in ln q."""
    if len(curve) <= 1.3 * _COARSE_POINTS:
        return curve, dintensity
    total, average = cells(curve.q, dintensity, _COARSE_POINTS)

    def mean(column: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return None if column is None else average(column)

    q, intensity = average(curve.q), average(curve.intensity)
    # Within a cell a curve bends: a per cent of I is what the mean can be off by.
    error = np.hypot(1 / np.sqrt(total), 0.01 * np.abs(intensity))
    found = replace(
        curve,
        q=q,
        intensity=intensity,
        dintensity=error,
        dq=mean(curve.dq),
        dxl=mean(curve.dxl),
        dxw=mean(curve.dxw),
    )
    return found, error


def _varied(seeds: list[Seed], count: int, *, distributions: int) -> list[Seed]:
    """The best seeds, but no more than half of them with size distributions where there are others.

    A second distribution multiplies the cost of a curve, so dear models go without.
    """
    spread = [s for s in seeds if 0 < sum(k.endswith("_pd") for k in s.parameters) <= distributions]
    plain = [s for s in seeds if not any(k.endswith("_pd") for k in s.parameters)]
    if not plain:
        plain = [replace(s, parameters=_without_spread(s.parameters)) for s in seeds]
    wanted = min(len(spread), count // 2)
    chosen = plain[: count - wanted] + spread[:wanted]
    return sorted(chosen, key=lambda s: s.badness)


def _without_spread(parameters: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in parameters.items() if "_pd" not in k}


def _start(task: Task, seed: Seed) -> dict[str, Any]:
    start: dict[str, Any] = with_fixed(seed.parameters, task.fixed or {})
    return _completed(task, start)


def _completed(task: Task, start: dict[str, Any]) -> dict[str, Any]:
    """With kind and number of points of each distribution, and the mode of the effective radius."""
    start = dict(start)
    for key in [k for k in start if k.endswith("_pd")]:
        kind = start.get(f"{key}_type", "gaussian")
        kind = kind if isinstance(kind, str) else PD_TYPES[int(kind)]
        count, sigmas = quadrature(task.model, kind)
        start |= {f"{key}_type": kind, f"{key}_n": count, f"{key}_nsigma": sigmas}
    if task.structure_factor is not None:
        start["radius_effective_mode"] = 1
    return start


def quadrature(model: str, kind: str) -> tuple[int, float]:
    """Points and number of standard deviations of a size distribution in every fit of a model.

    Parameters
    ----------
    model : str
        Form model: the dearer it is, the fewer points.
    kind : str
        gaussian, lognormal or schulz.
    """
    return _PD_POINTS[tier(model)], 3.0 if kind == "gaussian" else 5.0
