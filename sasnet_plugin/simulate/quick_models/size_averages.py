"""Size distributions of particles with orientation averages, for the price of a few sizes.

sasmodels averages over orientations anew for every size. For these particles the two averages can change
places. Where the amplitude is a sum of products, each factor depending on one component of q, as that of a
cylinder is f(q_ab) g(q_c), the products of factors are averaged over sizes once, in a table against that
component, and the orientation average takes them from there. A size that changes several factors leaves
their terms in the table, each size's by itself. An ellipsoid seen along any direction is a
sphere, so that sizes and directions together are one distribution of radii. The loops are in
``size_averages.c``, which is compiled as sasmodels' models are.

Amplitudes: A. Guinier & G. Fournet, Small-Angle Scattering of X-Rays (1955), for cylinders and ellipsoids;
P. Mittelbach & G. Porod, Acta Phys. Austriaca 14 (1961) 185, for boxes; core and shell are sums of these. The
average of an ellipsoid as one over radii: J. A. Finnigan & D. J. Jacobs, J. Phys. D 4 (1971) 72.
"""

from __future__ import annotations

import ctypes
import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import ArrayCache, Floats
from ..compile_cache import compile_library
from ..kernel_call import fill_of
from ..priors import default_values
from ..size_distributions import count_sizes
from .separable_average import LADDER, LEAST, MOST, rule
from .similar import replace_kernel

if TYPE_CHECKING:
    #: First and last node of each q, and sines, cosines and weights of all nodes.
    _Nodes = tuple[NDArray[np.int32], NDArray[np.int32], Floats, Floats, Floats]

#: Profiles of `size_averages.c`: 2 J₁(x)/x of a disk, sin(x)/x of a slab, cos(x) of two thin slices.
DISK, SLAB, WAVE = 0, 1, 3
#: Distance of the points of a table, in q times the largest half length: a cubic spline of the square, which
#: oscillates twice as fast, is off by 1e-4 of the oscillation.
STEP = 0.21
#: The same for a grid of radii, with cubic interpolation: off by 2e-4 of the oscillation.
RADIUS_STEP = 0.16
#: Points of quadrature for a phase q r, besides `separable_average.LEAST`: flat disks need more than 0.6.
SLOPE = 0.8
#: Most points of a table: with more the orientation average is left to sasmodels.
MOST_POINTS = 200_000

#: Table of the profile of a ball: its step and its end, beyond which each value is calculated.
BALL_STEP, BALL_END = 0.1, 400.0
#: Sum of the lengths of a particle of one size times the mean q, below which sasmodels' loop is quicker.
DIRECT = 40.0
#: Sizes that a distribution usually needs.
_FEW_SIZES = 10
#: Angles to the axis of a particle with caps, as sasmodels has them.
MOST_ANGLES = 76
#: Slices of a cap for its largest phase q r, and besides.
SLICE_SLOPE, SLICE_LEAST = 0.35, 5.0
#: Points of a distribution for the change of a phase q r over it, and besides.
SIZE_SLOPE, SIZE_LEAST = 0.5, 4.0

#: Radius at which an ellipse is seen, Å; largest q, Å⁻¹.
SEEN, Q_MAX = "seen_radius", "q_max"

Parameters = Mapping[str, Floats | float]
#: Half lengths, and factors of each term.
Profiles = tuple[Sequence[Any], Sequence[Sequence[Any]]]


@dataclass(frozen=True)
class Axis:
    """Factors of the amplitude that depend on one component of q.

    ``profiles`` gives half lengths and, for each term of the amplitude, the factor in front of the profile of
    each half length, None for none; arrays over sizes where a parameter among ``parameters`` is one.
    ``ellipse`` gives the half axes of a cross-section
    that is an ellipse. Along a direction it is seen as a disk, whose radius ``profiles`` is given as `SEEN`.
    """

    parameters: tuple[str, ...]
    kind: int
    profiles: Callable[[Parameters], Profiles]
    ellipse: Callable[[Parameters], tuple[Any, Any]] | None = None
    first: int | None = None  #: Kind of the first half length's profile, if it is another.


@dataclass(frozen=True)
class Product:
    """A particle whose amplitude is a sum of products of one factor of each axis; a box has three axes.

    ``smaller`` and ``larger`` name sizes in the order that they must have; with these the orientation
    average is one over the angle, of no more points than sasmodels has.
    """

    axes: tuple[Axis, ...]
    smaller: str = ""
    larger: str = ""


