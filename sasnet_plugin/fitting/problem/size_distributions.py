"""Size distributions in a fit: which are tried, and with how many points."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.simulate.clean import PD_TYPES, cost_class
from sasnet_plugin.simulate.kernel import load_model

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Task


def sigmas(kind: str) -> float:
    """Half width of a distribution's range in a fit, in standard deviations.

    Parameters
    ----------
    kind : str
        gaussian, lognormal or schulz.
    """
    return 3.0 if kind == "gaussian" else 5.0


def widths_of(parameters: Iterable[str]) -> list[str]:
    """Those of the names that are widths of size distributions."""
    return [name for name in parameters if name.endswith("_pd")]


def completed(parameters: dict[str, Any], points: int) -> dict[str, Any]:
    """With kind, range and number of points of each size distribution.

    Parameters
    ----------
    parameters : dict
        Of which ``radius_pd_type`` may be a number, as the bank has it.
    points : int
    """
    start = dict(parameters)
    for key in widths_of(start):
        kind = start.get(f"{key}_type", "gaussian")
        kind = kind if isinstance(kind, str) else PD_TYPES[int(kind)]
        start |= {f"{key}_type": kind, f"{key}_n": points, f"{key}_nsigma": sigmas(kind)}
    return start


def with_points(parameters: dict[str, Any], points: int) -> dict[str, Any]:
    """The same with so many points in each of its size distributions."""
    return parameters | {k: points for k in parameters if k.endswith("_pd_n")}


def coarse(model: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The same with fewer points in its size distributions; two of them multiply the cost."""
    count = sum(k.endswith("_pd_n") for k in parameters)
    return with_points(parameters, max(PROBLEM.coarse_width_points[cost_class(model)] // max(count, 1), 5))


def points_needed(
    model: str, parameters: dict[str, Any], residuals: Callable[[dict[str, Any]], NDArray[np.float64]]
) -> int:
    """Points of its size distributions that a fit has to have.

    Fringes that a distribution washes out need few; those that it leaves, as it is narrow or its body large,
    need more.

    Parameters
    ----------
    model : str
        Form model.
    parameters : dict
    residuals : callable
        Of parameters, in units of the uncertainty.

    Returns
    -------
    int
        The least of those tried that changes the curve by little of its uncertainty, or the most that the
        cost of the model allows.
    """
    most = PROBLEM.width_points[cost_class(model)]
    if not any(k.endswith("_pd_n") for k in parameters):
        return most
    exact = residuals(with_points(parameters, most))
    for points in PROBLEM.few_width_points:
        if points >= most:
            break
        change = residuals(with_points(parameters, points)) - exact
        if float(np.mean(change**2)) < PROBLEM.width_tolerance:
            return points
    return most


def other_kinds(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The same with each of the other kinds of size distribution."""
    widths = widths_of(parameters)
    found = []
    for kind in PD_TYPES if widths else ():
        changed = {f"{k}_type": kind for k in widths} | {f"{k}_nsigma": sigmas(kind) for k in widths}
        if any(parameters.get(k) != v for k, v in changed.items()):
            found.append(parameters | changed)
    return found


def spread_in_turn(task: Task, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """A monodisperse start with a distribution of each size in turn."""
    found = []
    cost = cost_class(task.model)
    for p in load_model(task.model).info.parameters.call_parameters:
        value = parameters.get(p.name)
        if p.polydisperse and p.type == "volume" and value is not None and p.name not in task.fixed:
            found.append(
                completed(
                    parameters | {f"{p.name}_pd": PROBLEM.first_width}, PROBLEM.coarse_width_points[cost]
                )
            )
    return found[: PROBLEM.tried_widths[cost]]
