"""Calls of one of sasmodels' kernels, again and again, with what does not change between them kept.

sasmodels' `call_kernel` looks up each parameter and lays out its distributions anew: of a fast model that
takes most of the time of an evaluation. The numbers that reach the kernel are the same, and so is the curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..arrays import ArrayCache, Floats

#: sasmodels rounds the length of a kernel's values up to a multiple of this.
_BLOCK = 32
_COMMON = 2  #: Scale and background, which have no distributions.
#: Points of distributions that sasmodels gives a compiled kernel at a time.
_AT_A_TIME = 100


class KernelCall:
    """As ``sasmodels.direct_model.call_kernel(kernel, parameters, cutoff)``, for a kernel of q alone."""

    def __init__(self, kernel: Any, cutoff: float = 0.0) -> None:
        self._kernel, self._cutoff, layout = kernel, cutoff, _lay_out_parameters(kernel.info)
        self._count, self._size = layout.count, layout.size
        self._defaults, self._plain, self._own = layout.defaults, layout.plain, layout.own
        self._places, self._names, self._magnetic = layout.places, layout.names, layout.magnetic
        self._wide, self._details = layout.wide, layout.details
        self._call = _direct_call(kernel, cutoff)

    def __call__(self, parameters: Mapping[str, Any]) -> Floats:
        """Return I(q), (n,). Raises TypeError for an unknown parameter."""
        if not parameters.keys() <= self._names:
            unknown = sorted(parameters.keys() - self._names)
            raise TypeError(f"Unused parameters in call: {', '.join(unknown)}")
        if any(parameters.get(name) for name in self._magnetic & parameters.keys()):
            from sasmodels.direct_model import call_kernel

            return np.asarray(call_kernel(self._kernel, dict(parameters), cutoff=self._cutoff))
        scalars, places = self._defaults.copy(), self._places
        for name, value in parameters.items():
            if name in places:
                scalars[places[name]] = value
        widths = self._widths(parameters)
        length, values = (1,) * self._count, self._lay_out_monodisperse(scalars)
        if widths:
            points = list(scalars[_COMMON : _COMMON + self._count, None] * self._own[:, None])
            weights = [_ONE] * self._count
            for i, p, width in widths:
                points[i], weights[i] = _distribution(parameters, p, float(scalars[_COMMON + i]), width)
            length, values = tuple(map(len, weights)), self._lay_out(scalars, points, weights)
        return self._call(self._details_of(length), values)

    def _lay_out_monodisperse(self, scalars: Floats) -> Floats:
        """Lay out values as `_lay_out` does one point of weight 1 for each parameter."""
        values, n = self._plain.copy(), self._size
        values[:n] = scalars
        values[n : n + self._count] = scalars[_COMMON : _COMMON + self._count] * self._own
        return np.asarray(values.astype(self._kernel.dtype, copy=False))

    def _widths(self, parameters: Mapping[str, Any]) -> list[tuple[int, Any, float]]:
        """Place, parameter and relative width of each that has a distribution."""
        wide = [(*self._wide[key], float(parameters[key])) for key in self._wide.keys() & parameters.keys()]
        return [width for width in wide if width[2] != 0.0 and parameters.get(f"{width[1].name}_pd_n", 0)]

    def _lay_out(self, scalars: Floats, points: list[Floats], weights: list[Floats]) -> Floats:
        parts = [scalars, *points, *weights]
        length = sum(part.size for part in parts)
        padded = np.zeros(_round_to_block(length))
        np.concatenate(parts, out=padded[:length])
        return np.asarray(padded.astype(self._kernel.dtype, copy=False))

    def _details_of(self, length: tuple[int, ...]) -> Any:
        """How distributions of such lengths lie among the values."""
        details = self._details.get(length)
        if details is None:
            from sasmodels.details import make_details

            lengths = np.array(length, dtype=int)
            offset = np.cumsum(np.hstack((0, lengths)))
            details = make_details(self._kernel.info, lengths, offset[:-1], offset[-1])
            self._details[length] = details
        return details


@dataclass(frozen=True)
class _Layout:
    """How the parameters of a model lie among the values of its kernels."""

    count: int  #: Parameters that may have distributions.
    size: int  #: All parameters.
    defaults: Floats  #: Shape (size,).
    plain: Floats  #: Values without any parameter's, each with one point of weight 1.
    #: Without a distribution an angle has one point, 0, and any other parameter its value.
    own: Floats
    places: Mapping[str, int]
    names: Set[str]  #: All that may be given.
    magnetic: Set[str]
    wide: Mapping[str, tuple[int, Any]]  #: Place and parameter of each width.
    details: dict[tuple[int, ...], Any]  #: sasmodels' by the lengths of distributions.


@lru_cache(maxsize=256)
def _lay_out_parameters(info: Any) -> _Layout:
    table = info.parameters
    parameters, count = table.call_parameters, int(table.npars)
    shaped, size = parameters[_COMMON : _COMMON + count], len(parameters)
    plain = np.ones(_round_to_block(size + 2 * count))
    plain[size + 2 * count :] = 0.0
    places = {p.name: i for i, p in enumerate(parameters)}
    widths = {
        f"{p.name}_{end}"
        for p in parameters
        if p.polydisperse
        for end in ("pd", "pd_n", "pd_nsigma", "pd_type")
    }
    return _Layout(
        count, size, np.array([float(p.default) for p in parameters]), plain,
        np.array([0.0 if p.polydisperse and not p.relative_pd else 1.0 for p in shaped]),
        places, places.keys() | widths,
        {p.name for p in parameters[table.nvalues - 3 * table.nmagnetic :: 3]},
        {f"{p.name}_pd": (i, p) for i, p in enumerate(shaped) if p.name in table.pd_1d}, {},
    )  # fmt: skip


#: From parameters to I(q), (n,).
Curves = Callable[[Mapping[str, Any]], Floats]


def calls_of(models: Sequence[Any], q: Floats, between: Sequence[bool] = ()) -> list[Curves]:
    """Calls of the components of a model at q; those of a sum keep their last curves. Those of `between` are
    interpolated, to 1e-3 but in dips, where points of q are closer than any fringe.
    """
    calls = list(map(_make_call, models, [q] * len(models), between or [False] * len(models)))
    return [keep_curves(call) for call in calls] if len(calls) > 1 else [*calls]


def _make_call(model: Any, q: Floats, between: bool) -> Curves:
    if between and _is_smooth(model, q):
        return InterpolatedCall(model, q)
    return KernelCall(model.make_kernel([q]))


#: Fewest points of q that may be more than fringes need.
_DENSE = 200
#: Distance of points of q: in ln q, and in q times the largest length, where fringes are 2π apart.
_STEP, _PHASE = 0.1, 0.8
_NEIGHBOURS = 6  #: Points that a value between them is taken from.
_SMOOTH = frozenset(
    f"shape:{kind}" for kind in ("sphere", "cylinder", "ellipsoid", "parallelepiped", "polyhedron")
)


def _is_smooth(model: Any, q: Floats) -> bool:
    """Whether many points of q are asked of a particle, whose largest length bounds its fringes."""
    many = q.size >= _DENSE and q[0] > 0 and bool(np.all(np.diff(q) >= 0))
    return many and not model.info.composition and model.info.category in _SMOOTH


class InterpolatedCall:
    """As `KernelCall` at many points of q, ascending, from a curve at as many as fringes need."""

    def __init__(self, model: Any, q: Floats) -> None:
        self._model, self._q = model, q
        self._defaults = {p.name: float(p.default) for p in model.info.parameters.call_parameters}
        self._plain: KernelCall | None = None
        self._calls: dict[int, tuple[KernelCall, Any]] = {}

    def __call__(self, parameters: Mapping[str, Any]) -> Floats:
        """Return I(q), (n,). Raises TypeError for an unknown parameter."""
        level = self._choose_level(parameters)
        if level is None:
            self._plain = self._plain or KernelCall(self._model.make_kernel([self._q]))
            return self._plain(parameters)
        if level not in self._calls:
            grid, interpolation = self._interpolation(level)
            self._calls[level] = KernelCall(self._model.make_kernel([grid])), interpolation
        call, interpolation = self._calls[level]
        return np.asarray(interpolation @ call(parameters))

    def _choose_level(self, parameters: Mapping[str, Any]) -> int | None:
        """Twice the logarithm to base 2 of the largest length, rounded up; None where all q are as well."""
        length = self._longest(parameters)
        if not 1.0 < length < 1e6:
            return None
        level = math.ceil(2 * math.log2(length))
        return level if self._count(level) < self._q.size / 2 else None

    def _longest(self, parameters: Mapping[str, Any]) -> float:
        """Largest length of the largest particle, Å; 0 for none."""
        from .lengths import max_length

        widest = max(
            (
                float(v) * float(parameters.get(f"{key}_nsigma", 3.0))
                for key, v in parameters.items()
                if key.endswith("_pd")
            ),
            default=0.0,
        )
        sizes = {name: parameters.get(name, value) for name, value in self._defaults.items()}
        return (max_length(self._model.info, sizes) or 0.0) * (1 + widest)

    def _count(self, level: int) -> float:
        """Points of a grid, but one or two."""
        low, high = float(self._q[0]), float(self._q[-1])
        return math.log(high / low) / _STEP + 2 ** (level / 2) * (high - low) / _PHASE

    def _interpolation(self, level: int) -> tuple[Floats, Any]:
        """A grid of q and the matrix that gives the curve from the grid's, of Lagrange's polynomials."""
        from scipy import sparse

        length = 2 ** (level / 2)
        fine = np.linspace(np.log(self._q[0]), np.log(self._q[-1]), 2000)
        number = fine / _STEP + length * np.exp(fine) / _PHASE
        count = math.ceil(number[-1] - number[0]) + _NEIGHBOURS
        grid = np.exp(np.interp(np.linspace(number[0], number[-1], count), number, fine))
        grid[[0, -1]] = self._q[[0, -1]]
        place = (
            (np.interp(np.log(self._q), fine, number) - number[0]) / (number[-1] - number[0]) * (count - 1)
        )
        first = np.clip(place.astype(int) - _NEIGHBOURS // 2 + 1, 0, count - _NEIGHBOURS)
        columns = first[:, None] + np.arange(_NEIGHBOURS)
        weights = np.ones(columns.shape)
        for k in range(_NEIGHBOURS):
            for other in set(range(_NEIGHBOURS)) - {k}:
                weights[:, k] *= (place - first - other) / (k - other)
        # Times the inverse of a particle's decay, so that no fringe is far lower than the one before.
        rise, risen = (1 + (q * length / 4) ** 4 for q in (self._q, grid))
        weights *= risen[columns] / rise[:, None]
        ends = np.arange(0, columns.size + 1, _NEIGHBOURS)
        return grid, sparse.csr_array((weights.ravel(), columns.ravel(), ends), (self._q.size, count))


def keep_curves(call: Curves) -> Curves:
    # Most steps of a fit change another component, a scale or the background.
    @lru_cache(maxsize=16)
    def calculate(parameters: tuple[tuple[str, Any], ...]) -> Floats:
        return call(dict(parameters))

    return lambda parameters: calculate(tuple(parameters.items()))


#: Of details and values, as the kernels of sasmodels are called.
_Call = Callable[[Any, Floats], Floats]


def _direct_call(kernel: Any, cutoff: float) -> _Call:
    """Return the call of a kernel, without what sasmodels does in Python around a compiled one."""
    from sasmodels.kernelpy import PyKernel
    from sasmodels.product import ProductKernel

    if type(kernel) is ProductKernel:
        return _ProductCall(kernel, cutoff)
    if _is_compiled(kernel):
        return _compiled_call(kernel, cutoff)
    if type(kernel) is PyKernel:
        return _python_call(kernel, cutoff)
    if hasattr(kernel, "choose_plain"):
        return _averaging_call(kernel, cutoff)
    return lambda details, values: np.asarray(kernel(details, values, cutoff, False))


def _compiled_call(kernel: Any, cutoff: float) -> _Call:
    # As ``sasmodels.kernel.Kernel.Iq``.
    n, fill = kernel.q_input.nq, _fill_compiled(kernel, cutoff)
    step = _values_per_point(kernel)
    squares, sums = kernel.result[0 : step * n : step], kernel.result[step * n :]

    def call(details: Any, values: Floats) -> Floats:
        fill(details, values, 0)
        weight, _, volume = sums[:3].tolist()
        return _intensity(squares, weight, volume, values)

    return call


#: Of details, values and the mode of the effective radius: fills in the results of a kernel.
_Fill = Callable[[Any, Floats, int], None]


def fill_of(kernel: Any, cutoff: float) -> _Fill:
    # As ``sasmodels.kernel.Kernel._call_kernel``, without magnetism.
    if _is_compiled(kernel):
        return _fill_compiled(kernel, cutoff)
    return lambda details, values, mode: kernel._call_kernel(details, values, cutoff, False, mode)


def _is_compiled(kernel: Any) -> bool:
    from sasmodels.kerneldll import DllKernel

    return type(kernel) is DllKernel and kernel.dtype == np.float64


def _fill_compiled(kernel: Any, cutoff: float) -> _Fill:
    # As ``DllKernel._call_kernel``; the addresses of q and of the results are those of the kernel.
    function, n = kernel.kernel[0], kernel.q_input.nq
    q, result = kernel.q_input.q.ctypes.data, kernel.result.ctypes.data
    addresses: dict[int, tuple[Any, int]] = {}

    def fill(details: Any, values: Floats, mode: int) -> None:
        known = addresses.get(id(details))
        if known is None or known[0] is not details:
            known = addresses[id(details)] = details, details.buffer.ctypes.data
        # sasmodels gives a kernel a hundred points of distributions at a time.
        for start in range(0, details.num_eval, _AT_A_TIME):
            stop = min(start + _AT_A_TIME, details.num_eval)
            function(n, start, stop, known[1], values.ctypes.data, q, result, cutoff, mode)

    return fill


def _values_per_point(kernel: Any) -> int:
    # F² and F, or I(q) alone.
    return 2 if kernel.info.have_Fq and kernel.dim == "1d" else 1


#: Mean F², effective radius, volume, and what of it a structure factor sees over that.
_Particle = tuple[Floats, float, float, float]


@dataclass(frozen=True)
class _ProductLayout:
    """How the values of a product become those of its particle and of its structure factor."""

    details: Any  #: Of the product, which these are for.
    particle: Any
    factor: Any
    end: int  #: Points of the particle's distributions, which come first.


class _ProductCall:
    """As ``sasmodels.product.ProductKernel.Iq``; the particle is kept while the structure factor changes."""

    # Its mean amplitude is left out, which the beta approximation alone asks for.

    def __init__(self, kernel: Any, cutoff: float) -> None:
        self._kernel, self._cutoff, particle = kernel, cutoff, kernel.p_kernel
        self._factor, self._fill = _direct_call(kernel.s_kernel, cutoff), fill_of(particle, cutoff)
        self._layouts: dict[tuple[int, int], _ProductLayout] = {}
        self._particles: ArrayCache[_Particle] = ArrayCache(16 * 8 * particle.q_input.nq)

    def __call__(self, details: Any, values: Floats) -> Floats:
        kernel = self._kernel
        if kernel._beta_mode_index > 0 and values[kernel._beta_mode_index] > 0:
            return np.asarray(kernel(details, values, self._cutoff, False))
        mode = int(values[kernel._er_mode_index]) if kernel._er_mode_index > 0 else 0
        layout = self._layout(details, mode)
        weights = values[kernel.info.parameters.nvalues :][: 2 * details.num_weights]
        squares, radius, volume, ratio = self._particle(layout, values, weights, mode)
        fraction = values[kernel._volfrac_index]
        interaction = self._interaction(layout, values, weights, fraction * ratio, radius if mode else None)
        scale = values[0] / volume
        if not kernel._volfrac_in_p:
            scale *= fraction
        return np.asarray(scale * (squares * interaction) + values[1])

    def _layout(self, details: Any, mode: int) -> _ProductLayout:
        known = self._layouts.get((id(details), mode))
        if known is None or known.details is not details:
            known = self._layouts[id(details), mode] = self._lay_out(details, mode)
        return known

    def _lay_out(self, details: Any, mode: int) -> _ProductLayout:
        from sasmodels.details import make_details

        kernel, count = self._kernel, details.num_weights
        infos, first, second = kernel.info.composition[1], kernel._p_detail_slice, kernel._s_detail_slice
        length, offset = details.length[second], details.offset[second]
        if kernel._volfrac_in_p:  # which the structure factor takes from the particle
            length = np.insert(length, 1, 1)
            offset = np.insert(offset, 1, details.offset[kernel._volfrac_index - 2])
        if mode > 0:
            length = np.array([1, *length[1:]])
        own_length, own_offset = details.length[first], details.offset[first]
        return _ProductLayout(
            details, make_details(infos[0], own_length, own_offset, count),
            make_details(infos[1], length, offset, count), int(own_offset[-1] + own_length[-1]),
        )  # fmt: skip

    def _particle(self, layout: _ProductLayout, values: Floats, weights: Floats, mode: int) -> _Particle:
        kernel, count = self._kernel, layout.details.num_weights
        scalars = values[kernel._p_value_slice], values[kernel._magentic_slice]
        shown = *scalars, weights[: layout.end], weights[count : count + layout.end]
        key = mode, layout.particle.length.tobytes(), *(part.tobytes() for part in shown)

        def calculate() -> _Particle:
            self._fill(layout.particle, self._lay_out_values([_UNSCALED, *scalars, weights]), mode)
            return _mean_particle(kernel.p_kernel)

        return self._particles.get(key, calculate, lambda particle: particle[0].nbytes)

    def _interaction(
        self, layout: _ProductLayout, values: Floats, weights: Floats, fraction: float, radius: float | None
    ) -> Floats:
        # Of the effective radius that the particle has, or that of `values`.
        kernel, count = self._kernel, layout.details.num_weights
        begin = np.array([1.0, 0.0, values[kernel._er_index], 0.0])
        own = self._lay_out_values([begin, values[kernel._s_value_slice], weights])
        points, places = own[kernel._s_dist_slice], layout.factor.offset
        if radius is not None:
            own[_COMMON] = points[places[0]] = radius
            points[places[0] + count] = 1.0
        own[_COMMON + 1] = points[places[1]] = fraction
        points[places[1] + count] = 1.0
        return self._factor(layout.factor, own)

    def _lay_out_values(self, parts: list[Floats]) -> Floats:
        padded = np.zeros(_round_to_block(sum(map(len, parts))))
        np.concatenate(parts, out=padded[: sum(map(len, parts))])
        return np.asarray(padded.astype(self._kernel.dtype, copy=False))


_UNSCALED = np.array([1.0, 0.0])


def _mean_particle(kernel: Any) -> _Particle:
    # As ``sasmodels.kernel.Kernel.Fq`` from the results of a kernel, without the mean amplitude.
    n, step = kernel.q_input.nq, _values_per_point(kernel)
    total, form, shell, radius = kernel.result[step * n : step * n + 4]
    total = total or 1.0
    shell = (shell / total) or 1.0
    return kernel.result[0 : step * n : step] / total, radius / total, shell, form / total / shell


def _averaging_call(kernel: Any, cutoff: float) -> _Call:
    """Of one that averages over sizes: its model's own where that is quicker for one size of each."""
    plain_calls: dict[int, _Call] = {}

    def call(details: Any, values: Floats) -> Floats:
        plain = None if details.num_active else kernel.choose_plain(values)
        if plain is None:
            return np.asarray(kernel(details, values, cutoff, False))
        if id(plain) not in plain_calls:
            plain_calls[id(plain)] = _direct_call(plain, cutoff)
        return plain_calls[id(plain)](details, values)

    return call


