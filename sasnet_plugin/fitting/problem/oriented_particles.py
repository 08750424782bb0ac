"""Curves of sectors from particles whose axes are distributed about a director, as measured."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from ...arrays import Floats
from ...simulate.kernel import load_model
from ...simulate.orientations import DIRECTOR, FINE_DEGREE, P2, SHARPNESS, TAILS, sector_series
from ...simulate.priors import default_values
from ...simulate.quick_models.size_averages import average_squares, list_distributions
from ...types import Curve
from ..ledger import count, read_spent_time
from .experiment import TimeUpError
from .model_curves import ModelCurves

#: Particles with one axis whose sectors are fitted, and the lengths along and across it.
LENGTHS = {
    "cylinder": (("length",), ("radius",)),
    "core_shell_cylinder": (("length", "thickness"), ("radius", "thickness")),
    "ellipsoid": (("radius_polar",), ("radius_equatorial",)),
    "lamellar": (("thickness",), ("thickness",)),
    "parallelepiped": (("length_c",), ("length_a", "length_b")),
}
#: Order parameters that are fitted: axes within about 6 degrees across the director, and within 3 along it.
P2_RANGE = (-0.49, 0.99)
#: Points over the cosine between q and axis: as many as F² and the density of the axes need, see `_rungs`.
_RUNGS, _SLOPE, _LEAST = (32, 48, 72, 108, 162, 243, 365, 547, 820), 0.6, 24.0
#: Points over a quarter turn of a parallelepiped about its axis: so many, and more for larger phases.
_TURNS, _LEAST_TURNS = 0.4, 8
#: Coefficients that are kept: those of a few steps downhill and their slopes.
_KEPT = 16
#: Particles whose F² a search interpolates in tables.
_IN_TABLES = frozenset({"cylinder", "core_shell_cylinder", "parallelepiped"})
#: Standard deviations of a size that a search sums over, and the largest and least distance of its points: of
#: phases that need closer ones nothing is left.
_REACH, _STEP, _LEAST_STEP = 3.8, 0.9, 0.25
#: Points of the table of a ball's F² for a phase of one.
_BALL = 40


@lru_cache(maxsize=8)
def particle_info(name: str) -> Any:
    """sasmodels' description of a particle, with the orientation of its axes as parameters of the fit."""
    from sasmodels.modelinfo import ParameterTable, parse_parameter

    info = copy.copy(load_model(name).info)
    table = info.parameters.kernel_parameters
    order = parse_parameter(P2, "", 0.4, list(P2_RANGE), "", "order parameter")
    director = parse_parameter(DIRECTOR, "degrees", 0.0, [-720, 720], "", "azimuth of the director")
    sharpness = parse_parameter(
        SHARPNESS, "", 0.0, [0.0, 1.0], "", "isotropic part of the axes, over the largest that p2 allows"
    )
    tails = parse_parameter(TAILS, "", 0.0, [-1.0, 1.0], "", "of the axes: -0.7 Gaussian, 1 Lorentzian")
    sizes = [p for p in table if p.type != "orientation"]
    info.parameters = ParameterTable([*sizes, order, director, sharpness, tails])
    return info