@dataclass(frozen=True)
class Layers:
    """Ellipsoids of one centre and axis, minus those within: both half axes and contrast of each."""

    ellipsoids: Callable[[Parameters], Sequence[tuple[Any, Any, Any]]]


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid of one material; ``half_axes`` gives two equatorial ones and the polar one."""

    half_axes: Callable[[Parameters], tuple[Any, Any, Any]]


def _contrast(p: Parameters) -> Any:
    return p["sld"] - p["sld_solvent"]


def _area(radius: Any) -> Any:
    return np.pi * radius**2


def _slab(length: Any) -> Profiles:
    return [length / 2], [[length]]


def _cylinder(p: Parameters) -> Profiles:
    return [p["radius"]], [[_area(p["radius"]) * _contrast(p)]]


def _hollow_cylinder(p: Parameters) -> Profiles:
    outer, contrast = p["radius"] + p["thickness"], _contrast(p)
    return [outer, p["radius"]], [[_area(outer) * contrast, _area(p["radius"]) * -contrast]]


# Contrasts stand with the axis whose table takes least: a step of one leaves the others as they are.


def _two_disks(inner: Any, outer: Any, areas: tuple[Any, Any]) -> Profiles:
    return [inner, outer], [[areas[0], None], [None, areas[1]]]


def _core_shell_cylinder(p: Parameters) -> Profiles:
    outer = p["radius"] + p["thickness"]
    return _two_disks(p["radius"], outer, (_area(p["radius"]), _area(outer)))


def _core_shell_along(p: Parameters) -> Profiles:
    inner, outer = p["length"], p["length"] + 2 * p["thickness"]
    core, shell = p["sld_core"] - p["sld_shell"], p["sld_shell"] - p["sld_solvent"]
    return [inner / 2, outer / 2], [[inner * core, None], [None, outer * shell]]


def _bicelle(p: Parameters) -> Profiles:
    outer = p["radius"] + p["thick_rim"]
    return _two_disks(p["radius"], outer, (_area(p["radius"]), _area(outer)))


def _bicelle_along(p: Parameters) -> Profiles:
    # Of the core's cross-section the core between the faces, and these; of the rim's the whole height.
    inner, outer = p["length"], p["length"] + 2 * p["thick_face"]
    core, face, rim = p["sld_core"] - p["sld_face"], p["sld_face"] - p["sld_rim"], p["sld_rim"]
    return [inner / 2, outer / 2], [
        [inner * core, outer * face],
        [None, outer * (rim - p["sld_solvent"])],
    ]


def _ellipse(p: Parameters) -> tuple[Any, Any]:
    """Half axes of a core; the models name them differently."""
    minor = p["radius_minor"] if "radius_minor" in p else p["radius"]
    return minor, minor * (p["axis_ratio"] if "axis_ratio" in p else p["x_core"])


def _ellipse_area(p: Parameters, rim: Any = 0.0) -> Any:
    minor, major = _ellipse(p)
    return np.pi * (minor + rim) * (major + rim)


def _elliptical_cylinder(p: Parameters) -> Profiles:
    return [p[SEEN]], [[_ellipse_area(p) * _contrast(p)]]


def _elliptical_bicelle(p: Parameters) -> Profiles:
    areas = _ellipse_area(p), _ellipse_area(p, p["thick_rim"])
    return _two_disks(p[SEEN], p[SEEN] + p["thick_rim"], areas)


def _box_with_rims(side: str) -> Axis:
    """One axis of a box with slabs on its faces, as `sasmodels` has them: none at the edges."""

    def profiles(p: Parameters) -> Profiles:
        inner = p[f"length_{side}"]
        outer = inner + 2 * p[f"thick_rim_{side}"]
        halves = [inner / 2, outer / 2]
        if side != "c":  # the core with the rims of the third axis, those of the first and of the second
            return halves, [[None, outer] if rim == side else [inner, None] for rim in "cab"]
        # Each rim is a longer box less the core.
        rims = [p[f"sld_{x}"] - p["sld_solvent"] for x in "abc"]
        core = p["sld_core"] - p["sld_solvent"] - sum(rims)
        return halves, [[inner * core, outer * rims[2]], [inner * rims[0], None], [inner * rims[1], None]]

    return Axis((f"length_{side}", f"thick_rim_{side}"), SLAB, profiles)


def _side(name: str, *, first: bool = False) -> Axis:
    def profiles(p: Parameters) -> Profiles:
        return [p[name] / 2], [[p[name] * _contrast(p) if first else p[name]]]

    return Axis((name,), SLAB, profiles)


def _cap(p: Parameters) -> tuple[Any, Any, Any]:
    """Radius of the caps, how far their centres are outside the cylinder, and largest radius across."""
    if "radius_bell" in p:
        return (
            p["radius_bell"],
            np.sqrt(np.maximum(p["radius_bell"] ** 2 - p["radius"] ** 2, 0.0)),
            p["radius_bell"],
        )
    return p["radius_cap"], -np.sqrt(np.maximum(p["radius_cap"] ** 2 - p["radius"] ** 2, 0.0)), p["radius"]


def _slice_count(phase: float) -> int:
    return min(math.ceil(SLICE_SLOPE * phase + SLICE_LEAST), MOST)


def _slices(p: Parameters) -> tuple[Floats, Floats, Any, Any]:
    """Nodes t and weights of slices of both caps, (m, 1), their radius and how far its centre is outside."""
    cap, out, across = _cap(p)
    x, weight = rule(_slice_count(float(np.max(p[Q_MAX] * np.maximum(cap + out, across)))))
    height = 1 + out / cap
    return 1 - height * (1 - x[:, None]), height * weight[:, None], cap, out


def _caps_across(p: Parameters) -> Profiles:
    t, weight, cap, _ = _slices(p)
    radii = cap * np.sqrt(1 - t**2)
    areas = 2 * cap * weight * _area(radii) * _contrast(p)
    body = _area(p["radius"]) * p["length"] * _contrast(p)
    return [p["radius"], *radii], _diagonal([body, *areas])


def _caps_along(p: Parameters) -> Profiles:
    t, _, cap, out = _slices(p)
    return [p["length"] / 2, *(p["length"] / 2 + out + cap * t)], _diagonal([1.0] * (len(t) + 1))


def _diagonal(factors: Sequence[Any]) -> Sequence[Sequence[Any]]:
    return [[factor if i == j else None for j in range(len(factors))] for i, factor in enumerate(factors)]


_CAPPED = (Axis((), DISK, _caps_across), Axis((), WAVE, _caps_along, first=SLAB))


def _core_and_shell(p: Parameters) -> Sequence[tuple[Any, Any, Any]]:
    equatorial, polar = p["radius_equat_core"], p["radius_equat_core"] * p["x_core"]
    shell = p["thick_shell"]
    return [
        (equatorial, polar, p["sld_core"] - p["sld_shell"]),
        (equatorial + shell, polar + shell * p["x_polar_shell"], p["sld_shell"] - p["sld_solvent"]),
    ]


_LENGTH = Axis(("length",), SLAB, lambda p: _slab(p["length"]))


#: What is calculated here. A size that no single axis has, as a shell all around, is a sum over its values.
PARTICLES: Mapping[str, Product | Layers | Ellipsoid] = {
    "barbell": Product(_CAPPED, "radius", "radius_bell"),
    "capped_cylinder": Product(_CAPPED, "radius", "radius_cap"),
    "core_shell_bicelle": Product(
        (
            Axis(("radius", "thick_rim"), DISK, _bicelle),
            Axis(("length", "thick_face"), SLAB, _bicelle_along),
        )
    ),
    "core_shell_bicelle_elliptical": Product(
        (
            Axis(("radius", "x_core", "thick_rim"), DISK, _elliptical_bicelle, _ellipse),
            Axis(("length", "thick_face"), SLAB, _bicelle_along),
        )
    ),
    "core_shell_cylinder": Product(
        (
            Axis(("radius",), DISK, _core_shell_cylinder),
            Axis(("length",), SLAB, _core_shell_along),
        )
    ),
    "core_shell_ellipsoid": Layers(_core_and_shell),
    "core_shell_parallelepiped": Product((_box_with_rims("a"), _box_with_rims("b"), _box_with_rims("c"))),
    "cylinder": Product((Axis(("radius",), DISK, _cylinder), _LENGTH)),
    "ellipsoid": Ellipsoid(lambda p: (p["radius_equatorial"], p["radius_equatorial"], p["radius_polar"])),
    "elliptical_cylinder": Product(
        (Axis(("radius_minor", "axis_ratio"), DISK, _elliptical_cylinder, _ellipse), _LENGTH)
    ),
    "hollow_cylinder": Product((Axis(("radius", "thickness"), DISK, _hollow_cylinder), _LENGTH)),
    "parallelepiped": Product((_side("length_a", first=True), _side("length_b"), _side("length_c"))),
    "triaxial_ellipsoid": Ellipsoid(
        lambda p: (p["radius_equat_minor"], p["radius_equat_major"], p["radius_polar"])
    ),
}


def operations(form: str, parameters: Mapping[str, Any], q: Floats) -> float:
    """Estimate how many profiles and interpolations, some 20 ns each, a curve of one of `PARTICLES` takes; q
    in Å⁻¹, sasmodels' parameters and defaults.
    """
    values = {**default_values(form), **parameters}
    counts = {
        name.removesuffix("_pd"): count_sizes(parameters, name)
        for name, width in parameters.items()
        if name.endswith("_pd") and width > 0
    }
    particle = PARTICLES[form]
    if isinstance(particle, Layers):
        return _layer_operations(particle, values, counts, q)
    if isinstance(particle, Ellipsoid):
        return _ellipsoid_operations(particle, values, counts, q)
    if particle.smaller:
        return _cap_operations(values, counts, q)
    apart = math.prod(n for size, n in counts.items() if not _has_axis(particle, size))
    return apart * _product_operations(form, particle, values, counts, q)


def _ellipsoid_operations(
    particle: Ellipsoid, values: Mapping[str, float], counts: Mapping[str, int], q: Floats
) -> float:
    q_max, q_mean = _largest_and_mean(q)
    a, b, c = (float(half_axis) for half_axis in particle.half_axes(values))
    radii = math.prod(counts.values()) * _points_for(q_max * (max(a, b, c) - min(a, b, c)))
    radii *= _points_for(q_max * abs(a - b)) if a != b else 1
    return radii + q.size * (8 + max(a, b, c) * q_mean / RADIUS_STEP)


#: Curves are calculated at the same q again and again: kept by identity, so that each is looked at once.
_KNOWN_Q: dict[int, tuple[Floats, float, float]] = {}


def _largest_and_mean(q: Floats) -> tuple[float, float]:
    known = _KNOWN_Q.get(id(q))
    if known is None or known[0] is not q:
        if len(_KNOWN_Q) > 16:
            _KNOWN_Q.clear()
        known = _KNOWN_Q[id(q)] = q, float(np.max(q)), float(np.mean(q))
    return known[1:]


def _layer_operations(
    particle: Layers, values: Mapping[str, float], counts: Mapping[str, int], q: Floats
) -> float:
    layers = particle.ellipsoids(values)
    spread = max(abs(polar - equatorial) for equatorial, polar, _ in layers)
    nodes = q.size * _points_for(_largest_and_mean(q)[1] * spread)
    return nodes * len(layers) * math.prod(min(n, _FEW_SIZES) for n in counts.values()) / 2


def _cap_operations(values: Mapping[str, float], counts: Mapping[str, int], q: Floats) -> float:
    q_max, q_mean = _largest_and_mean(q)
    cap, out, across = _cap(values)
    slices, along = 1 + _slice_count(q_max * max(cap + out, across)), values["length"] / 2 + cap + out
    points = q_max * (0.5 * values["radius"] + 1.5 * along) / STEP
    nodes = q.size * min(_points_for(q_mean * along), MOST_ANGLES)
    return math.prod(min(n, _FEW_SIZES) for n in counts.values()) * slices * (points / 2 + nodes / 5)


def _product_operations(
    form: str, particle: Product, values: Mapping[str, float], counts: Mapping[str, int], q: Floats
) -> float:
    total, largest, profiles = 0.0, [], _profile_count(form)
    q_max, q_mean = _largest_and_mean(q)
    for axis in particle.axes:
        sizes, parameters = math.prod(counts.get(name, 1) for name in axis.parameters), dict(values)
        if axis.ellipse is not None:
            minor, major = axis.ellipse(values)
            sizes *= _points_for(q_max * abs(major - minor))
            parameters[SEEN] = max(minor, major)
        largest.append(max(map(float, axis.profiles(parameters)[0])))
        total += (q_max * largest[-1] / STEP + 4) * sizes * profiles
    # Columns beside each other take less than as many alone.
    columns = 1 + profiles * (profiles + 1) / 2 / 4
    if len(largest) == 3:
        across = math.hypot(*largest[:2])
        total += columns * (q_max * across / STEP + 4) * _points_for(q_max * across / 2)
    return total + columns * q.size * _points_for(q_mean * max(largest))


@cache
def _profile_count(form: str) -> int:
    # Of the axis that has most of them.
    values = {**default_values(form), SEEN: 1.0}
    terms = (axis.profiles(values)[1] for axis in PARTICLES[form].axes)  # type: ignore[union-attr]
    return max(sum(factor is not None for row in rows for factor in row) for rows in terms)


def add_size_averages(model: Any) -> Any:
    """Make one of `PARTICLES` average sizes before orientations, to 1e-3."""
    from sasmodels.kernel import Kernel
    from sasmodels.kernelpy import PyInput

    particle, places = PARTICLES[model.info.id], _places_of_lengths(model.info)

    class SizeAveragedKernel(Kernel):
        """Fills in what sasmodels' kernels do: F², F, and the sums of weights, volumes and radii."""

        info, dtype, dim = model.info, model.dtype, "1d"

        def __init__(self, q_vectors: list[NDArray[np.float64]]) -> None:
            self.q_input = PyInput(q_vectors, self.dtype)
            self._plain = model.make_kernel(q_vectors)
            # Volumes and radii come from the model itself, at a single q.
            self._totals = model.make_kernel([np.array([1e-6])])
            self._fill_totals: dict[float, Any] = {}
            q, self._back = np.unique(np.asarray(self.q_input.q, dtype=float), return_inverse=True)
            self._q = np.maximum(q, 1e-12)
            self._far = DIRECT / float(np.mean(self._q))
            self.result = np.empty(2 * self.q_input.nq + 4)
            self._amplitude = False

        def choose_plain(self, values: NDArray[np.float64]) -> Any:
            """The model's own kernel where it is quicker for one size of each; else None."""
            lengths = values[places]
            return self._plain if lengths.size and float(np.abs(lengths).sum()) < self._far else None

        def Fq(self, *call: Any, **options: Any) -> Any:
            """Return also the mean amplitude, which a product with a structure factor asks for."""
            self._amplitude = True
            try:
                return super().Fq(*call, **options)
            finally:
                self._amplitude = False

        def Iq(self, call_details: Any, values: Any, cutoff: float, magnetic: bool) -> Any:
            """Return intensities without the mean amplitude."""
            self._call_kernel(call_details, values, cutoff, magnetic, 0)
            nq = self.q_input.nq
            volume = self.result[2 * nq + 2]
            squared = self.result[0 : 2 * nq : 2]
            return values[0] / (volume if volume else 1.0) * squared + values[1]

        __call__ = Iq

        def _call_kernel(
            self, call_details: Any, values: NDArray[np.float64], cutoff: float, magnetic: bool, mode: int
        ) -> None:
            averages = None if magnetic else self._average(call_details, values)
            if averages is None:
                self._plain._call_kernel(call_details, values, cutoff, magnetic, mode)
                self.result[:] = self._plain.result[: self.result.size]
                return
            if cutoff not in self._fill_totals:
                self._fill_totals[cutoff] = fill_of(self._totals, cutoff)
            self._fill_totals[cutoff](call_details, values, mode)
            nq = self.q_input.nq
            squared, mean = averages
            self.result[0 : 2 * nq : 2] = 1e-4 * squared[self._back]
            self.result[1 : 2 * nq : 2] = 1e-2 * mean[self._back]
            self.result[2 * nq :] = self._totals.result[2:6]

        def _average(self, details: Any, values: NDArray[np.float64]) -> tuple[Floats, Floats] | None:
            """F² and F; None where the model's own kernel is to be asked."""
            if not details.num_active and self.choose_plain(values) is not None:
                return None
            sizes = _distributions(self.info, details, values) if details.num_active else {}
            if sizes is None:
                return None
            scalars = _scalars(self.info, values)
            return average(particle, self._q, scalars, sizes, amplitude=self._amplitude)

    return replace_kernel(model, SizeAveragedKernel)