def _python_call(kernel: Any, cutoff: float) -> _Call:
    """As ``sasmodels.kernelpy``'s for a particle of one size; with a distribution the call of sasmodels."""
    parameters, size = kernel._parameter_vector, len(kernel._parameter_vector)

    def call(details: Any, values: Floats) -> Floats:
        if details.num_active or kernel._nq_copies != 1:
            return np.asarray(kernel(details, values, cutoff, False))
        parameters[:] = values[_COMMON : _COMMON + size]
        squares = np.asarray(kernel._form(), dtype=float)
        if squares.shape != kernel.q_input.q.shape:
            return np.asarray(kernel(details, values, cutoff, False))
        return _intensity(squares, 1.0, float(kernel._volume()[0]), values)

    return call


def _intensity(squares: Floats, weight: float, volume: float, values: Floats) -> Floats:
    """The mean of F² over that of the volume, by scale and background."""
    scale, background = values[:_COMMON].tolist()
    weight = weight or 1.0
    return np.asarray(scale / ((volume / weight) or 1.0) * (squares / weight) + background)


def _round_to_block(length: int) -> int:
    return length + (_BLOCK - length % _BLOCK) % _BLOCK


_ONE = np.ones(1)


def _distribution(parameters: Mapping[str, Any], p: Any, value: float, width: float) -> tuple[Floats, Floats]:
    kind, count = parameters.get(f"{p.name}_pd_type", "gaussian"), parameters[f"{p.name}_pd_n"]
    reach = parameters.get(f"{p.name}_pd_nsigma", 3.0)
    if kind == "gaussian" and p.relative_pd and count >= 2 and value > 0:
        return _gaussian(value, width * value, count, reach, p.limits)
    from sasmodels.weights import get_weights

    points, weights = get_weights(kind, count, width, reach, value, p.limits, p.relative_pd)
    return np.asarray(points, dtype=float), np.asarray(weights, dtype=float)


def _gaussian(
    mean: float, sigma: float, count: int, reach: float, limits: tuple[float, float]
) -> tuple[Floats, Floats]:
    """As ``sasmodels.weights.GaussianDispersion``, to the bit."""
    low, high = -reach * sigma, reach * sigma
    steps = np.arange(count) * ((high - low) / (count - 1)) + low
    steps[-1] = high
    points = mean + steps
    if not (limits[0] <= points[0] and points[-1] <= limits[1]):
        points = points[(points >= limits[0]) & (points <= limits[1])]
    weights = np.exp((points - mean) ** 2 / (-2.0 * sigma * sigma))
    return np.asarray(points, dtype=float), np.asarray(weights / weights.sum(), dtype=float)
