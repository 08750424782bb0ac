"""What an evaluation of a model counts: seconds on one core of a usual machine, the same on every machine.

From its points of q, of size distributions and of orientation averages; and for models that do more than
average over orientations, from measured tables, in units of a point of
quadrature, `settings.EFFORT.node`. Without them a stack of layers counts ten times what it takes,
and has a tenth of the search that others have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simulate.lengths import MISLABELLED
from ..simulate.quick_models.cost_classes import cost_class
from ..simulate.quick_models.lattice import LATTICES
from ..simulate.quick_models.quick import FIXED, LEAST, SLOPE, fit_cost_class, is_quick
from ..simulate.quick_models.similar import SIMILAR
from ..simulate.quick_models.size_averages import PARTICLES, operations
from ..simulate.size_distributions import count_sizes, mean_of_sizes
from .settings import EFFORT

#: Terms that are added up at each point of q, whatever the parameters.
ADDED: Mapping[str, float] = {
    "fractal_core_shell": 2.0,
    "lamellar_stack_paracrystal": 4.0,
    "pearl_necklace": 2.0,
}

#: The parameter that counts the layers, and the terms for each of them.
LAYERS: Mapping[str, tuple[str, float]] = {
    "core_multi_shell": ("n", 0.6),
    "lamellar_hg_stack_caille": ("Nlayers", 0.5),
    "lamellar_stack_caille": ("Nlayers", 0.6),
    "linear_pearls": ("num_pearls", 0.2),
    "multilayer_vesicle": ("n_shells", 1.0),
    "onion": ("n_shells", 3.2),
    "spherical_sld": ("n_shells", 100.0),
}

#: A point of the average over orientations takes so many times the usual: Bessel functions for two or three
#: surfaces, a third integral for each point of the two (pringle, superball), or Python (polyhedra).
PER_POINT: Mapping[str, float] = {
    "core_shell_bicelle": 4.0,
    "core_shell_cylinder": 3.0,
    "hollow_cylinder": 2.5,
    "micromagnetic_FF_3D": 2.5,
    "pringle": 30.0,
    "prism": 12.0,
    "stacked_disks": 2.0,
    "superball": 400.0,
    "tetrahedron": 7.0,
    "truncated_tetrahedron": 15.0,
}

#: The same for each of so many layers that are added up in every direction.
STACKED: Mapping[str, tuple[str, float]] = {"stacked_disks": ("n_stacking", 0.5)}

#: Directions on the sphere that these models average over, whatever their size.
DIRECTIONS: Mapping[str, int] = {"prism": 500, "tetrahedron": 500, "truncated_tetrahedron": 500}

#: Points of each of the two integrals in sasmodels, where their number is fixed.
OWN: Mapping[str, int] = {"micromagnetic_FF_3D": 76, "superball": 20}


def cost(name: str, parameters: Mapping[str, Any], q: NDArray[np.float64], *, quick: bool) -> float:
    """Estimate an evaluation's cost, s, of a model or component at q, Å⁻¹."""
    form = name.partition("@")[0]
    if quick and form in PARTICLES:
        return EFFORT.each + EFFORT.averaged * operations(form, parameters, q)
    points, widest = _count_distribution_points(form, parameters)
    if _has_no_directions(form, quick):
        return EFFORT.each + points * q.size * (
            EFFORT.node + EFFORT.node * _count_added_terms(form, parameters)
        )
    along, across = (_longest(names, parameters) for names in _sizes(form))
    ratios = _ratios(form)
    ratio = math.prod(max(abs(float(value)), 1.0) for key, value in parameters.items() if key in ratios)
    sizes = widest * max(along, ratio * across), widest * ratio * (across or along)
    added = EFFORT.node * _count_added_terms(form, parameters)
    each_node = EFFORT.node * _each_node(form, parameters)
    point_cost = _each_point(form, sizes, q, quick and is_quick(name), each_node) + added
    return EFFORT.each + points * q.size * point_cost


def _count_distribution_points(form: str, parameters: Mapping[str, Any]) -> tuple[int, float]:
    """Points of all size distributions, and how much larger the largest body is that needs a curve."""
    points, widest = 1, 1.0
    for key, value in parameters.items():
        if key.endswith("_pd") and value > 0:
            points *= count_sizes(parameters, key)
            if key.removesuffix("_pd") == SIMILAR.get(form):  # one curve up to the largest body
                widest *= 1 + float(parameters.get(f"{key}_nsigma", 3.0)) * float(value)  # the same
    return points, widest