def _places_of_lengths(info: Any) -> list[int]:
    """Places of lengths among a kernel's values; none where tables are quicker for one size, too."""
    table = info.parameters.call_parameters
    single = info.id in ("core_shell_ellipsoid", "cylinder", "ellipsoid")
    return [i for i, p in enumerate(table) if single and p.type == "volume" and p.units == "Ang"]


def average(
    particle: Product | Layers | Ellipsoid, q: Floats, scalars: Mapping[str, float],
    distributions: Mapping[str, tuple[Floats, Floats]], *, amplitude: bool,
) -> tuple[Floats, Floats] | None:  # fmt: skip
    """Sum weight times F² and F (if `amplitude`, else 0) over sizes, averaged over orientations, not
    normalised, sld times Å³; None if a table would be too large. q in Å⁻¹, ascending, above 0;
    `distributions` have values and weights (k,) by size.
    """

    def average_particle(linear: bool) -> Floats:
        if isinstance(particle, Ellipsoid):
            return _average_ellipsoid(particle, q, scalars, distributions, linear)
        if isinstance(particle, Layers):
            return _average_layers(particle, q, scalars, distributions, linear)
        return _average_product(particle, q, scalars, distributions, linear)

    try:
        return average_particle(False), average_particle(True) if amplitude else np.zeros_like(q)
    except _TooLargeError:
        return None


