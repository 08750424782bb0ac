"""What a fit has spent, counted in evaluations of models: the same on every machine, busy or idle.

Each curve that is computed counts what it costs on one core of a usual machine, from its points of q, of size
distributions and of orientation averages. Budgets are in these seconds, so that the same data have the same
answer wherever they are fitted. Where a machine falls so far behind that its time limit would be up before,
its clock on the wall takes the lead: then the search ends early, and `cut` says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.model_costs import ADDED, LAYERS, OWN, PER_POINT
from sasnet_plugin.fitting.settings import EFFORT
from sasnet_plugin.simulate.quick_models.lattice import LATTICES
from sasnet_plugin.simulate.quick_models.quick import FIXED, fit_cost_class, is_quick
from sasnet_plugin.simulate.quick_models.similar import SIMILAR


@dataclass
class _Meter(threading.local):
    counted: float = 0.0
    began: float = 0.0
    budget: float = np.inf
    wall: float = np.inf
    since: float | None = None  # the first evaluation: until then models are compiled and loaded
    shortened: bool = False


_METER = _Meter()


def begin(budget: float, wall: float) -> None:
    """Begin a piece of work.

    Parameters
    ----------
    budget : float
        What it may spend, s.
    wall : float
        Seconds on the wall by which it has to be done.
    """
    _METER.began, _METER.budget, _METER.wall = _METER.counted, budget, wall
    _METER.since, _METER.shortened = None, False


def shorten() -> None:
    """Say that the clock on the wall has ended the present piece of work before its time."""
    _METER.shortened = True


def used() -> float:
    """What the present piece of work has spent, s."""
    return _METER.counted - _METER.began


def spent() -> float:
    """What this thread has spent, s: differences mean something."""
    return max(_METER.counted, _METER.began + _on_the_wall())


def cut() -> bool:
    """Whether the clock on the wall has shortened the present piece of work."""
    late = _on_the_wall() > max(used(), EFFORT.unnoticed * _METER.budget) and used() > 0
    return late or _METER.shortened


def _on_the_wall() -> float:
    """Of the budget, what the share of the time that has passed stands for."""
    if _METER.since is None or not np.isfinite(_METER.budget) or not np.isfinite(_METER.wall):
        return 0.0
    return _METER.budget * (time.monotonic() - _METER.since) / max(_METER.wall, EFFORT.each)


def count(name: str, parameters: Mapping[str, Any], q: NDArray[np.float64], *, quick: bool) -> None:
    """Count an evaluation, as `cost` has it."""
    if _METER.since is None:
        _METER.since = time.monotonic()
    _METER.counted += cost(name, parameters, q, quick=quick)


def cost(name: str, parameters: Mapping[str, Any], q: NDArray[np.float64], *, quick: bool) -> float:
    """What an evaluation counts, s.

    Parameters
    ----------
    name : str
        sasmodels' name of the model, or of one component of a sum.
    parameters : mapping
        sasmodels' parameters, those of size distributions included.
    q : (n,) float array
        Å⁻¹, where it is calculated.
    quick : bool
        With the model of `simulate.quick_models.quick`.
    """
    form = name.partition("@")[0]
    points, widest, across, along, ratio = 1, 1.0, 0.0, 0.0, 1.0
    for key, value in parameters.items():
        if key.endswith("_pd") and value > 0:
            points *= max(int(parameters.get(f"{key}_n", EFFORT.points)), 1)
            if key.removesuffix("_pd") == SIMILAR.get(form):  # one curve up to the largest body
                widest *= 1 + EFFORT.widths * float(value)
        elif key in _sizes(form):
            half = abs(float(value)) * (0.5 if key.startswith("length") else 1.0)
            along, across = (max(along, half), across) if key in _ALONG else (along, max(across, half))
        elif key in _ratios(form):
            ratio *= max(abs(float(value)), 1.0)
    sizes = widest * max(along, ratio * across), widest * ratio * (across or along)
    each = _each_point(form, sizes, q, quick and is_quick(name)) + EFFORT.node * _added(form, parameters)
    return EFFORT.each + points * q.size * each


def look_cost(form: str, factor: str | None) -> float:
    """What it counts to compare a curve with the bank's of a model, or of a sum, s."""
    factors = EFFORT.look_factor if factor or "@" in form else 1.0
    return EFFORT.look * factors * (EFFORT.look_sum if "+" in form else 1.0)


def count_look(form: str, factor: str | None, starts: int = 0) -> None:
    """Count a comparison with the bank, and so many starts chosen from it."""
    several = 1 + EFFORT.look_starts * starts if "+" in form else 1
    _METER.counted += several * look_cost(form, factor)


def _each_point(form: str, sizes: tuple[float, float], q: NDArray[np.float64], quick: bool) -> float:
    """Seconds of a point of q: points of its orientation averages, which grow with q times size.

    As sasmodels' kernels have it, the outer integral goes with the largest half length, the inner one with
    the largest across the axis.
    """
    kind, added = fit_cost_class(form), form in ADDED or form in LAYERS
    if added or kind == "fast" or (quick and form in LATTICES):
        return EFFORT.point
    if form in LATTICES:
        nodes = np.full(q.size, EFFORT.most_nodes)
    elif form in FIXED:
        nodes = np.full(q.size, float(FIXED[form] if quick else OWN[form]) ** 2)
    else:
        outer, inner = (EFFORT.slope * q * size + EFFORT.least for size in sizes)
        nodes = (1.0 if quick else EFFORT.own) * (outer if kind == "medium" else outer * inner)
    each = EFFORT.node * PER_POINT.get(form, 1.0)
    return EFFORT.point + each * float(np.mean(np.minimum(nodes, EFFORT.most_nodes)))


#: Lengths along a body's axis; all others lie across it.
_ALONG = frozenset({"length", "length_c", "radius_polar", "thick_core"})


def _added(form: str, parameters: Mapping[str, Any]) -> float:
    """Terms that a model adds up at each point of q."""
    layer, terms = LAYERS.get(form, ("", 0.0))
    return ADDED.get(form, 0.0) + terms * abs(float(parameters.get(layer, 1.0)))


@cache
def _ratios(form: str) -> frozenset[str]:
    """Parameters of a form by which a length is multiplied to give another."""
    from sasnet_plugin.simulate.priors import model_info

    names = (p.name for p in model_info(form).parameters.kernel_parameters)
    return frozenset(name for name in names if name.endswith("_ratio") or name.startswith("x_core"))


@cache
def _sizes(form: str) -> frozenset[str]:
    from sasnet_plugin.simulate.priors import model_info

    if fit_cost_class(form) == "fast":
        return frozenset()
    table = model_info(form).parameters.call_parameters
    return frozenset(p.name for p in table if p.type == "volume" and p.units == "Ang")