def _longest(names: frozenset[str], parameters: Mapping[str, Any]) -> float:
    """The largest of some half lengths, Å: of those with a distribution the mean of its sizes."""
    sizes = {
        name: abs(float(parameters[name])) * mean_of_sizes(parameters, f"{name}_pd")
        for name in names & parameters.keys()
    }
    return max(
        (0.5 * size if name.startswith("length") else size for name, size in sizes.items()), default=0.0
    )


def look_cost(form: str, factor: str | None) -> float:
    """What it counts to compare a curve with the bank's of a model, or of a sum, s."""
    factors = EFFORT.look_factor if factor or "@" in form else 1.0
    return EFFORT.look * factors * (EFFORT.look_factor if "+" in form else 1.0)


def _each_point(
    form: str, sizes: tuple[float, float], q: NDArray[np.float64], quick: bool, each_node: float
) -> float:
    """Seconds of a point of q: points of its orientation averages, which grow with q times size."""
    # As sasmodels' kernels have it, the outer integral goes with the largest half length, the inner one with
    # the largest across the axis.
    nodes = _nodes(form, sizes, q, quick)
    return EFFORT.node + each_node * float(np.mean(np.minimum(nodes, EFFORT.most_nodes)))


@cache
def _has_no_directions(form: str, quick: bool) -> bool:
    """Whether nothing is averaged over orientations, or what is takes less than what is added up."""
    added = form in ADDED or form in LAYERS
    return added or _kind(form, quick) == "fast" or (quick and form in LATTICES)


def _kind(form: str, quick: bool) -> str:
    """Cost class of a form as it is calculated; sasmodels' own curve of some is slower than the quick one."""
    return cost_class(form) if form in PARTICLES and not quick else fit_cost_class(form)


#: What these models average over is their cross-section alone: a coil's length costs nothing.
_SECTIONS = {"flexible_cylinder_elliptical": frozenset({"radius"})}

#: Lengths along a body's axis; all others lie across it.
_ALONG = frozenset({"length", "length_c", "radius_polar", "thick_core"})


def _count_added_terms(form: str, parameters: Mapping[str, Any]) -> float:
    """Terms that a model adds up at each point of q."""
    layer, terms = LAYERS.get(form, ("", 0.0))
    return ADDED.get(form, 0.0) + terms * abs(float(parameters.get(layer, 1.0)))


def _each_node(form: str, parameters: Mapping[str, Any]) -> float:
    """What a direction takes, over the usual."""
    layer, terms = STACKED.get(form, ("", 0.0))
    return PER_POINT.get(form, 1.0) + terms * abs(float(parameters.get(layer, 1.0)))


@cache
def _ratios(form: str) -> frozenset[str]:
    """Parameters of a form by which a length is multiplied to give another."""
    from ..simulate.priors import model_info

    names = (p.name for p in model_info(form).parameters.kernel_parameters)
    return frozenset(name for name in names if name.endswith("_ratio") or name.startswith("x_core"))


@cache
def _sizes(form: str) -> tuple[frozenset[str], frozenset[str]]:
    """Lengths of a form along its axis, and across it; none where no orientations are averaged over."""
    from ..simulate.priors import model_info

    if fit_cost_class(form) == "fast":
        return frozenset(), frozenset()
    if form in _SECTIONS:
        return frozenset(), _SECTIONS[form]
    table = model_info(form).parameters.call_parameters
    names = frozenset(
        p.name for p in table if p.type == "volume" and MISLABELLED.get((form, p.name), p.units) == "Ang"
    )
    return names & _ALONG, names - _ALONG


def _count_fixed_nodes(form: str, quick: bool) -> float | None:
    """Return the number of directions if it does not depend on sizes."""
    if form in LATTICES:
        return EFFORT.most_nodes
    if form in FIXED:
        return (FIXED if quick else OWN)[form] ** 2
    return DIRECTIONS.get(form)


def _nodes(form: str, sizes: tuple[float, float], q: NDArray[np.float64], quick: bool) -> NDArray[np.float64]:
    """Directions that are averaged over at each q."""
    fixed = _count_fixed_nodes(form, quick)
    if fixed is not None:
        return np.full(q.size, float(fixed))
    outer, inner = (SLOPE * q * size + LEAST for size in sizes)
    return (1.0 if quick else EFFORT.own) * (outer if _kind(form, quick) == "medium" else outer * inner)