class _TooLargeError(Exception):
    """A table would have more points than `MOST_POINTS`, or no particle has these sizes."""


def average_squares(form: str, q: Floats, cosines: Floats, parameters: Mapping[str, Any]) -> Floats | None:
    """F² of one of `PARTICLES` with two axes at each q, ascending, and cosine to its axis, (n,), averaged
    over sizes, up to a factor; None if a table would be too large.
    """
    distributions = list_distributions(parameters)
    first, last = np.arange(q.size, dtype=np.int32), np.arange(1, q.size + 1, dtype=np.int32)
    nodes = first, last, np.sqrt(1 - cosines**2), cosines, np.ones(q.size)
    scalars = {**default_values(form), **parameters}
    try:
        return _average_product(PARTICLES[form], q, scalars, distributions, False, nodes)  # type: ignore[arg-type]
    except _TooLargeError:
        return None


def list_distributions(parameters: Mapping[str, Any]) -> dict[str, tuple[Floats, Floats]]:
    """Values and weights of the sizes that sasmodels' parameters distribute."""
    from sasmodels.weights import get_weights

    distributions = {}
    wide = [key.removesuffix("_pd") for key, width in parameters.items() if key.endswith("_pd") and width]
    for name in wide:
        kind, points, width, reach = (parameters[f"{name}_pd{key}"] for key in ("_type", "_n", "", "_nsigma"))
        mean = parameters[name]
        distributions[name] = get_weights(kind, points, width, reach, mean, (0.0, np.inf), True)
    return distributions