class Particle:
    """F²(q, μ) of one particle, computed once for all sectors that are measured at the same q.

    `quick`: to 1e-3 and up to a factor, with sizes averaged in tables.
    """

    def __init__(self, name: str, q: Floats, *, quick: bool = False) -> None:
        self.name, self.q, self._model, self.quick = name, np.asarray(q), load_model(name), quick
        self._kernel: Any = None
        shape = [p for p in self._model.info.parameters.kernel_parameters if p.type != "orientation"]
        spread = ("", "_pd", "_pd_n", "_pd_nsigma", "_pd_type")
        self._names = [f"{p.name}{end}" for p in shape for end in (spread if p.polydisperse else spread[:1])]
        self._kept: dict[Any, Floats] = {}

    def average(self, parameters: Mapping[str, Any], sector: Any) -> Floats:
        """I(q) of a sector, (n,), at scale 1 without background."""
        turn = sector.azimuth - float(parameters[DIRECTOR])
        shape = (float(parameters.get(name, 0.0)) for name in (SHARPNESS, TAILS))
        return self.coefficients(parameters) @ sector_series(
            float(parameters[P2]), turn, sector.half_width, *shape
        )

    def coefficients(self, parameters: Mapping[str, Any]) -> Floats:
        """∫ F²(q, μ) P_l(μ) dμ over 0..1 for even l, (n, m)."""
        key = tuple(map(parameters.get, self._names))
        if key not in self._kept:
            values = {name: parameters[name] for name in self._names if name in parameters}
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            count(self.name, values, self.q, quick=True)
            flat = self.name == "lamellar"
            self._kept[key] = self._expand_flat(values) if flat else self._expand(values)
        return self._kept[key]

    def _expand(self, values: dict[str, Any]) -> Floats:
        coefficients = np.full((self.q.size, FINE_DEGREE // 2 + 1), np.nan)
        rungs = self._rungs(values)
        if np.max(rungs) > _RUNGS[-1]:  # too long for these q
            return coefficients
        parts = [(int(points), np.flatnonzero(rungs == points)) for points in np.unique(rungs)]
        squares = self._list_quick_squares(parts, values)
        if squares is None:
            sizes = {**default_values(self.name), **values}
            average = average_quick_ellipsoids if self.quick and self.name == "ellipsoid" else average_sizes
            squares = [
                average(self.name, self.q[rows][:, None], _rule(points)[0], sizes) for points, rows in parts
            ]
        for (points, rows), of_rows in zip(parts, squares, strict=True):
            coefficients[rows] = of_rows @ _rule(points)[1]
        return coefficients

    def _list_quick_squares(
        self, parts: Sequence[tuple[int, Any]], values: Mapping[str, Any]
    ) -> list[Floats] | None:
        """F² at the nodes of each part; None where there are no tables, or where they would be too large."""
        if not self.quick or self.name not in _IN_TABLES:
            return None
        q = np.concatenate([np.repeat(self.q[rows], points) for points, rows in parts])
        cosines = np.concatenate([np.tile(_rule(points)[0], rows.size) for points, rows in parts])
        squares = average_squares(self.name, q, cosines, values)
        if squares is None:
            return None
        ends = np.cumsum([rows.size * points for points, rows in parts])[:-1]
        pieces = np.split(squares, ends)
        return [of.reshape(rows.size, -1) for of, (_, rows) in zip(pieces, parts, strict=True)]

    def _expand_flat(self, values: dict[str, Any]) -> Floats:
        """Layers without end scatter along their normal alone: every P_l is 1 there."""
        from sasmodels.direct_model import call_kernel

        if self._kernel is None:
            self._kernel = self._model.make_kernel([self.q])
        powder = call_kernel(self._kernel, {**values, "scale": 1.0, "background": 0.0}, cutoff=0.0)
        return np.repeat(np.asarray(powder)[:, None], FINE_DEGREE // 2 + 1, axis=1)

    def _rungs(self, values: Mapping[str, Any]) -> Floats:
        """Points that each q needs, (n,): of phase differences qr a Gauss rule needs a few more than qr."""
        along, across = (_reach(names, values) for names in LENGTHS[self.name])
        half = along if self.name == "ellipsoid" else along / 2
        across /= len(LENGTHS[self.name][1]) if self.name == "parallelepiped" else 1
        wanted = _SLOPE * self.q * max(half, across) + _LEAST
        return np.array([*_RUNGS, _RUNGS[-1] + 1])[np.searchsorted(_RUNGS, wanted)]


def average_sizes(name: str, q: Floats, cosines: Floats, values: Mapping[str, Any]) -> Floats:
    """F² over the mean volume, as sasmodels has it, at q (n, 1) and cosines to the axis (m,), over all sizes.

    Where the amplitude is a product of factors of one size each, the averages of their squares are
    multiplied. Sources of the amplitudes: `simulate.quick_models.size_averages`.
    """
    along, across = q * cosines, q * np.sqrt(1 - cosines**2)
    sizes = {
        length: (np.array([float(values[length])]), np.ones(1)) for names in LENGTHS[name] for length in names
    }
    sizes |= list_distributions(_add_usual(values))
    if name == "core_shell_cylinder":
        return _average_core_shell(across, along, sizes, values)
    contrast = float(values["sld"]) - float(values["sld_solvent"])
    if name == "cylinder":
        (discs, area), (slabs, length) = (
            _square_discs(across, *sizes["radius"]),
            _square_slabs(along, *sizes["length"]),
        )
        return np.asarray(1e-4 * contrast**2 * discs * slabs / (area * length))
    if name == "parallelepiped":
        squares, volume = _square_slabs(along, *sizes["length_c"])
        first, second = sizes["length_a"], sizes["length_b"]
        points = _LEAST_TURNS + int(_TURNS * q.max() * max(first[0][-1], second[0][-1]))
        around: Any = 0.0
        for turn in np.pi / 2 * (np.arange(points) + 0.5) / points:
            slabs, length = _square_slabs(across * np.sin(turn), *first)
            others, breadth = _square_slabs(across * np.cos(turn), *second)
            around = around + slabs * others / points
        return np.asarray(1e-4 * contrast**2 * squares * around / (volume * length * breadth))
    total, volume = np.zeros(across.shape), 0.0
    for equatorial, share in zip(*sizes["radius_equatorial"], strict=True):
        for polar, part in zip(*sizes["radius_polar"], strict=True):
            weight, x = share * part, np.hypot(equatorial * across, polar * along)
            volume += weight * equatorial**2 * polar
            total += weight * (equatorial**2 * polar) ** 2 * _square_balls(x)
    return np.asarray(1e-4 * contrast**2 * (4 / 3 * np.pi) * total / volume)


def _add_usual(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with sasmodels' defaults of distributions that are not given in full."""
    usual = {"_type": "gaussian", "_n": 35, "_nsigma": 3.0}
    names = [name for name in values if name.endswith("_pd")]
    return {f"{name}{key}": value for name in names for key, value in usual.items()} | dict(values)


def _square_discs(x: Floats, radii: Floats, shares: Floats) -> tuple[Floats, float]:
    """Mean square of the amplitude of discs at components x of q, and their mean area."""
    squares = sum(
        share * (np.pi * radius**2 * _disc(x * radius)) ** 2
        for radius, share in zip(radii, shares, strict=True)
    )
    return np.asarray(squares / shares.sum()), float(np.pi * shares @ radii**2 / shares.sum())


def _square_slabs(x: Floats, lengths: Floats, shares: Floats) -> tuple[Floats, float]:
    """Mean square of the amplitude of slabs at components x of q, and their mean length."""
    squares = sum(
        share * (length * np.sinc(x * length / (2 * np.pi))) ** 2
        for length, share in zip(lengths, shares, strict=True)
    )
    return np.asarray(squares / shares.sum()), float(shares @ lengths / shares.sum())


def _square_balls(x: Floats) -> Floats:
    x = np.maximum(x, 1e-2)  # below it differences of rounded numbers
    return np.asarray((3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2)


def _disc(x: Floats) -> Floats:
    from scipy.special import j1

    x = np.maximum(x, 1e-9)
    return np.asarray(2 * j1(x) / x)


def _average_core_shell(
    across: Floats, along: Floats, sizes: Mapping[str, tuple[Floats, Floats]], values: Mapping[str, Any]
) -> Floats:
    """The squares of core and of core with shell, and their product twice, each averaged over sizes."""
    core = float(values["sld_core"]) - float(values["sld_shell"])
    shell = float(values["sld_shell"]) - float(values["sld_solvent"])
    total, volume = np.zeros(across.shape), 0.0
    for thickness, share in zip(*sizes["thickness"], strict=True):
        discs = [np.zeros(across.shape) for _ in range(3)]
        slabs = [np.zeros(across.shape) for _ in range(3)]
        area = length = 0.0
        for radius, part in zip(*sizes["radius"], strict=True):
            outer = radius + thickness
            inner_disc, outer_disc = radius**2 * _disc(across * radius), outer**2 * _disc(across * outer)
            area += part * outer**2
            for sums, square in zip(
                discs, (inner_disc**2, inner_disc * outer_disc, outer_disc**2), strict=True
            ):
                sums += part * square
        for inner, part in zip(*sizes["length"], strict=True):
            outer = inner + 2 * thickness
            inner_slab = inner * np.sinc(along * inner / (2 * np.pi))
            outer_slab = outer * np.sinc(along * outer / (2 * np.pi))
            length += part * outer
            for sums, square in zip(
                slabs, (inner_slab**2, inner_slab * outer_slab, outer_slab**2), strict=True
            ):
                sums += part * square
        for factor, disc, slab in zip((core**2, 2 * core * shell, shell**2), discs, slabs, strict=True):
            total += share * factor * disc * slab
        volume += share * area * length
    return np.asarray(1e-4 * np.pi * total / volume)


def average_quick_ellipsoids(name: str, q: Floats, cosines: Floats, values: Mapping[str, Any]) -> Floats:
    """`average_sizes` of ellipsoids with Gaussian distributions, to 1e-3 and up to a factor.

    Seen along any direction an ellipsoid is a ball. Of the two sizes, the combination that changes its radius
    is summed over closely. Three points of the other one are enough: it changes the radius in second order.
    """
    del name
    equatorial, polar = float(values["radius_equatorial"]), float(values["radius_polar"])
    widths = float(values.get("radius_equatorial_pd", 0.0)), float(values.get("radius_polar_pd", 0.0))
    part = (polar * cosines) ** 2 / ((polar * cosines) ** 2 + equatorial**2 * (1 - cosines**2))
    slopes = (1 - part) * widths[0], part * widths[1]
    steep = np.maximum(np.hypot(*slopes), 1e-12)
    phase = 2 * float(q.max()) * max(equatorial, polar) * max(widths)
    step = min(_STEP, max(2 * np.pi / (phase + 4.5), _LEAST_STEP))
    points = 1 + 2 * int(np.ceil(_REACH / step)) if max(widths) else 1
    main = np.linspace(-_REACH, _REACH, points) if points > 1 else np.zeros(1)
    beside = np.sqrt(3.0) * np.array([-1.0, 0.0, 1.0]) if min(widths) > 0 else np.zeros(1)
    shares = np.outer(np.exp(-0.5 * main**2), [1 / 6, 2 / 3, 1 / 6] if beside.size > 1 else [1.0]).ravel()
    shares /= shares.sum()  # points are more where q is larger
    main, beside = (side.ravel()[:, None] for side in np.meshgrid(main, beside, indexing="ij"))
    across = np.maximum(equatorial * (1 + widths[0] * (slopes[0] * main - slopes[1] * beside) / steep), 0.0)
    along = np.maximum(polar * (1 + widths[1] * (slopes[1] * main + slopes[0] * beside) / steep), 0.0)
    radii = np.sqrt(across**2 * (1 - cosines**2) + (along * cosines) ** 2)
    weights = shares[:, None] * (across**2 * along / (equatorial**2 * polar)) ** 2
    largest = float(q.max() * radii.max())
    grid, distance = np.linspace(0.0, largest, int(_BALL * largest) + 2, retstep=True)
    table = _square_balls(grid)
    # By hand, as the points of the grid are even: half the time of `np.interp`.
    place = q[:, :, None] * (radii.T / distance)
    before = np.minimum(place.astype(np.intp), grid.size - 2)
    squares = table[before] + (place - before) * np.diff(table)[before]
    return np.asarray(np.einsum("nmk,mk->nm", squares, weights.T))


def _reach(names: Sequence[str], values: Mapping[str, Any]) -> float:
    """Sum of lengths, two standard deviations of their distributions above the mean."""
    widest = max(float(values.get(f"{name}_pd", 0.0)) for name in names)
    return sum(float(values[name]) for name in names) * (1 + 2 * widest)


@lru_cache(maxsize=len(_RUNGS))
def _rule(points: int) -> tuple[Floats, Floats]:
    """Nodes of a Gauss-Legendre rule over 0..1, and even Legendre polynomials there times its weights."""
    nodes, shares = legendre.leggauss(points)
    cosines = (nodes + 1) / 2
    return cosines, legendre.legvander(cosines, FINE_DEGREE)[:, ::2] * shares[:, None] / 2


class SectorCurves(ModelCurves):
    """`ModelCurves` of a sector; `particle` is shared by sectors that are measured at the same q."""

    def __init__(
        self, curve: Curve, dintensity: Floats, name: str, particles: dict[bytes, Particle], *,
        quick: bool = False, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(curve, dintensity, name, **more)
        self.info = particle_info(name)
        q = self.q_calculated
        self.particle = particles.setdefault(q.tobytes(), Particle(name, q, quick=quick))

    def calculate(self, parameters: Mapping[str, Any]) -> Floats:
        if read_spent_time() > self.deadline:
            raise TimeUpError
        intensity = self.particle.average(parameters, self.curve.sector)
        return np.asarray(self._resolution.apply(intensity))[None]

    def calculate_oriented(
        self, parameters: Mapping[str, Any], orientations: Sequence[tuple[float, float]]
    ) -> Floats:
        """`calculate` at each order parameter and director, (k, n), by Maier and Saupe's distribution."""
        if read_spent_time() > self.deadline:
            raise TimeUpError
        assert self.curve.sector is not None
        azimuth, half_width = self.curve.sector.azimuth, self.curve.sector.half_width
        series = [sector_series(order, azimuth - director, half_width) for order, director in orientations]
        intensities = (self.particle.coefficients(parameters) @ np.transpose(series)).T
        return np.array([self._resolution.apply(intensity) for intensity in intensities])