def _average_product(
    particle: Product, q: Floats, scalars: Mapping[str, float],
    distributions: Mapping[str, tuple[Floats, Floats]], amplitude: bool, nodes: _Nodes | None = None,
) -> Floats:  # fmt: skip
    if not distributions and particle.axes[0].parameters:
        return _average_terms(particle, q, scalars, distributions, amplitude, nodes)
    apart = {name: d for name, d in distributions.items() if not _has_axis(particle, name)}
    distributions = reduce_sizes(distributions, _phases(particle, float(q[-1]), scalars, apart))
    if len(apart) == len(distributions) and _has_few_terms(particle, bool(apart)):
        return _average_apart(particle, q, scalars, distributions, amplitude, nodes)
    total = np.zeros_like(q)
    for weight, sizes in combinations(list(apart), distributions):
        total += weight * _average_terms(particle, q, {**scalars, **sizes}, distributions, amplitude, nodes)
    return total


def _has_axis(particle: Product, size: str) -> bool:
    """Whether a size changes the factors of one axis alone."""
    return any(size in axis.parameters for axis in particle.axes)


def _has_few_terms(particle: Product, apart: bool) -> bool:
    """Whether each size's terms are kept by themselves: of two axes, where a size changes both."""
    return len(particle.axes) == 2 and (apart or not particle.axes[0].parameters)


def _average_terms(
    particle: Product, q: Floats, scalars: Mapping[str, float],
    distributions: Mapping[str, tuple[Floats, Floats]], amplitude: bool, nodes: _Nodes | None = None,
) -> Floats:  # fmt: skip
    """Average over orientations, or take at `nodes`, the products of tables, one table for each axis."""
    tables = [_axis_table(axis, q[-1], scalars, distributions, amplitude) for axis in particle.axes]
    across, *rest = tables
    if len(rest) == 2:
        across = _average_box_turn(across, rest[0], q[-1], amplitude)
        rest = rest[1:]
    nodes = nodes or _nodes(q * max(across.largest, rest[0].largest), _all_directions())
    out = np.empty_like(q)
    _angle_average(q, nodes, across, rest[0], amplitude, out)
    return out


def _phases(
    particle: Product, q_max: float, scalars: Mapping[str, float],
    distributions: Mapping[str, tuple[Floats, Floats]],
) -> dict[str, float]:  # fmt: skip
    """Change of the largest phase q r over each distribution."""
    phases = {}
    for name, (sizes, _) in distributions.items():
        p: Parameters = {**scalars, name: sizes, Q_MAX: q_max}
        _check_order(particle, p)
        halves = [_rows(axis.profiles(p)[0], sizes.size) for axis in particle.axes]
        phases[name] = q_max * math.hypot(*(float(np.ptp(rows, axis=1).max()) for rows in halves))
    return phases


def _check_order(particle: Product, p: Parameters) -> None:
    # sasmodels leaves out sizes that no particle has: what is left has other moments.
    if particle.smaller and np.any(p[particle.smaller] > p[particle.larger]):
        raise _TooLargeError


def reduce_sizes(
    distributions: Mapping[str, tuple[Floats, Floats]], phases: Mapping[str, float]
) -> dict[str, tuple[Floats, Floats]]:
    """Distributions with as few sizes as these changes of phase over each need, with the same moments."""
    reduced = dict(distributions)
    for name, phase in phases.items():
        sizes, weights = distributions[name]
        count = math.ceil(SIZE_SLOPE * phase + SIZE_LEAST)
        if count < sizes.size and sizes[-1] > sizes[0]:
            low, span = float(sizes[0]), float(sizes[-1] - sizes[0])
            total = float(weights.sum())
            # Rounded, so that those of one kind and number of points are the same for any size.
            known = np.round((sizes - low) / span, 9), np.round(weights / total, 9)
            nodes, shares = _gauss_rule(*(part.tobytes() for part in known), count)
            reduced[name] = low + span * nodes, total * shares
    return reduced


@lru_cache(maxsize=256)
def _gauss_rule(points: bytes, weights: bytes, count: int) -> tuple[Floats, Floats]:
    """Gauss' rule of a sum over weighted points (G. H. Golub and J. H. Welsch, Math. Comput. 23, 1969)."""
    x, share = np.frombuffer(points), np.frombuffer(weights)
    x, share = x[share > 0], share[share > 0]
    count = min(count, x.size)
    basis, matrix = np.sqrt(share / share.sum())[:, None], np.zeros((count, count))
    for i in range(count):
        following = x * basis[:, -1]
        matrix[: i + 1, i] = matrix[i, : i + 1] = basis.T @ following
        following -= basis @ (basis.T @ following)
        following -= basis @ (basis.T @ following)
        basis = np.column_stack([basis, following / max(float(np.linalg.norm(following)), 1e-300)])
    nodes, vectors = np.linalg.eigh(matrix)
    return nodes, share.sum() * vectors[0] ** 2


def _average_apart(
    particle: Product, q: Floats, scalars: Mapping[str, float],
    distributions: Mapping[str, tuple[Floats, Floats]], amplitude: bool, nodes: _Nodes | None,
) -> Floats:  # fmt: skip
    """Average over orientations and sizes, the terms of each size from two tables."""
    weights, sizes = _flat(list(distributions), distributions)
    parameters: Parameters = {**scalars, **sizes, Q_MAX: q[-1]}
    _check_order(particle, parameters)
    first, second = (_term_table(axis, q[-1], parameters, weights.size) for axis in particle.axes)
    phases = q * max(first.largest, second.largest)
    if nodes is None and particle.smaller:
        nodes = _nodes(np.minimum(phases, (MOST_ANGLES - LEAST) / SLOPE), _all_angles())
    begin, end, sine, cosine, weight = nodes or _nodes(phases, _all_directions())
    out, work = np.empty_like(q), np.empty(2 * first.terms * weights.size)
    _library().term_average(
        q.size, _pointer(q), _pointer(begin), _pointer(end), _pointer(sine), _pointer(cosine),
        _pointer(weight),
        first.terms, weights.size, _pointer(weights), int(amplitude),
        len(first.entries), first.step, _pointer(first.entries),
        len(second.entries), second.step, _pointer(second.entries), _pointer(out), _pointer(work),
    )  # fmt: skip
    return out


def _term_table(axis: Axis, q_max: float, parameters: Parameters, sizes: int) -> _Table:
    half_lengths, terms = axis.profiles(parameters)
    halves = _rows(half_lengths, sizes)
    factors = _rows(_factors(terms), sizes)
    kinds = np.full(len(halves), axis.kind, dtype=np.int32)
    kinds[0] = axis.kind if axis.first is None else axis.first
    # An amplitude oscillates half as fast as its square; what waves add up to is far less than each.
    points, step = _grid(q_max, float(halves.max()) * (1.5 if axis.kind == WAVE else 0.5))
    entries, work = np.empty((points, 2, sizes * len(terms))), np.empty(2 * points)
    _library().term_table(
        _pointer(kinds), len(halves), len(terms), sizes, _pointer(halves), _pointer(factors), points, step,
        _pointer(entries), _pointer(work),
    )  # fmt: skip
    return _Table(entries, step, len(terms), float(halves.max()))


@dataclass(frozen=True)
class _Table:
    """Averages over sizes on an even grid of one component of q, (points, columns, 2)."""

    entries: Floats
    step: float  #: Å⁻¹
    terms: int
    largest: float  #: largest half length, Å
    key: Hashable = None  #: What it was calculated of.


def _axis_table(
    axis: Axis, q_max: float, scalars: Mapping[str, float],
    distributions: Mapping[str, tuple[Floats, Floats]], amplitude: bool,
) -> _Table:  # fmt: skip
    names = [name for name in distributions if name in axis.parameters]
    weights, sizes = _flat(names, distributions)
    parameters: Parameters = {**scalars, **sizes}
    if axis.ellipse is not None:
        weights, parameters = _average_directions(axis.ellipse, q_max, weights, parameters)
    half_lengths, terms = axis.profiles(parameters)
    halves = _rows(half_lengths, weights.size)
    factors = _rows(_factors(terms), weights.size)

    def calculate() -> _Table:
        points, step = _grid(q_max, float(halves.max()))
        columns = len(terms) if amplitude else len(terms) * (len(terms) + 1) // 2
        entries, work = np.empty((points, columns, 2)), np.empty((len(terms) + 3 + columns) * points)
        _library().size_table(
            axis.kind, len(halves), len(terms), weights.size, _pointer(halves), _pointer(factors),
            _pointer(weights), int(amplitude), points, step, _pointer(entries), _pointer(work),
        )  # fmt: skip
        return _Table(entries, step, len(terms), float(halves.max()), key)

    key = axis.kind, len(terms), amplitude, q_max, halves.tobytes(), factors.tobytes(), weights.tobytes()
    return _TABLES.get(key, calculate, lambda table: table.entries.nbytes)


#: A step along a parameter of one axis leaves the tables of the others as they are.
_TABLES: ArrayCache[_Table] = ArrayCache(1 << 20)


def _factors(terms: Sequence[Sequence[Any]]) -> list[Any]:
    return [0.0 if factor is None else factor for row in terms for factor in row]


def _rows(values: Sequence[Any], size: int) -> Floats:
    """Numbers, or arrays of one size, as the rows of a table."""
    if size == 1:
        scalars = [value.item() if isinstance(value, np.ndarray) else value for value in values]
        return np.array(scalars, dtype=float).reshape(len(scalars), 1)
    table = np.empty((len(values), size))
    for row, value in zip(table, values, strict=True):
        row[:] = value
    return table


def _average_directions(
    ellipse: Callable[[Parameters], tuple[Any, Any]], q_max: float, weights: Floats, parameters: Parameters
) -> tuple[Floats, Parameters]:
    """Sizes and weights times directions in the plane of an ellipse, with the radius at which it is seen."""
    minor, major = (np.broadcast_to(half_axis, weights.shape) for half_axis in ellipse(parameters))
    turn, share = rule(_points_for(q_max * float(np.max(np.abs(major - minor)))))
    sine = np.sin(np.pi / 2 * turn)[:, None] ** 2
    widths = np.sqrt(minor**2 * sine + major**2 * (1 - sine)).ravel()
    sizes = {
        name: np.tile(value, turn.size) if np.ndim(value) else value for name, value in parameters.items()
    }
    return np.outer(share, weights).ravel(), {**sizes, SEEN: widths}


def _grid(q_max: float, largest: float) -> tuple[int, float]:
    phases = q_max * largest / STEP
    if not phases <= MOST_POINTS:
        raise _TooLargeError
    # Four points beyond the end, where the spline is worse.
    points = max(int(phases) + 4, 12)
    return points, q_max / (points - 4)


def _average_box_turn(a: _Table, b: _Table, q_max: float, amplitude: bool) -> _Table:
    """Average two axes of a box over the turn about the third, as one table."""
    largest = math.hypot(a.largest, b.largest)

    def calculate() -> _Table:
        points, step = _grid(q_max, largest)
        q = np.asarray(step * np.arange(points, dtype=float))
        nodes = _nodes(q * max(a.largest, b.largest), _all_turns())
        # The tables of both axes end before the last points of this one, which only keep its spline smooth.
        entries = np.empty((points, a.entries.shape[1], 2))
        _angle_average(q, nodes, a, b, amplitude, entries, step=step)
        return _Table(entries, step, a.terms, largest)

    return _TABLES.get((a.key, b.key, q_max), calculate, lambda table: table.entries.nbytes)


def _angle_average(
    q: Floats, nodes: _Nodes,
    first: _Table, second: _Table, amplitude: bool, out: Floats, *, step: float = 0.0,
) -> None:  # fmt: skip
    begin, end, sine, cosine, weight = nodes
    work = np.empty(2 * q.size)
    _library().angle_average(
        q.size, _pointer(q), _pointer(begin), _pointer(end), _pointer(sine), _pointer(cosine),
        _pointer(weight),
        first.terms, int(amplitude), len(first.entries), first.step, _pointer(first.entries),
        len(second.entries), second.step, _pointer(second.entries),
        int(step == 0.0), step, _pointer(out), _pointer(work),
    )  # fmt: skip


def _average_ellipsoid(
    particle: Ellipsoid, q: Floats, scalars: Mapping[str, float],
    distributions: Mapping[str, tuple[Floats, Floats]], amplitude: bool,
) -> Floats:  # fmt: skip
    weights, sizes = _flat(list(distributions), distributions)
    a, b, c = (
        np.broadcast_to(half_axis, weights.shape) for half_axis in particle.half_axes({**scalars, **sizes})
    )
    factor = 4 / 3 * np.pi * a * b * c * (scalars["sld"] - scalars["sld_solvent"])
    power = 1 if amplitude else 2
    weights = weights * factor**power
    spread = np.max([a, b, c], axis=0) - np.min([a, b, c], axis=0)
    u, share = rule(_points_for(q[-1] * float(spread.max())))
    squares, across = u[:, None] ** 2, a**2
    if np.any(a != b):
        turn, part = rule(_points_for(q[-1] * float(np.max(np.abs(a - b)))))
        sine = np.sin(np.pi / 2 * turn)[:, None] ** 2
        across = (a**2 * sine + b**2 * (1 - sine)).ravel()
        weights, c = np.outer(part, weights).ravel(), np.tile(c, part.size)
    radii = np.sqrt((1 - squares) * across + squares * c**2).ravel()
    if not q[-1] * np.ptp(radii) / RADIUS_STEP <= MOST_POINTS:
        raise _TooLargeError
    weights = (share[:, None] * weights).ravel()
    out = np.empty_like(q)
    out_of_memory = _library().ball_average(
        radii.size, _pointer(radii), _pointer(weights), power, q.size, _pointer(q),
        RADIUS_STEP, _pointer(out),
    )  # fmt: skip
    if out_of_memory:
        raise MemoryError
    return out


def _average_layers(
    particle: Layers, q: Floats, scalars: Mapping[str, float],
    distributions: Mapping[str, tuple[Floats, Floats]], amplitude: bool,
) -> Floats:  # fmt: skip
    phases = {}
    for name, (sizes, _) in distributions.items():
        layers = particle.ellipsoids({**scalars, name: sizes})
        phases[name] = float(q[-1]) * max(
            float(np.ptp(axis)) for *half_axes, _ in layers for axis in half_axes
        )
    distributions = reduce_sizes(distributions, phases)
    weights, sizes_of = _flat(list(distributions), distributions)
    layers = particle.ellipsoids({**scalars, **sizes_of})
    equatorial, polar, contrasts = (_rows(column, weights.size) for column in zip(*layers, strict=True))
    factors = 4 / 3 * np.pi * equatorial**2 * polar * contrasts
    spread = float(np.abs(polar - equatorial).max())
    begin, end, _, cosine, weight = _nodes(q * spread, _all_directions())
    squares, balls, out = (equatorial**2, polar**2), _ball_table(), np.empty_like(q)
    work = np.empty(factors.size * int(np.max(end - begin)))
    _library().layer_average(
        q.size, _pointer(q), _pointer(begin), _pointer(end), _pointer(cosine), _pointer(weight),
        len(layers), weights.size, *map(_pointer, squares), _pointer(factors), _pointer(weights),
        int(amplitude), len(balls), BALL_STEP, _pointer(balls), _pointer(out), _pointer(work),
    )  # fmt: skip
    return out


@cache
def _ball_table() -> Floats:
    points = round(BALL_END / BALL_STEP)
    table, work = np.empty((points, 2)), np.empty(2 * points)
    _library().ball_table(points, BALL_STEP, _pointer(table), _pointer(work))
    return table


def _points_for(phase: float) -> int:
    return LADDER[min(bisect_left(LADDER, SLOPE * phase + LEAST), len(LADDER) - 1)]


@cache
def _all_rules() -> tuple[dict[int, int], Floats, Floats]:
    """Where the rule of each step of the ladder begins among all, and nodes and weights of all."""
    begins = dict(zip(LADDER, np.cumsum([0, *LADDER[:-1]]).tolist(), strict=True))
    rules = [rule(n) for n in LADDER]
    return begins, np.concatenate([x for x, _ in rules]), np.concatenate([w for _, w in rules])


@cache
def _all_directions() -> tuple[Floats, Floats, Floats]:
    """Sine and cosine to an axis at the nodes of all rules, which are cosines, and their weights."""
    _, cosine, weight = _all_rules()
    return np.sqrt(1 - cosine**2), cosine, weight


@cache
def _all_turns() -> tuple[Floats, Floats, Floats]:
    """The same about an axis: the nodes are shares of a quarter of a turn."""
    _, turn, weight = _all_rules()
    return np.sin(np.pi / 2 * turn), np.cos(np.pi / 2 * turn), weight


@cache
def _all_angles() -> tuple[Floats, Floats, Floats]:
    """As `_all_directions`, the nodes being angles to the axis."""
    _, _, weight = _all_rules()
    sine, cosine, _ = _all_turns()
    return sine, cosine, weight * sine * np.pi / 2


def _nodes(
    phases: Floats, angles: tuple[Floats, Floats, Floats]
) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats, Floats, Floats]:
    """First and last node for each phase, with the angles of all."""
    steps, starts, ends = _ranges()
    rows = np.searchsorted(steps, np.minimum(SLOPE * phases + LEAST, MOST))
    return starts[rows], ends[rows], *angles


@cache
def _ranges() -> tuple[Floats, NDArray[np.int32], NDArray[np.int32]]:
    """Steps of the ladder, and the first and last node of each."""
    begins, _, _ = _all_rules()
    starts = np.array([begins[n] for n in LADDER], dtype=np.int32)
    return np.array(LADDER, dtype=float), starts, (starts + np.array(LADDER)).astype(np.int32)


def _flat(
    names: Sequence[str], distributions: Mapping[str, tuple[Floats, Floats]]
) -> tuple[Floats, dict[str, Floats]]:
    """Weights and values of every combination of some sizes, each (k,)."""
    weights: Floats = np.ones(1)
    values: dict[str, Floats] = {}
    for name in names:
        sizes, share = distributions[name]
        values = {key: np.repeat(column, sizes.size) for key, column in values.items()}
        values[name] = np.tile(sizes, weights.size)
        weights = np.outer(weights, share).ravel()
    return weights, values


def combinations(
    names: Sequence[str], distributions: Mapping[str, tuple[Floats, Floats]]
) -> Iterator[tuple[float, dict[str, float]]]:
    """Weights and values of sizes, every combination of those of each name."""
    choices = [zip(*distributions[name], strict=True) for name in names]
    for chosen in itertools.product(*choices):
        sizes = {name: float(value) for name, (value, _) in zip(names, chosen, strict=True)}
        yield math.prod(float(weight) for _, weight in chosen), sizes


@cache
def _names_of(form: str) -> tuple[str, ...]:
    return tuple(default_values(form))


def _scalars(info: Any, values: NDArray[np.float64]) -> dict[str, float]:
    names = _names_of(info.id)
    return dict(zip(names, values[: len(names)].tolist(), strict=False))


def _distributions(
    info: Any, details: Any, values: NDArray[np.float64]
) -> dict[str, tuple[Floats, Floats]] | None:
    """Values and weights of the sizes that are distributed; None where anything else is."""
    count, first = info.parameters.npars, info.parameters.nvalues
    lengths, offsets = np.asarray(details.length[:count]), np.asarray(details.offset[:count])
    second = first + int(details.num_weights)
    table, distributions = info.parameters.call_parameters, {}
    for index in np.flatnonzero(lengths > 1):
        parameter = table[int(index) + 2]
        if parameter.type != "volume":
            return None
        part = slice(int(offsets[index]), int(offsets[index] + lengths[index]))
        distributions[parameter.name] = (
            values[first:][part].astype(float),
            values[second:][part].astype(float),
        )
    return distributions


def _pointer(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])  # half the time of `array.ctypes.data`


@cache
def _library() -> Any:
    source = resources.files(__package__).joinpath("size_averages.c").read_text(encoding="utf-8")
    library = ctypes.CDLL(str(compile_library("sasnet_size_averages", source)))
    number, real, array = ctypes.c_int, ctypes.c_double, ctypes.c_void_p
    library.size_table.restype = library.angle_average.restype = None
    library.size_table.argtypes = [
        *[number] * 4, array, array, array, number, number, real, array, array,
    ]  # fmt: skip
    library.angle_average.argtypes = [
        number, *[array] * 6, number, number, number, real, array, number, real, array, number, real,
        array, array,
    ]  # fmt: skip
    library.term_table.restype = library.term_average.restype = None
    library.term_table.argtypes = [array, number, number, number, array, array, number, real, array, array]
    library.term_average.argtypes = [
        number, *[array] * 6, number, number, array, number, number, real, array, number, real, array, array,
        array,
    ]  # fmt: skip
    library.layer_average.restype = library.ball_table.restype = None
    library.layer_average.argtypes = [
        number, *[array] * 5, number, number, *[array] * 4, number, number, real, array, array, array,
    ]  # fmt: skip
    library.ball_table.argtypes = [number, real, array, array]
    library.ball_average.argtypes = [number, array, array, number, number, array, real, array]
    return library
